#include "dis/eval/votes/rescoring.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "../rows/piece_tensors.h"
#include "dis/core/clock.h"
#include "dis/core/log.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/arc/arc_json.h"
#include "dis/eval/evaluate.h"
#include "rows_asked.h"

namespace dis {
namespace {

/// Mean log-probability of a candidate under log p [L, A]; its label field is made in `field` [L].
float mean_log_p(const Grid& candidate, const Augmentation& augmentation, int side, const double* log_p,
                 std::vector<std::int32_t>& field) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  if (candidate.cells.empty()) return kNever;
  write_field(candidate, augmentation, {}, side, kIgnore, field);
  double sum = 0.0;
  std::int64_t cells = 0;
  for (std::size_t cell = 0; cell < field.size(); ++cell) {
    if (field[cell] == kIgnore) continue;
    sum += log_p[cell * static_cast<std::size_t>(kArcVocabulary) + static_cast<std::size_t>(field[cell])];
    ++cells;
  }
  return static_cast<float>(sum / static_cast<double>(cells));
}

/// Rank 0's candidates on all ranks: after votes that were read from its file, others know fewer.
void share_candidates(const Ranks& ranks, std::vector<RescoredTest>& tests) {
  if (ranks.size() == 1) return;
  std::string mine;
  for (const auto& test : tests) {
    mine += std::to_string(test.candidates.size()) + ';';
    for (const auto& candidate : test.candidates) {
      const auto packed = pack_grid(candidate.grid);
      mine.append(packed.begin(), packed.end());
    }
  }
  const auto theirs = ranks.exchange(ranks.first() ? mine : "").front();
  const auto* next = reinterpret_cast<const std::uint8_t*>(theirs.data());
  for (auto& test : tests) {
    std::size_t count = 0;
    for (; *next != ';'; ++next) count = 10 * count + (*next - '0');
    ++next;
    test.candidates.resize(count);
    test.log_p.assign(count, std::numeric_limits<double>::quiet_NaN());
    test.same_shape.resize(count);
    for (auto& candidate : test.candidates) {
      const PackedGrid packed(next, packed_size(next[0], next[1]));
      candidate.grid = unpack_grid(packed);
      next += packed.size();
    }
  }
}

/// Those of the election whose test input has a choice.
ArcElection open_rows_of(const ArcElection& election, std::span<const RescoredTest> tests) {
  ArcElection open;
  for (std::size_t i = 0; i < election.rows.size(); ++i) {
    if (tests[static_cast<std::size_t>(election.tests[i])].candidates.size() < 2) continue;
    open.rows.push_back(election.rows[i]);
    open.tests.push_back(election.tests[i]);
  }
  return open;
}

/// Rows that go through the network together.
struct RowsPart {
  const Rows& rows;
  std::span<const std::int64_t> tests;  ///< [rows]
  std::int64_t first;                   ///< number of the first row among all
};

/// [rows, most] the mean log-probabilities of the candidates of each row's test input; 0 where it has fewer.
std::vector<float> log_p_of_rows(const Session& session, const EvalConfig& eval, const RowsPart& part,
                                 std::span<const RescoredTest> tests, std::size_t most) {
  const auto side = data_as<ArcData>(session).puzzles().side();
  std::vector<float> found(part.tests.size() * most);
  visit_policies(*session.model, decode_settings(session, eval), {part.rows.inputs, part.rows.ids, part.first},
                 evaluated_steps(session, eval), [&](std::int64_t from, const at::Tensor& log_p) {
                   std::vector<std::int32_t> field(static_cast<std::size_t>(side * side));
                   for (std::int64_t i = 0; i < log_p.size(0); ++i) {
                     const auto row = static_cast<std::size_t>(from + i);
                     auto* to = found.data() + row * most;
                     for (const auto& candidate : tests[static_cast<std::size_t>(part.tests[row])].candidates) {
                       *to++ = mean_log_p(candidate.grid, part.rows.augmentations[row], side,
                                          log_p[i].data_ptr<double>(), field);
                     }
                   }
                 });
  join_ranks_parts(session.ranks.get(), found);
  return found;
}

}  // namespace

