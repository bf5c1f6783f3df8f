#include "dis/eval/boards/queens_score.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <vector>

#include "dis/core/error.h"

namespace dis {
namespace {

Json rate_or_null(const Rate& rate) { return rate.total == 0 ? Json() : rate_json(rate); }

Json rates_json(const AnswerRates& rates) {
  return {{"boards", rates.valid.total}, {"valid", rate_or_null(rates.valid)}, {"exact", rate_or_null(rates.exact)}};
}

std::string line(const std::string& name, const std::string& boards, const std::string& valid,
                 const std::string& exact) {
  std::array<char, 160> text;
  std::snprintf(text.data(), text.size(), "%-26s %7s   %-21s   %s\n", name.c_str(), boards.c_str(), valid.c_str(),
                exact.c_str());
  return text.data();
}

std::string spaced_text(const Rate& rate) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%.3f  [%.3f, %.3f]", rate.value(), rate.lower(), rate.upper());
  return text.data();
}

std::string rates_line(const std::string& name, const AnswerRates& rates) {
  return line(name, std::to_string(rates.valid.total), spaced_text(rates.valid), spaced_text(rates.exact));
}

}  // namespace

QueensScore score_boards(std::span<const Board> boards, std::span<const std::int32_t> predictions) {
  QueensScore score;
  std::set<std::vector<std::int32_t>> solutions;
  std::size_t first = 0;
  for (const Board& board : boards) {
    ensure(first + board.label.size() <= predictions.size(), "score_boards", "predictions [boards, L]");
    const auto answer = predictions.subspan(first, board.label.size());
    first += board.label.size();
    const bool valid = is_valid_completion(board.input, answer);
    const bool exact = std::ranges::equal(answer, board.label);
    if (valid) solutions.emplace(answer.begin(), answer.end());
    const auto kind = static_cast<std::size_t>(completion_class(board.completions));
    for (AnswerRates* rates : {&score.all, &score.by_givens[board.givens], &score.by_completions[kind]}) {
      rates->valid.add(valid);
      rates->exact.add(exact);
    }
  }
  ensure(first == predictions.size(), "score_boards", "predictions [boards, L]");
  score.distinct_solutions = static_cast<std::int64_t>(solutions.size());
  return score;
}

Json to_json(const QueensScore& score) {
  Json json = rates_json(score.all);
  json["distinct_solutions"] = score.distinct_solutions;
  json["by_givens"] = Json::object();
  for (const auto& [givens, rates] : score.by_givens) json["by_givens"][std::to_string(givens)] = rates_json(rates);
  for (int i = 0; i < kCompletionClasses; ++i) {
    std::string key = completion_class_name(i);
    std::ranges::replace(key, ' ', '_');
    json["by_completions"][key] = rates_json(score.by_completions[static_cast<std::size_t>(i)]);
  }
  return json;
}

std::string score_table(const QueensScore& score) {
  std::string table = line("", "boards", "valid  [95 %]", "exact  [95 %]");
  table += rates_line("all", score.all);
  for (int i = 0; i < kCompletionClasses; ++i) {
    const AnswerRates& rates = score.by_completions[static_cast<std::size_t>(i)];
    const std::string name = completion_class_name(i) + (i == 0 ? " completion" : " completions");
    if (rates.valid.total > 0) table += rates_line(name, rates);
  }
  for (const auto& [givens, rates] : score.by_givens) {
    table += rates_line(std::to_string(givens) + (givens == 1 ? " given" : " givens"), rates);
  }
  return table + "distinct solutions among the valid answers: " + std::to_string(score.distinct_solutions) + "\n";
}

}  // namespace dis
