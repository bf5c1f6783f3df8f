#include "dis/analysis/latent_run.h"

#include <ATen/ATen.h>

#include "dis/eval/policy.h"

namespace dis {
namespace {

at::Tensor index_of(const std::vector<std::int64_t>& rows, at::Device device) {
  return at::tensor(rows, at::kLong).to(device);
}

/// The network as it is asked here.
class Runner {
 public:
  Runner(const Backbone& model, const DecodeSettings& settings) : model_(model), settings_(settings) {}

  std::int64_t passes() const { return passes_per_step(model_.shape()); }
  bool latent(std::int64_t pass) const { return pass % (config().L_cycles + 1) < config().L_cycles; }
  bool last_latent(std::int64_t pass) const { return latent(pass) && !latent(pass + 1); }
  bool first_latent(std::int64_t pass) const { return pass % (config().L_cycles + 1) == 0; }

  at::Tensor input(const at::Tensor& tokens, const at::Tensor& rows, std::int64_t s) const {
    return model_.input(tokens, rows, at::full({tokens.size(0)}, s, tokens.options()));
  }
  at::Tensor logits(const at::Tensor& y) const { return answer_logits(model_, y); }  // [B, L, A]
  at::Tensor policy_of(const at::Tensor& cell_logits) const {
    return log_policy(cell_logits, settings_.loss).cpu().contiguous();
  }
  at::Tensor policy(const at::Tensor& y) const { return policy_of(logits(y)); }
  void do_pass(std::int64_t pass, const at::Tensor& x, States& s) const {
    (latent(pass) ? s.z : s.y) = latent(pass) ? model_.latent_pass(x, s) : model_.answer_pass(s);
  }
  /// Whether a step is shown the answer of the one before.
  bool feeds_back() const { return settings_.feedback == Feedback::prediction; }
  static at::Tensor answer(const at::Tensor& cell_logits) { return cell_logits.argmax(-1).to(at::kInt); }

  /// The last answer when pass `removed` of step `from` is left out; all given as they stand before that step.
  at::Tensor without_pass(at::Tensor tokens, const at::Tensor& rows, States s, std::int64_t from, std::int64_t steps,
                          std::int64_t removed) const {
    for (auto step = from; step <= steps; ++step) {
      const auto x = input(tokens, rows, step);
      for (std::int64_t pass = 0; pass < passes(); ++pass) {
        if (step != from || pass != removed) do_pass(pass, x, s);
      }
      if (step < steps && feeds_back()) tokens = answer(logits(s.y));
    }
    return answer(logits(s.y)).cpu().contiguous();
  }

 private:
  const ModelConfig& config() const { return model_.shape().config; }

  const Backbone& model_;
  const DecodeSettings& settings_;
};

}  // namespace

std::int64_t passes_per_step(const ModelShape& shape) { return shape.config.H_cycles * (shape.config.L_cycles + 1); }

std::vector<std::vector<std::int32_t>> run_open(const Backbone& model, const DecodeSettings& settings,
                                                const LatentRunRequest& request, const LatentRunObserver& observer) {
  const Runner runner(model, settings);
  const auto device = model.device();
  const auto observed = index_of(request.observed, device);
  const bool watches = !request.observed.empty() && observer.latent_pass;
  auto tokens = request.tokens;
  const auto rows = model.puzzle_rows(request.ids);
  auto states = model.initial_states(tokens.size(0));
  auto before = runner.policy(states.y);
  std::vector<std::vector<std::int32_t>> answers;
  std::size_t next_removal = 0;
  for (std::int64_t s = 1; s <= request.steps; ++s) {
    while (next_removal < request.removals.size() && request.removals[next_removal].step == s) {
      const auto pass = request.removals[next_removal].pass;
      std::vector<std::int64_t> chosen;  // rows that lose the same pass go through the network together
      for (; next_removal < request.removals.size(); ++next_removal) {
        const auto& removal = request.removals[next_removal];
        if (removal.step != s || removal.pass != pass) break;
        chosen.push_back(removal.row);
      }
      const auto index = index_of(chosen, device);
      const auto made = runner.without_pass(
          tokens.index_select(0, index), rows.defined() ? rows.index_select(0, index) : at::Tensor(),
          {states.y.index_select(0, index), states.z.index_select(0, index)}, s, request.steps, pass);
      for (std::int64_t i = 0; i < made.size(0); ++i) {
        const auto* first = made[i].data_ptr<std::int32_t>();
        answers.emplace_back(first, first + made.size(1));
      }
    }
    const auto x = runner.input(tokens, rows, s);
    at::Tensor seen;  // policy of the observed rows after the pass before
    for (std::int64_t pass = 0; pass < runner.passes(); ++pass) {
      runner.do_pass(pass, x, states);
      if (!watches) continue;
      if (runner.first_latent(pass)) {
        // The y of the cycle's begin is still there: latent passes do not touch it.
        seen = runner.policy(states.y.index_select(0, observed));
      }
      at::Tensor now;
      if (runner.latent(pass) && !runner.last_latent(pass)) {
        now =
            runner.policy(model.answer_pass({states.y.index_select(0, observed), states.z.index_select(0, observed)}));
      } else if (!runner.latent(pass)) {
        now = runner.policy(states.y.index_select(0, observed));
      }
      if (!now.defined()) continue;  // the last latent pass: seen after the answer pass that follows
      observer.latent_pass(s, runner.latent(pass) ? pass : pass - 1, seen, now);
      seen = now;
    }
    const auto cell_logits = runner.logits(states.y);
    const auto after = runner.policy_of(cell_logits);
    observer.step(s, before, after, model.halt_decision(model.halting(states.y)).cpu());
    before = after;
    if (runner.feeds_back()) tokens = Runner::answer(cell_logits);
  }
  return answers;
}

}  // namespace dis
