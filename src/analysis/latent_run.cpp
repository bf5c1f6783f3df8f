#include "dis/analysis/latent_run.h"

#include <ATen/ATen.h>

#include <map>

#include "dis/eval/rows/open_rows.h"
#include "dis/eval/rows/policy.h"

namespace dis {
namespace {

using Answer = std::vector<std::int32_t>;

at::Tensor index_of(const std::vector<std::int64_t>& rows, at::Device device) {
  return at::tensor(rows, at::kLong).to(device);
}

/// The network as it is asked here.
class Runner {
 public:
  Runner(const Backbone& model, const DecodeSettings& settings) : model_(model), settings_(settings) {}

  at::Tensor policy_of(const at::Tensor& cell_logits) const {
    return log_policy(cell_logits, settings_.loss).cpu().contiguous();
  }
  at::Tensor policy(const at::Tensor& y) const { return policy_of(answer_logits(model_, y)); }

  RowStep step(OpenRows& rows, std::int64_t s, const StepOptions& options) const {
    return step_rows(model_, settings_.feedback, rows, s, options);
  }

  /// The last answers when pass `removed` of step `from` is left out; the rows as they stand before that step.
  at::Tensor without_pass(OpenRows rows, std::int64_t from, std::int64_t steps, std::int64_t removed) const {
    const PassObserver without{[&](const Pass& pass) { return pass.number == removed; }, {}};
    auto cells = step(rows, from, {.observer = &without}).cells;
    for (auto s = from + 1; s <= steps; ++s) cells = step(rows, s, {}).cells;
    return cells.argmax(-1).to(at::kInt).cpu().contiguous();
  }

  /// Tells `tell(pass, before, after)` what each latent pass changes in the policy of the observed rows, which is
  /// `before` at first. With one state every pass is told, compared with the one before it.
  PassObserver watch(const at::Tensor& observed, const at::Tensor& before,
                     std::function<void(std::int64_t, const at::Tensor&, const at::Tensor&)> tell) const {
    return {{},
            [this, observed, tell = std::move(tell), seen = before.index_select(0, observed.cpu())](
                const Pass& pass, const States& s) mutable {
              const auto y = s.y.index_select(0, observed);
              // The y that the cycle begins with is still there: latent passes do not touch it.
              if (pass.opens && pass.latent) seen = policy(y);
              if (pass.closes) return;  // seen after the answer pass that follows
              const auto now = policy(pass.latent ? model_.answer_pass({y, s.z.index_select(0, observed)}) : y);
              const bool behind = !pass.latent && model_.shape().config.states == StateCount::two;  // a closing one
              tell(behind ? pass.number - 1 : pass.number, seen, now);
              seen = now;
            }};
  }

 private:
  const Backbone& model_;
  const DecodeSettings& settings_;
};

/// The answers of the removals that begin at step s, in their order. Rows that lose the same pass go through the
/// network together.
std::vector<Answer> removed_at(const Runner& runner, const LatentRunRequest& request, std::int64_t s,
                               const OpenRows& rows) {
  std::map<std::int64_t, std::vector<std::int64_t>> chosen;  // rows by the pass that they lose
  for (const auto& removal : request.removals) {
    if (removal.step == s) chosen[removal.pass].push_back(removal.row);
  }
  std::vector<Answer> answers;
  for (const auto& [pass, numbers] : chosen) {
    const auto made = runner.without_pass(rows.chosen(index_of(numbers, rows.tokens.device())), s, request.steps, pass);
    for (std::int64_t i = 0; i < made.size(0); ++i) {
      const auto* first = made[i].data_ptr<std::int32_t>();
      answers.emplace_back(first, first + made.size(1));
    }
  }
  return answers;
}

}  // namespace

std::int64_t passes_per_step(const ModelShape& shape) { return std::ssize(passes_of_step(shape)); }

std::vector<Answer> run_open(const Backbone& model, const DecodeSettings& settings, const LatentRunRequest& request,
                             const LatentRunObserver& observer) {
  const Runner runner(model, settings);
  auto rows = open_rows(model, request.tokens, request.ids, request.draws);
  const bool watches = !request.observed.empty() && observer.latent_pass;
  const auto observed = index_of(request.observed, model.device());
  auto before = runner.policy(rows.states.y);
  std::vector<Answer> answers;
  for (std::int64_t s = 1; s <= request.steps; ++s) {
    for (auto& answer : removed_at(runner, request, s, rows)) answers.push_back(std::move(answer));
    const auto watch =
        runner.watch(observed, before, [&](std::int64_t pass, const at::Tensor& from, const at::Tensor& to) {
          observer.latent_pass(s, pass, from, to);
        });
    const auto step = runner.step(rows, s, {.halting = true, .observer = watches ? &watch : nullptr});
    const auto after = runner.policy_of(step.cells);
    observer.step(s, before, after, model.halt_decision(step.halting).cpu());
    before = after;
  }
  return answers;
}

}  // namespace dis
