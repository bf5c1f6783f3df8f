#include "suggest.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "dis/config/fields.h"

namespace dis {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Edits that still count as a slip in a word of this length.
std::size_t tolerated(std::size_t length) { return (length + 2) / 3; }

/// Collects the words with the least cost.
struct Best {
  std::size_t cost = std::numeric_limits<std::size_t>::max();
  std::vector<std::string> words;

  void offer(std::size_t offered, const std::string& word) {
    if (offered > cost) return;
    if (offered < cost) words.clear();
    cost = offered;
    words.push_back(word);
  }
};

/// How far the unknown key is from a known one; the largest number when it cannot be meant.
std::size_t key_cost(const std::string& unknown, const std::string& known) {
  constexpr std::size_t kShortestPart = 2;
  constexpr std::size_t kPartCost = 2;
  const std::size_t distance = edit_distance(unknown, known);
  if (distance <= tolerated(unknown.size())) return distance;
  const bool part = unknown.size() > kShortestPart && known.find(lower(unknown)) != std::string::npos;
  return part ? kPartCost : std::numeric_limits<std::size_t>::max();
}

}  // namespace

std::size_t edit_distance(std::string_view a_text, std::string_view b_text) {
  const std::string a = lower(a_text);
  const std::string b = lower(b_text);
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  Best best;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance <= tolerated(word.size())) best.offer(distance, candidate);
  }
  return best.words;
}

std::vector<std::string> nearest_keys(const std::string& unknown_path) {
  const std::size_t dot = unknown_path.find('.');
  const bool nested = dot != std::string::npos;
  const std::string section_name = nested ? unknown_path.substr(0, dot) : "run";
  const std::string key = nested ? unknown_path.substr(dot + 1) : unknown_path;
  Best best;
  for (const Section& section : sections()) {
    // A misspelt section costs its edits, another one as much as two slips.
    constexpr std::size_t kOtherSection = 2;
    const std::size_t elsewhere = std::min(edit_distance(section_name, section.name), kOtherSection);
    for (const Field& field : section.fields) {
      const std::size_t cost = key_cost(key, field.key);
      if (cost != std::numeric_limits<std::size_t>::max()) best.offer(cost + elsewhere, field.path);
    }
    const std::size_t distance = edit_distance(key, section.name);
    if (!nested && section.name != "run" && distance <= tolerated(key.size())) best.offer(distance, section.name);
  }
  constexpr std::size_t kMost = 3;
  if (best.words.size() > kMost) best.words.resize(kMost);
  return best.words;
}

std::string did_you_mean(const std::vector<std::string>& words) {
  if (words.empty()) return "";
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "\"" : " or \"") + word + "\"";
  return "; did you mean " + list + "?";
}

}  // namespace dis
