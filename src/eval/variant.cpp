#include "dis/eval/variant.h"

#include <algorithm>
#include <set>

#include "dis/config/fields.h"
#include "dis/core/sha256.h"
#include "dis/train/session.h"

namespace dis {
namespace {

constexpr std::size_t kLongestValue = 24, kLongestName = 120, kHashDigits = 8;

std::string hash_of(const std::string& text) { return sha256_hex(text).substr(0, kHashDigits); }

bool counts(const Field& field, ResultKind kind) {
  static const std::set<std::string> kSections = {"data", "model", "method", "eval"};
  static const std::set<std::string> kNot = {"eval.batch",
                                             "eval.allow_seen_tasks",
                                             "data.path",
                                             "data.train_file",
                                             "data.test_file",
                                             "method.trajectory_file",
                                             "method.trajectory_missing"};
  if (kNot.contains(field.path)) return false;
  if (field.section == "analyze") return kind == ResultKind::analysis;
  return kSections.contains(field.section) || field.path == "seed" || field.path == "compute.dtype";
}

/// The fields that count, with their values; evaluation has no targets of a file.
Json counted(const RunConfig& config, ResultKind kind) {
  const auto taught = without_trajectories(config);
  Json values = Json::object();
  for (const auto& section : sections()) {
    for (const auto& field : section.fields) {
      if (counts(field, kind)) values[field.path] = field.get(taught);
    }
  }
  return values;
}

std::string part_of(const std::string& path, const Json& value) {
  if (path == "eval.guidance") return std::string("-w").append(value.dump());
  if (path == "eval.halting") return value.get<bool>() ? "-halting" : "-all-steps";
  const auto text = plain(value);
  const auto bare = value.is_string() ? value.get<std::string>() : text;
  const bool safe = !bare.empty() && bare.size() <= kLongestValue && std::ranges::all_of(bare, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '+' || c == '-' || c == '_';
  });
  const std::string eval = "eval.";
  std::string part = "-";
  part.append(path.starts_with(eval) ? path.substr(eval.size()) : path);
  return part.append("=").append(safe ? bare : hash_of(text));
}

}  // namespace

ResultVariant variant_of(const RunConfig& config, const RunConfig& own, ResultKind kind,
                         const std::string& other_data) {
  const auto values = counted(config, kind), usual = counted(own, kind);
  ResultVariant variant;
  for (const auto& [path, value] : values.items()) {
    if (value == usual.at(path)) continue;
    variant.settings[path] = value;
    variant.name += part_of(path, value);
  }
  if (!other_data.empty()) {
    variant.settings["data"] = other_data;
    variant.name.append("-data=").append(hash_of(other_data));
  }
  if (variant.name.size() > kLongestName) variant.name = std::string("-").append(hash_of(variant.name));
  return variant;
}

std::string variant_name(const EvalConfig& eval, const EvalConfig& own) {
  RunConfig mine, theirs;
  mine.eval = eval;
  theirs.eval = own;
  return variant_of(mine, theirs, ResultKind::evaluation).name;
}

std::string settings_hash(const RunConfig& config, ResultKind kind) { return hash_of(counted(config, kind).dump()); }

}  // namespace dis
