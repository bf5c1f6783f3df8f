#include "dis/eval/decode.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <type_traits>

namespace dis {
namespace {

constexpr std::int64_t kQueen = 2;

/// Runs supervision steps 1..`steps` on tokens int32 [B, L] of puzzles `ids` int32 [B]; calls `after(s, logits)` with
/// the cells' logits [B, L, V] (answers only). Returns the last answer state.
at::Tensor supervise(const Backbone& model, const DecodeSettings& settings, at::Tensor tokens, const at::Tensor& ids,
                     std::int64_t steps, const std::function<void(std::int64_t, const at::Tensor&)>& after) {
  const auto lanes = tokens.size(0);
  const auto& shape = model.shape();
  auto states = model.initial_states(lanes);
  const auto rows = model.puzzle_rows(ids);
  for (std::int64_t s = 1; s <= steps; ++s) {
    const auto x = model.input(tokens, rows, at::full({lanes}, s, tokens.options()));
    states = model.latent_reasoning(x, states);
    const auto logits = model.readout(states.y).slice(1, shape.config.puzzle_emb_len).slice(2, 0, shape.answers);
    after(s, logits);
    if (settings.feedback == Feedback::prediction) tokens = logits.argmax(-1).to(at::kInt);
  }
  return states.y;
}

/// Boards have the blank identifier.
at::Tensor blank_ids(const at::Tensor& tokens) { return at::zeros({tokens.size(0)}, tokens.options()); }

/// Probability of a queen in each cell, float32 [B, L].
at::Tensor queen_probability(const at::Tensor& logits, LossKind loss) {
  const auto v = logits.to(at::kFloat);
  if (loss == LossKind::softmax) return v.softmax(-1).select(-1, kQueen);
  const auto s = at::where(v < 0, 1.0 / (1.0 - v.clamp_max(0.0)), v + 1.0);
  return s.select(-1, kQueen) / s.sum(-1);
}

/// Calls f(first, count) for pieces of batches, those that are this rank's. On the CPU each piece is split among the
/// threads, as in training: threads that share the rows scale better than threads that share every operation.
void for_pieces(std::int64_t rows, const DecodeSettings& settings, at::Device device,
                const std::function<void(std::int64_t, std::int64_t)>& f) {
  const auto batch = settings.batch;
  for (std::int64_t first = 0; first < rows; first += batch) {
    if (settings.ranks != nullptr && first / batch % settings.ranks->size() != settings.ranks->rank()) continue;
    const auto count = std::min(batch, rows - first);
    const auto parts = device.is_cpu() ? std::min<std::int64_t>(at::get_num_threads(), count) : 1;
    at::parallel_for(0, parts, 1, [&](std::int64_t from, std::int64_t to) {
      const at::NoGradGuard no_grad;  // of this thread
      for (auto part = from; part < to; ++part) {
        const auto begin = first + count * part / parts, end = first + count * (part + 1) / parts;
        f(begin, end - begin);
      }
    });
  }
}

at::Tensor tensor_of(const std::vector<std::int32_t>& inputs, std::int64_t length) {
  const auto boards = static_cast<std::int64_t>(inputs.size()) / length;
  auto tensor = at::empty({boards, length}, at::kInt);
  std::copy(inputs.begin(), inputs.end(), tensor.data_ptr<std::int32_t>());
  return tensor;
}

void store(const at::Tensor& answers, std::int64_t first, std::vector<std::int32_t>& to) {
  const auto a = answers.to(at::kInt).cpu().contiguous();
  std::copy_n(a.data_ptr<std::int32_t>(), a.numel(), to.begin() + first * a.size(1));
}

/// The ranks' parts together: each has zeros where the others have answers.
template <class T>
void join(const DecodeSettings& settings, std::vector<T>& values) {
  if (settings.ranks == nullptr || settings.ranks->size() == 1) return;
  settings.ranks->sum(at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                                    std::is_same_v<T, float> ? at::kFloat : at::kInt));
}

}  // namespace

Answers answer_rows(const Backbone& model, const DecodeSettings& settings, const std::vector<std::int32_t>& inputs,
                    const std::vector<std::int32_t>& ids, std::int64_t steps) {
  const auto fields = tensor_of(inputs, model.shape().length);
  const auto puzzles = tensor_of(ids, 1).squeeze(1);
  Answers answers;
  answers.steps.assign(static_cast<std::size_t>(steps), std::vector<std::int32_t>(inputs.size()));
  answers.halting.resize(ids.size());
  for_pieces(fields.size(0), settings, model.device(), [&](std::int64_t first, std::int64_t count) {
    const auto tokens = fields.narrow(0, first, count).to(model.device());
    const auto y = supervise(model, settings, tokens, puzzles.narrow(0, first, count).to(model.device()), steps,
                             [&](std::int64_t s, const at::Tensor& logits) {
                               store(logits.argmax(-1), first, answers.steps[static_cast<std::size_t>(s - 1)]);
                             });
    const auto halt = model.halting(y).select(1, 0).contiguous().cpu();
    std::copy_n(halt.data_ptr<float>(), count, answers.halting.begin() + first);
  });
  for (auto& step : answers.steps) join(settings, step);
  join(settings, answers.halting);
  return answers;
}

std::vector<std::vector<std::int32_t>> decode_argmax(const Backbone& model, const DecodeSettings& settings,
                                                     const std::vector<std::int32_t>& inputs, std::int64_t steps) {
  const std::vector<std::int32_t> blank(inputs.size() / static_cast<std::size_t>(model.shape().length));
  return answer_rows(model, settings, inputs, blank, steps).steps;
}

std::vector<std::int32_t> decode_commit(const Backbone& model, const DecodeSettings& settings,
                                        const std::vector<std::int32_t>& inputs, std::int64_t steps) {
  const auto queens = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(model.shape().length))));
  const auto boards = tensor_of(inputs, model.shape().length);
  std::vector<std::int32_t> answers(inputs.size());
  for_pieces(boards.size(0), settings, model.device(), [&](std::int64_t first, std::int64_t count) {
    auto tokens = boards.narrow(0, first, count).to(model.device()).clone();
    for (std::int64_t round = 0; round < queens; ++round) {
      const auto open = ((tokens == kQueen).sum(-1) < queens).nonzero().squeeze(-1);  // boards with too few queens
      if (open.numel() == 0) break;
      auto part = tokens.index_select(0, open);
      at::Tensor certainty;
      supervise(model, settings, part, blank_ids(part), steps, [&](std::int64_t s, const at::Tensor& logits) {
        if (s == steps) certainty = queen_probability(logits, settings.loss);
      });
      const auto cell = certainty.masked_fill(part == kQueen, -1.0).argmax(-1, true);
      tokens.index_copy_(0, open, part.scatter(1, cell, kQueen));
    }
    store(tokens, first, answers);
  });
  join(settings, answers);
  return answers;
}

}  // namespace dis
