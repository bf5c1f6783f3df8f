#include "dis/eval/boards/coverage.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "dis/core/error.h"

namespace dis {
namespace {

Json covered_json(const Covered& covered) {
  if (covered.boards == 0) return {};
  return {{"boards", covered.boards},
          {"found", covered.found},
          {"completions", covered.total},
          {"value", covered.value()},
          {"uniform_draws", covered.ceiling()}};
}

std::string covered_line(const std::string& name, const Covered& covered) {
  if (covered.boards == 0) return "";
  char line[128];
  std::snprintf(line, sizeof line, "  %-24s%7lld   %.3f     %.3f\n", name.c_str(),
                static_cast<long long>(covered.boards), covered.value(), covered.ceiling());
  return line;
}

double share(double part, double whole) { return whole == 0.0 ? 0.0 : part / whole; }

}  // namespace

void Covered::add(std::int64_t distinct, std::int64_t completions, std::int64_t answers) {
  const auto m = static_cast<double>(completions);
  ++boards;
  found += distinct;
  total += completions;
  uniform += m * (1.0 - std::pow(1.0 - 1.0 / m, static_cast<double>(answers)));
}

double Covered::value() const { return share(static_cast<double>(found), static_cast<double>(total)); }
double Covered::ceiling() const { return share(uniform, static_cast<double>(total)); }

CoverageScore coverage_of(std::span<const Board> boards, std::span<const std::int32_t> answers, std::int64_t K) {
  CoverageScore score;
  score.answers = K;
  std::set<std::vector<std::int32_t>> all;
  std::map<Placement, Covered> inputs;
  std::size_t first = 0;
  for (const Board& board : boards) {
    const auto length = board.input.size();
    std::set<std::vector<std::int32_t>> distinct;
    for (std::int64_t k = 0; k < K; ++k, first += length) {
      ensure(first + length <= answers.size(), "coverage_of", "answers [boards, K, L]");
      const auto answer = answers.subspan(first, length);
      if (!is_valid_completion(board.input, answer)) continue;
      ++score.valid;
      distinct.emplace(answer.begin(), answer.end());
    }
    const auto found = std::ssize(distinct);
    const auto completions = count_completions(board.input, std::numeric_limits<int>::max());
    for (auto* covered : {&score.pooled, &inputs[*placement_of(board.input)],
                          &score.by_completions[static_cast<std::size_t>(completion_class(completions))]}) {
      covered->add(found, completions, K);
    }
    all.merge(distinct);
  }
  ensure(first == answers.size(), "coverage_of", "answers [boards, K, L]");
  score.distinct = std::ssize(all);
  score.mean_completions = share(static_cast<double>(score.pooled.total), static_cast<double>(score.pooled.boards));
  for (const auto& [input, covered] : inputs) {
    score.per_input += covered.value() / static_cast<double>(inputs.size());
    score.per_input_ceiling += covered.ceiling() / static_cast<double>(inputs.size());
  }
  return score;
}

Json to_json(const CoverageScore& score) {
  return {{"answers_per_board", score.answers},
          {"valid_answers",
           share(static_cast<double>(score.valid), static_cast<double>(score.pooled.boards * score.answers))},
          {"pooled", covered_json(score.pooled)},
          {"by_completions",
           {{"one", covered_json(score.by_completions[0])},
            {"two_or_three", covered_json(score.by_completions[1])},
            {"more", covered_json(score.by_completions[2])}}},
          {"per_input", {{"value", score.per_input}, {"uniform_draws", score.per_input_ceiling}}},
          {"mean_completions", score.mean_completions},
          {"one_answer_covers", share(1.0, score.mean_completions)},
          {"distinct_solutions", score.distinct}};
}

std::string coverage_text(const CoverageScore& score) {
  char line[160];
  std::snprintf(line, sizeof line, "completions found, %lld answers a board   boards   covered   uniform draws\n",
                static_cast<long long>(score.answers));
  std::string text = line;
  text += covered_line("pooled", score.pooled);
  for (int i = 0; i < kCompletionClasses; ++i) {
    text += covered_line(completion_class_name(i), score.by_completions[static_cast<std::size_t>(i)]);
  }
  std::snprintf(line, sizeof line, "  %-24s          %.3f     %.3f\n", "mean over inputs", score.per_input,
                score.per_input_ceiling);
  text += line;
  std::snprintf(line, sizeof line,
                "completions a board: %.3f, so one right answer to each covers %.3f; %lld different solutions in all\n",
                score.mean_completions, share(1.0, score.mean_completions), static_cast<long long>(score.distinct));
  return text + line;
}

}  // namespace dis
