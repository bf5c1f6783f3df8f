#include "dis/eval/rows/decode.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "dis/core/error.h"
#include "dis/core/random.h"
#include "dis/data/boards/queens.h"
#include "dis/eval/rows/batch_pieces.h"
#include "dis/eval/rows/open_rows.h"
#include "dis/eval/rows/policy.h"
#include "piece_tensors.h"
#include "supervise.h"

namespace dis {
namespace {

constexpr std::int64_t kQueen = 2;
constexpr std::int64_t kRounds = 32;  // of an answer, more than there are queens

/// Boards have the blank identifier.
at::Tensor blank_ids(const at::Tensor& tokens) { return at::zeros({tokens.size(0)}, tokens.options()); }

/// Gumbel draws float64 [lanes, cells] of a round: the largest of x + g is a draw in proportion to exp(x). `lanes` are
/// those of boards with `rollouts` each.
at::Tensor gumbel_draws(std::uint64_t seed, const std::vector<std::int64_t>& lanes, std::int64_t rollouts,
                        std::int64_t round, std::int64_t cells) {
  auto values = at::empty({std::ssize(lanes), cells}, at::kDouble);
  auto* to = values.data_ptr<double>();
  for (const auto lane : lanes) {
    Draws draws(seed, Purpose::commit, static_cast<std::uint64_t>(lane % rollouts),
                static_cast<std::uint64_t>(lane / rollouts * kRounds + round));
    for (std::int64_t cell = 0; cell < cells; ++cell) *to++ = -std::log(-std::log1p(-draws.uniform()) + 1e-300);
  }
  return values;
}

/// Answers of some lanes of the decoder commit: tokens int32 [lanes, L] of lanes first, first + 1, ...
class Committed {
 public:
  Committed(const Backbone& model, const DecodeSettings& settings, std::int64_t steps, const CommitDraws& draws)
      : model_(model),
        settings_(settings),
        steps_(steps),
        draws_(draws),
        queens_(static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(model.shape().length))))) {
    const auto n = static_cast<int>(queens_);
    for (int symmetry = 0; symmetry < kSymmetries; ++symmetry) {
      std::vector<std::int64_t> cells;
      for (int cell = 0; cell < n * n; ++cell) cells.push_back(symmetry_source(n, symmetry, cell));
      sources_.push_back(at::tensor(cells, at::kLong).to(model.device()));
    }
  }

  at::Tensor answers(at::Tensor tokens, std::int64_t first) const {
    for (std::int64_t round = 0; round < queens_; ++round) {
      const auto open = ((tokens == kQueen).sum(-1) < queens_).nonzero().squeeze(-1);  // boards with too few queens
      if (open.numel() == 0) break;
      const auto part = tokens.index_select(0, open);
      const auto cell = chosen_cell(part, open + first, round);
      tokens.index_copy_(0, open, part.scatter(1, cell, kQueen));
    }
    return tokens;
  }

 private:
  /// Where the next queen of each board goes, [boards, 1].
  at::Tensor chosen_cell(const at::Tensor& boards, const at::Tensor& lanes, std::int64_t round) const {
    constexpr double kNever = -std::numeric_limits<double>::infinity();
    const auto numbers = lanes.cpu();
    const std::vector<std::int64_t> list(numbers.data_ptr<std::int64_t>(),
                                         numbers.data_ptr<std::int64_t>() + numbers.numel());
    auto draws = settings_.draws;
    if (draws.any()) draws.keys = rollout_keys(list, draws_.rollouts, round).to(model_.device());
    auto score = log_p(boards, draws);
    score.masked_fill_(boards == kQueen, kNever);
    if (draws_.temperature == 0.0) return score.argmax(-1, true);
    const auto least = std::get<0>(score.max(-1, true)) + std::log(draws_.min_p);
    score.masked_fill_(score < least, kNever);
    const auto gumbel = gumbel_draws(settings_.draws.seed, list, draws_.rollouts, round, boards.size(1));
    return (score / draws_.temperature + gumbel.to(score.device())).argmax(-1, true);
  }

  /// log p of a queen in each cell, [boards, L] float64; with symmetries, of the mean of p over the eight images.
  at::Tensor log_p(const at::Tensor& boards, const StateDraws& draws) const {
    const auto images = draws_.symmetries ? std::int64_t{kSymmetries} : 1;
    std::vector<at::Tensor> turned;
    for (std::int64_t i = 0; i < images; ++i)
      turned.push_back(boards.index_select(1, sources_[static_cast<std::size_t>(i)]));
    const auto all = at::cat(turned);
    auto drawn = draws;
    if (draws.keys.defined()) drawn.keys = draws.keys.repeat({images});
    at::Tensor score;  // [images boards, L]
    supervise(model_, settings_, open_rows(model_, all, blank_ids(all), drawn), steps_,
              [&](const StepView& view, const LastStep&) {
                if (view.s == steps_) score = log_policy(view.scores.values, view.scores.loss).select(-1, kQueen);
              });
    std::vector<at::Tensor> back;
    for (std::int64_t i = 0; i < images; ++i) {
      const auto part = score.narrow(0, i * boards.size(0), boards.size(0));
      back.push_back(at::empty_like(part).index_copy_(1, sources_[static_cast<std::size_t>(i)], part));
    }
    return images == 1 ? back.front() : at::stack(back).logsumexp(0) - std::log(static_cast<double>(images));
  }

  const Backbone& model_;
  const DecodeSettings& settings_;
  std::int64_t steps_;
  CommitDraws draws_;
  std::int64_t queens_;
  std::vector<at::Tensor> sources_;  // [symmetries] int64 [L]: the cell that each cell of an image comes from
};

