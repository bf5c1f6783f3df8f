#include "dis/train/run_content.h"

#include <bit>
#include <map>

#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/data/arrays/npy.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr int kContentFormat = 1;

using Stored = std::map<std::string, std::pair<std::string, std::string>>;

fs::path content_file(const fs::path& run) { return run / "content.json"; }
fs::path pairs_file(const fs::path& run) { return run / "seen_pairs.npy"; }

std::optional<Stored> read_content(const fs::path& run) {
  const auto file = content_file(run);
  if (!fs::exists(file)) return std::nullopt;
  try {
    const auto json = read_json(file);
    if (json.at("format") != kContentFormat) {
      throw UserError("'" + file.string() + "' has format " + json.at("format").dump() + ", expected " +
                      std::to_string(kContentFormat) + ": another version of this program wrote it");
    }
    return json.at("content").get<Stored>();
  } catch (const Json::exception& error) {
    throw UserError("'" + file.string() + "' is damaged: " + error.what());
  }
}

/// How the data differ from what is stored.
struct Change {
  std::string first;  ///< "070dd51e (test pairs)"
  std::int64_t count = 0;
  bool trained = false;  ///< what training shows differs, too

  void add(const std::string& name, const char* what) {
    if (count++ == 0) first = name + " (" + what + ")";
  }
  std::string text() const {
    return count == 0 ? "" : first + (count > 1 ? " and " + std::to_string(count - 1) + " more" : "");
  }
};

Change change_since(const Stored& stored, const std::vector<ContentHash>& now) {
  Change change;
  for (const auto& entry : now) {
    const auto found = stored.find(entry.name);
    if (found == stored.end()) continue;
    const auto& [shown, asked] = found->second;
    if (shown != entry.shown) {
      change.add(entry.name, "what training shows");
      change.trained = true;
    } else if (asked != entry.asked) {
      change.add(entry.name, "what is tested");
      change.trained = change.trained || entry.trained;
    }
  }
  return change;
}

}  // namespace

void keep_content(const fs::path& run, const TrainingStream& data) {
  const auto content = data.content();
  if (const auto stored = read_content(run)) {
    const auto change = change_since(*stored, content);
    if (change.count == 0) return;
    const auto what = "the content of the data has changed since the run began, under the same names: " + change.text();
    if (!change.trained) return log_warn(what + "; scores before and after do not compare");
    throw UserError(what + "; '" + content_file(run).string() +
                    "' has the hashes: bring the old files back to data.path, or begin a new run");
  }
  Json json = Json::object();
  for (const auto& entry : content) json[entry.name] = {entry.shown, entry.asked};
  write_json(content_file(run), {{"format", kContentFormat}, {"content", json}}, -1);
}

std::string changed_content(const fs::path& run, const TrainingStream& data) {
  const auto stored = read_content(run);
  return stored ? change_since(*stored, data.content()).text() : "";
}

void keep_seen_pairs(const fs::path& run, const TrainingStream& data, const TrainedPairs& before) {
  if (fs::exists(pairs_file(run))) return;
  auto keys = data.trained_pairs().keys;
  keys.insert(keys.end(), before.keys().begin(), before.keys().end());
  const TrainedPairs pairs(std::move(keys));
  NpyWriter file(pairs_file(run), NpyType::i8, {std::ssize(pairs.keys())});
  file.append(std::as_bytes(std::span(pairs.keys())));
  file.commit();
}

std::optional<TrainedPairs> read_seen_pairs(const fs::path& run) {
  if (!fs::exists(pairs_file(run))) return std::nullopt;
  const NpyArray array(pairs_file(run));
  std::vector<PairKey> keys;
  for (const auto number : array.numbers()) keys.push_back(std::bit_cast<PairKey>(number));
  return TrainedPairs(std::move(keys));
}

std::optional<std::vector<std::string>> read_seen_tasks(const fs::path& run) {
  const auto file = run / "seen_tasks.json";
  if (!fs::exists(file)) return std::nullopt;
  try {
    return read_json(file).get<std::vector<std::string>>();
  } catch (const Json::exception& error) {
    throw UserError("'" + file.string() + "' is damaged: " + error.what());
  }
}

}  // namespace dis
