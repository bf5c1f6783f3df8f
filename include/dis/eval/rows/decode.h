// From boards to answers: the network's supervision steps at evaluation, and the two decoders.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dis/dist/ranks.h"
#include "dis/model/backbone.h"
#include "dis/ops/losses.h"

namespace dis {

/// [identifiers] the row of the puzzle table that each puzzle is asked with; empty: its own. At random: that of another
/// puzzle, no two puzzles the same one, and the blank one keeps its own. UserError: there is no other one.
std::vector<std::int32_t> asked_puzzle_rows(PuzzleRow row, std::int64_t identifiers, std::uint64_t seed);

/// How the network is asked: as in training.
struct DecodeSettings {
  Feedback feedback = Feedback::input;
  Loss loss = {};                ///< that the network was trained with: it makes the probabilities
  std::int64_t batch = 200;      ///< rows per forward pass
  const Ranks* ranks = nullptr;  ///< each takes whole batches, and all get all answers; null: one process
  double guidance = 1.0;         ///< w: answers are read from the guided policy (method, section 8); 1: plain
  bool halting = false;          ///< a row makes no step after the one at which the halting head ends it
  std::vector<std::int32_t> puzzle_rows = {};  ///< asked_puzzle_rows()
  StateDraws draws = {};  ///< start and noise of the states; keys are those of the rows (rollout_keys())
};

/// Which rows: inputs [R, L], puzzles `ids` [R]; numbers first..first+R-1 of all rows.
struct AskedRows {
  std::span<const std::int32_t> inputs, ids;
  std::int64_t first = 0;
};

/// What the network makes of some rows.
struct Answers {
  std::vector<std::vector<std::int32_t>> steps;  ///< [steps] tokens [rows, L] after supervision step 1, 2, ...
  std::vector<float> halting;                    ///< [rows] logit of the halting head after the row's last step
  std::vector<std::int32_t> made;                ///< [rows] steps that the row made
};

/// Runs supervision steps s = 1..`steps` on `inputs` [rows, L] of the puzzles `ids` [rows]; a cell's answer is the
/// argmax of its logits without the mask token. With a guidance w other than 1 it is that of l_u + w (l_c - l_u), of
/// the log-probabilities before and after the step; what the network itself is shown (Feedback::prediction) stays
/// plain. With `halting` a row keeps its answer once it has made its last step. `first_row`: number of the first of
/// them among all rows, for draws.
Answers answer_rows(const Backbone& model, const DecodeSettings& settings, const std::vector<std::int32_t>& inputs,
                    const std::vector<std::int32_t>& ids, std::int64_t steps, std::int64_t first_row = 0);

/// Visits the log-probabilities of the cells' tokens after the last step, float64 [count, L, A] on the CPU, of rows
/// first .. first + count - 1 of `rows`: those of this rank, by several threads at once. The rest as of answer_rows().
void visit_policies(const Backbone& model, const DecodeSettings& settings, const AskedRows& rows, std::int64_t steps,
                    const std::function<void(std::int64_t first, const at::Tensor& log_p)>& visit);

/// The paper's decoder: answer_rows() of boards `inputs` [boards, L], each cell by itself.
Answers decode_argmax(const Backbone& model, const DecodeSettings& settings, const std::vector<std::int32_t>& inputs,
                      std::int64_t steps);

/// How `commit` draws.
struct CommitDraws {
  double temperature = 0.0;   ///< T: a queen with probability p^(1/T); 0: the most certain one
  double min_p = 0.0;         ///< cells with less than this share of the largest p are not drawn
  std::int64_t rollouts = 1;  ///< K answers to each board
  bool symmetries = false;    ///< p is the mean over the eight images of the board
};

/// Answers [boards, K, L] of the decoder `commit` (not in the paper): run `steps` supervision steps, fix the queen that
/// the network is most certain of, or one that is drawn, give it to the network as a part of the board, and again until
/// the board has N queens. It can choose between several completions, which a cell-wise argmax cannot. Draws are
/// functions of (seed, board, rollout, round, cell); `first_board`: number of the first one.
std::vector<std::int32_t> decode_commit(const Backbone& model, const DecodeSettings& settings,
                                        const std::vector<std::int32_t>& inputs, std::int64_t steps,
                                        const CommitDraws& draws = {}, std::int64_t first_board = 0);

}  // namespace dis
