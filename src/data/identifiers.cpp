#include "dis/data/identifiers.h"

#include <algorithm>
#include <functional>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/sha256.h"

namespace dis {
namespace {

/// Python escapes all but ASCII.
std::string quoted(const std::string& name) { return Json(name).dump(-1, ' ', true); }

/// Calls `take` with the file's text, piece by piece.
void pieces(const TrainingStream& data, const std::function<void(const std::string&)>& take) {
  constexpr std::size_t kPiece = 1 << 20;
  std::string text = "[";
  const auto count = data.shape().identifiers;
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += quoted(data.identifier(i));
    if (text.size() < kPiece) continue;
    take(text);
    text.clear();
  }
  take(text + "]");
}

}  // namespace

void write_identifiers(const std::filesystem::path& file, const TrainingStream& data) {
  AtomicFile out(file);
  pieces(data, [&](const std::string& text) { out.write(text); });
  out.commit();
}

std::string identifiers_sha256(const TrainingStream& data) {
  Sha256 hash;
  pieces(data, [&](const std::string& text) { hash.update(text); });
  return hash.hex();
}

bool same_identifiers(const std::filesystem::path& file, const TrainingStream& data) {
  const std::string stored = read_text(file);
  std::size_t place = 0;
  bool same = true;
  pieces(data, [&](const std::string& text) {
    same = same && stored.compare(place, text.size(), text) == 0;
    place += text.size();
  });
  if (same && place == stored.size()) return true;
  return read_identifiers(file) == identifier_names(data);  // the same list, written by another program
}

std::vector<std::string> identifier_names(const TrainingStream& data) {
  std::vector<std::string> names;
  const auto count = data.shape().identifiers;
  names.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) names.push_back(data.identifier(i));
  return names;
}

std::vector<std::string> read_identifiers(const std::filesystem::path& file) {
  const Json list = read_json(file);
  const bool texts = list.is_array() && std::ranges::all_of(list, [](const Json& name) { return name.is_string(); });
  if (!texts || list.empty() || list.front() != "<blank>") {
    throw UserError(
        "'" + file.string() +
        "' is not a list of puzzle identifiers: expected a JSON list of texts that starts with \"<blank>\"");
  }
  return list.get<std::vector<std::string>>();
}

}  // namespace dis