std::vector<RescoredTest> first_candidates(const VoteBook& book, std::int64_t most) {
  std::vector<RescoredTest> tests(static_cast<std::size_t>(book.tests()));
  for (std::size_t i = 0; i < tests.size(); ++i) {
    auto& test = tests[i];
    test.candidates = book.ranking(static_cast<std::int64_t>(i));
    std::map<std::pair<int, int>, std::int64_t> votes;
    for (const auto& candidate : test.candidates)
      votes[{candidate.grid.rows, candidate.grid.columns}] += candidate.votes;
    const auto all = static_cast<double>(book.votes(static_cast<std::int64_t>(i)));
    if (std::ssize(test.candidates) > most) test.candidates.resize(static_cast<std::size_t>(most));
    for (const auto& [grid, own, probability] : test.candidates) {
      test.same_shape.push_back(static_cast<double>(votes.at({grid.rows, grid.columns})) / all);
    }
    test.log_p.assign(test.candidates.size(), std::numeric_limits<double>::quiet_NaN());
  }
  return tests;
}

void rescore(const Session& session, const ArcData& data, const ArcElection& election, const VotingSettings& settings,
             std::vector<RescoredTest>& tests) {
  share_candidates(*session.ranks, tests);
  const auto open = open_rows_of(election, tests);
  const auto total = std::ssize(open.rows);
  std::size_t most = 0;
  for (const auto& test : tests) most = std::max(most, test.candidates.size());
  std::vector<std::vector<double>> sums(tests.size());
  for (std::size_t i = 0; i < tests.size(); ++i) sums[i].resize(tests[i].candidates.size());
  std::vector<std::int64_t> asked(tests.size());
  Progress progress({.what = "rescore", .unit = "puzzles", .total = total});
  const auto stride = settings.eval.batch * session.ranks->size();
  for (std::int64_t first = 0; first < total; first += stride) {
    const auto count = std::min(stride, total - first);
    const auto numbers =
        std::span(open.tests).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const auto rows = make_rows(data, std::span(open.rows).subspan(static_cast<std::size_t>(first), numbers.size()));
    const auto log_p = log_p_of_rows(session, settings.eval, {rows, numbers, first}, tests, most);
    for (std::size_t row = 0; row < numbers.size(); ++row) {
      const auto test = static_cast<std::size_t>(numbers[row]);
      for (std::size_t c = 0; c < sums[test].size(); ++c) sums[test][c] += static_cast<double>(log_p[row * most + c]);
      ++asked[test];
    }
    progress.update(first + count, "");
    if (!goes_on(session, settings, {"been rescored", first + count, total})) break;
  }
  progress.finish();
  for (std::size_t i = 0; i < tests.size(); ++i) {
    for (std::size_t c = 0; asked[i] > 0 && c < sums[i].size(); ++c) {
      tests[i].log_p[c] = sums[i][c] / static_cast<double>(asked[i]);
    }
  }
}

void rank_candidates(VoteBook& book, std::span<const RescoredTest> tests, CandidateRank rank) {
  if (rank == CandidateRank::votes) return;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const auto& [candidates, log_p, same_shape] = tests[i];
    if (candidates.size() < 2 || std::isnan(log_p.front())) continue;
    std::vector<double> score = log_p;
    for (std::size_t c = 0; c < score.size() && rank == CandidateRank::both; ++c) {
      score[c] += std::log(static_cast<double>(candidates[c].votes));
    }
    std::vector<std::size_t> order(candidates.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t c) { return score[c]; });
    std::vector<Grid> grids;
    grids.reserve(order.size());
    for (const auto candidate : order) grids.push_back(candidates[candidate].grid);
    book.put_first(static_cast<std::int64_t>(i), grids);
  }
}

Json candidates_json(std::span<const ArcTask> tasks, const VoteBook& book, std::span<const RescoredTest> candidates) {
  Json json = Json::object();
  const auto inputs = test_inputs(tasks);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Json list = Json::array();
    for (std::size_t c = 0; c < candidates[i].candidates.size(); ++c) {
      const auto& [grid, votes, halting] = candidates[i].candidates[c];
      const auto log_p = candidates[i].log_p[c];
      list.push_back({{"grid", grid_json(grid)},
                      {"votes", votes},
                      {"halting", halting},
                      {"same_shape", candidates[i].same_shape[c]},
                      {"log_p", std::isfinite(log_p) ? Json(log_p) : Json(nullptr)}});
    }
    json[tasks[inputs[i].task].id].push_back(
        {{"votes", book.votes(static_cast<std::int64_t>(i))}, {"candidates", std::move(list)}});
  }
  return json;
}

}  // namespace dis