/// Pieces of the rows, before step 1.
void for_open_pieces(const Backbone& model, const DecodeSettings& settings, const AskedRows& rows,
                     const std::function<void(const OpenRows&, std::int64_t first)>& f) {
  const auto device = model.device();
  const auto fields = tensor_of_rows(rows.inputs, model.shape().length);
  const auto puzzles = puzzles_tensor(rows.ids, settings.puzzle_rows);
  for_pieces(fields.size(0), settings.batch, settings.ranks, device, [&](std::int64_t first, std::int64_t count) {
    auto draws = settings.draws;
    if (draws.any()) draws.keys = rollout_keys(rows.first + first, count, 1).to(device);
    f(open_rows(model, fields.narrow(0, first, count).to(device), puzzles.narrow(0, first, count).to(device), draws),
      first);
  });
}

}  // namespace

std::vector<std::int32_t> asked_puzzle_rows(PuzzleRow row, std::int64_t identifiers, std::uint64_t seed) {
  if (row == PuzzleRow::own) return {};
  std::vector<std::int32_t> rows(static_cast<std::size_t>(identifiers));
  if (row == PuzzleRow::blank) return rows;
  const auto puzzles = static_cast<std::uint64_t>(identifiers - 1);
  if (puzzles < 2) {
    throw UserError("eval.puzzle_row = random: expected several puzzles with rows of their own, found " +
                    std::to_string(puzzles));
  }
  // The puzzles in a drawn circle: each has the row of the next.
  const auto at = [&](std::uint64_t place) {
    return permuted_index(seed, Purpose::puzzle_row, 0, puzzles, place % puzzles) + 1;
  };
  for (std::uint64_t place = 0; place < puzzles; ++place) rows[at(place)] = static_cast<std::int32_t>(at(place + 1));
  return rows;
}

Answers answer_rows(const Backbone& model, const DecodeSettings& settings, const std::vector<std::int32_t>& inputs,
                    const std::vector<std::int32_t>& ids, std::int64_t steps, std::int64_t first_row) {
  Answers answers;
  answers.steps.assign(static_cast<std::size_t>(steps), std::vector<std::int32_t>(inputs.size()));
  answers.halting.resize(ids.size());
  answers.made.resize(ids.size());
  for_open_pieces(model, settings, {inputs, ids, first_row}, [&](const OpenRows& open, std::int64_t first) {
    const auto last = supervise(model, settings, open, steps, [&](const StepView& view, const LastStep&) {
      store_rows(view.scores.values.argmax(-1), first, answers.steps[static_cast<std::size_t>(view.s - 1)]);
    });
    store_rows(last.halting, first, answers.halting);
    store_rows(last.made, first, answers.made);
  });
  for (auto& step : answers.steps) join_ranks_parts(settings.ranks, step);
  join_ranks_parts(settings.ranks, answers.halting);
  join_ranks_parts(settings.ranks, answers.made);
  return answers;
}

void visit_policies(const Backbone& model, const DecodeSettings& settings, const AskedRows& rows, std::int64_t steps,
                    const std::function<void(std::int64_t first, const at::Tensor& log_p)>& visit) {
  for_open_pieces(model, settings, rows, [&](const OpenRows& open, std::int64_t first) {
    supervise(model, settings, open, steps, [&](const StepView& view, const LastStep&) {
      if (view.s == steps) visit(first, log_policy(view.scores.values, view.scores.loss).cpu().contiguous());
    });
  });
}

Answers decode_argmax(const Backbone& model, const DecodeSettings& settings, const std::vector<std::int32_t>& inputs,
                      std::int64_t steps) {
  const std::vector<std::int32_t> blank(inputs.size() / static_cast<std::size_t>(model.shape().length));
  return answer_rows(model, settings, inputs, blank, steps);
}

std::vector<std::int32_t> decode_commit(const Backbone& model, const DecodeSettings& settings,
                                        const std::vector<std::int32_t>& inputs, std::int64_t steps,
                                        const CommitDraws& draws, std::int64_t first_board) {
  const auto boards = tensor_of_rows(inputs, model.shape().length);
  std::vector<std::int32_t> answers(inputs.size() * static_cast<std::size_t>(draws.rollouts));
  const Committed committed(model, settings, steps, draws);
  const auto images = draws.symmetries ? std::int64_t{kSymmetries} : 1;
  for_pieces(boards.size(0) * draws.rollouts, std::max<std::int64_t>(1, settings.batch / images), settings.ranks,
             model.device(), [&](std::int64_t first, std::int64_t count) {
               const auto board = at::arange(first, first + count, at::kLong).div(draws.rollouts, "floor");
               const auto tokens = boards.index_select(0, board).to(model.device());
               store_rows(committed.answers(tokens, first_board * draws.rollouts + first), first, answers);
             });
  join_ranks_parts(settings.ranks, answers);
  return answers;
}

}  // namespace dis
