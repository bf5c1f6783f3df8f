#include "dis/analysis/analysis.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <span>

#include "dis/analysis/latent_run.h"
#include "dis/core/error.h"
#include "dis/core/memory.h"
#include "dis/core/progress.h"
#include "dis/core/random.h"
#include "dis/core/signals.h"
#include "dis/eval/rows/batch_pieces.h"
#include "dis/eval/rows/open_rows.h"
#include "dis/eval/rows/test_rows.h"
#include "dis/model/loss_of.h"

namespace dis {
namespace {

constexpr std::uint64_t kPlaceStep =
    (std::uint64_t{1} << 46) + 1;  // of Purpose::votes, beside a vote's sample of tasks

/// Examples that are kept of each kind until the end, when it is known how many there are.
std::size_t most_examples(const Session& session) { return static_cast<std::size_t>(session.config.analyze.examples); }

GuidanceGrid grid_of(const AnalyzeConfig& config) { return {config.max_guidance, config.guidance_points}; }

void append(std::vector<AnalysedRow>& to, const std::vector<AnalysedRow>& from, std::size_t most) {
  for (const auto& row : from) {
    if (to.size() < most) to.push_back(row);
  }
}

/// Sums of one row while its steps go by.
struct RowSums {
  std::int64_t labelled = 0;
  std::vector<double> margin;  ///< [N] of the labelled cells, at w = 1
  RowTrace trace;
  std::vector<std::vector<std::int32_t>> answers;  ///< [N][L]
};

/// Rows first..first+count-1 of `batch`, which begins with row `batch_first` of `all`.
struct PieceRows {
  const TestRows& all;
  const RowBatch& batch;
  std::int64_t batch_first, first, count;
};

/// Rows of a batch that go through the network together, on one thread.
class Piece {
 public:
  Piece(const Session& session, const DecodeSettings& settings, const PieceRows& rows, Analysis empty)
      : session_(session),
        settings_(settings),
        all_(rows.all),
        grid_(grid_of(session.config.analyze)),
        length_(static_cast<std::size_t>(session.model->shape().length)),
        batch_(rows.batch),
        global_(rows.batch_first + rows.first),
        first_(rows.first),
        count_(rows.count),
        rows_(static_cast<std::size_t>(rows.count)),
        passes_(passes_per_step(session.model->shape())),
        found_(std::move(empty)),
        guided_(grid_.size()),
        right_(grid_.size()) {}

  Analysis run() {
    const auto& model = *session_.model;
    const auto steps = session_.config.method.num_supervision;
    LatentRunRequest request{.tokens = batch_tensor(batch_.inputs, length_),
                             .ids = batch_tensor(batch_.ids, 1).squeeze(1),
                             .draws = evaluated_draws(session_.config.method, session_.config.eval,
                                                      static_cast<std::uint64_t>(session_.config.run.seed))
                                          .with_keys(rollout_keys(global_, count_, 1).to(model.device())),
                             .steps = steps,
                             .observed = {},
                             .removals = {}};
    for (std::int64_t i = 0; i < count_; ++i) {
      auto& row = rows_[static_cast<std::size_t>(i)];
      for (const auto label : label_of(i)) row.labelled += label != kIgnore ? 1 : 0;
      if (row.labelled == 0) continue;
      choose(i, request);
    }
    found_.observed_rows = std::ssize(request.observed);
    std::ranges::stable_sort(request.removals, {}, [](const Removal& r) { return std::pair(r.step, r.pass); });
    if (found_.has_targets) count_targets();
    LatentRunObserver observer;
    observer.step = [&](std::int64_t s, const at::Tensor& before, const at::Tensor& after, const at::Tensor& halting) {
      see_step(s, before, after, halting);
    };
    observer.latent_pass = [&](std::int64_t s, std::int64_t pass, const at::Tensor& before, const at::Tensor& after) {
      see_latent_pass(request.observed, s, pass, before, after);
    };
    const auto removed = run_open(model, settings_, request, observer);
    for (std::size_t i = 0; i < removed.size(); ++i) see_removal(request.removals[i], removed[i]);
    finish_rows();
    return std::move(found_);
  }

 private:
  std::span<const std::int32_t> label_of(std::int64_t row) const {
    return std::span(batch_.labels).subspan(static_cast<std::size_t>(first_ + row) * length_, length_);
  }
  std::span<const std::int32_t> input_of(std::int64_t row) const {
    return std::span(batch_.inputs).subspan(static_cast<std::size_t>(first_ + row) * length_, length_);
  }
  at::Tensor batch_tensor(const std::vector<std::int32_t>& values, std::size_t width) const {
    const auto columns = static_cast<std::int64_t>(width);
    const auto all = at::from_blob(const_cast<std::int32_t*>(values.data()),  // NOLINT: read only
                                   {static_cast<std::int64_t>(values.size()) / columns, columns}, at::kInt);
    return all.narrow(0, first_, count_).to(session_.compute.device, at::kInt, false, true);
  }

  /// Which rows are observed, and which lose passes: by a place that is drawn for each row of the whole data, so that
  /// neither batches nor threads matter, nor the order of the data.
  void choose(std::int64_t i, LatentRunRequest& request) const {
    const auto& settings = session_.config.analyze;
    const auto place = permuted_index(static_cast<std::uint64_t>(session_.config.run.seed), Purpose::votes, kPlaceStep,
                                      static_cast<std::uint64_t>(all_.size()), static_cast<std::uint64_t>(global_ + i));
    const auto before = [&](double share) { return static_cast<std::int64_t>(static_cast<double>(place) * share); };
    const auto through = [&](double share) {
      return static_cast<std::int64_t>(static_cast<double>(place + 1) * share);
    };
    if (through(settings.latent_share) > before(settings.latent_share)) request.observed.push_back(i);
    const auto all = passes_ * session_.config.method.num_supervision;
    const auto from = before(settings.removals);
    const auto to = std::min(through(settings.removals), from + all);
    for (auto removal = from; removal < to; ++removal) {
      request.removals.push_back({i, removal % all / passes_ + 1, removal % passes_});
    }
  }

  void count_targets() {
    const auto steps = session_.config.method.num_supervision;
    std::vector<std::int32_t> frames(static_cast<std::size_t>(steps + 1) * length_);
    for (std::int64_t i = 0; i < count_; ++i) {
      if (rows_[static_cast<std::size_t>(i)].labelled == 0) continue;
      const auto label = label_of(i);
      const auto input = input_of(i);
      session_.targets->frames(static_cast<std::uint64_t>(session_.config.run.seed),
                               static_cast<std::uint64_t>(global_ + i), {input, label, {}}, *session_.data, frames);
      for (std::size_t s = 1; s <= static_cast<std::size_t>(steps); ++s) {
        for (std::size_t cell = 0; cell < length_; ++cell) {
          if (label[cell] != kIgnore && frames[s * length_ + cell] != label[cell]) ++found_.steps[s - 1].target_cells;
        }
      }
    }
  }

  void see_step(std::int64_t s, const at::Tensor& before, const at::Tensor& after, const at::Tensor& halting) {
    const auto tokens = static_cast<std::size_t>(before.size(2));
    const auto *l_u = before.data_ptr<double>(), *l_c = after.data_ptr<double>();
    const auto halt = halting.contiguous();
    auto& step = found_.steps[static_cast<std::size_t>(s - 1)];
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      auto& row = rows_[i];
      if (row.labelled == 0) continue;
      const auto label = label_of(static_cast<std::int64_t>(i));
      std::vector<std::uint8_t> row_right(grid_.size(), 1);
      std::vector<std::int32_t> answer(length_);
      bool changed = s == 1, changed_labelled = s == 1;
      double own_margin = 0.0, margin = 0.0;
      for (std::size_t cell = 0; cell < length_; ++cell) {
        const auto at = (i * length_ + cell) * tokens;
        const std::span<const double> u(l_u + at, tokens), c(l_c + at, tokens);
        const auto was = guided_answer(u, c, 0.0), is = guided_answer(u, c, 1.0);
        answer[cell] = static_cast<std::int32_t>(is);
        const bool labelled = label[cell] != kIgnore;
        changed = changed || is != was;
        changed_labelled = changed_labelled || (labelled && is != was);
        if (!labelled) {
          own_margin += guided_loss(u, c, is, 1.0).margin;
          continue;
        }
        const auto truth = static_cast<std::size_t>(label[cell]);
        for (std::size_t w = 0; w < grid_.size(); ++w) {
          guided_[w] = guided_loss(u, c, truth, grid_.at(w));
          right_[w] = guided_answer(u, c, grid_.at(w)) == truth ? 1 : 0;
          row_right[w] &= right_[w];
        }
        const double cell_margin = guided_[grid_.plain()].margin;
        margin += cell_margin;
        own_margin += is == truth ? cell_margin : guided_loss(u, c, is, 1.0).margin;
        step.all.add(guided_, right_);
        if (was != truth) step.wrong_before.add(guided_, right_);
        if (is != truth) ++step.wrong_cells;
        if (is == was) continue;
        (was == truth ? step.right_to_wrong : is == truth ? step.wrong_to_right : step.wrong_to_wrong) += 1;
      }
      for (std::size_t w = 0; w < grid_.size(); ++w) step.exact[w] += row_right[w];
      if (margin > 0.0) ++step.improved_rows;
      row.margin.push_back(margin / static_cast<double>(row.labelled));
      row.trace.exact.push_back(row_right[grid_.plain()] != 0);
      row.trace.changed.push_back(changed);
      row.trace.changed_labelled.push_back(changed_labelled);
      row.trace.margin.push_back(own_margin / static_cast<double>(length_));
      row.trace.halting.push_back(static_cast<double>(halt.data_ptr<float>()[i]));
      row.answers.push_back(std::move(answer));
    }
  }

  void see_latent_pass(const std::vector<std::int64_t>& observed, std::int64_t s, std::int64_t pass,
                       const at::Tensor& before, const at::Tensor& after) {
    const auto tokens = static_cast<std::size_t>(before.size(2));
    const auto *l_u = before.data_ptr<double>(), *l_c = after.data_ptr<double>();
    auto& sums = found_.latent[static_cast<std::size_t>((s - 1) * passes_ + pass)];
    for (std::size_t i = 0; i < observed.size(); ++i) {
      const auto label = label_of(observed[i]);
      for (std::size_t cell = 0; cell < length_; ++cell) {
        if (label[cell] == kIgnore) continue;
        const auto at = (i * length_ + cell) * tokens;
        const std::span<const double> u(l_u + at, tokens), c(l_c + at, tokens);
        const auto truth = static_cast<std::size_t>(label[cell]);
        const auto now = guided_loss(u, c, truth, 1.0);
        ++sums.cells;
        sums.margin += now.margin;
        sums.positive += now.margin > 0.0 ? 1 : 0;
        sums.loss_before += guided_loss(u, c, truth, 0.0).loss;
        sums.loss_after += now.loss;
      }
    }
  }

  void see_removal(const Removal& removal, const std::vector<std::int32_t>& answer) {
    const auto& row = rows_[static_cast<std::size_t>(removal.row)];
    const auto label = label_of(removal.row);
    bool changed = false, exact = true;
    for (std::size_t cell = 0; cell < length_; ++cell) {
      if (label[cell] == kIgnore) continue;
      changed = changed || answer[cell] != row.answers.back()[cell];
      exact = exact && answer[cell] == label[cell];
    }
    auto& sums = found_.removed[static_cast<std::size_t>((removal.step - 1) * passes_ + removal.pass)];
    ++sums.trials;
    sums.changed += changed ? 1 : 0;
    sums.exact_with += row.trace.exact.back() ? 1 : 0;
    sums.exact_without += exact ? 1 : 0;
  }

  void finish_rows() {
    for (std::int64_t i = 0; i < count_; ++i) {
      auto& row = rows_[static_cast<std::size_t>(i)];
      if (row.labelled == 0) continue;
      ++found_.rows;
      for (std::size_t rule = 0; rule < found_.rules.size(); ++rule) {
        found_.exits[rule].add(found_.rules[rule], row.trace);
      }
      ++found_.last_change[static_cast<std::size_t>(last_change(row.trace) - 1)];
      const bool exact = row.trace.exact.back();
      auto& examples = exact ? found_.successes : found_.failures;
      if (examples.size() >= most_examples(session_) || !all_.original(global_ + i)) continue;
      const auto label = label_of(i);
      const auto input = input_of(i);
      examples.push_back({all_.name(global_ + i),
                          exact,
                          {input.begin(), input.end()},
                          {label.begin(), label.end()},
                          std::move(row.answers),
                          std::move(row.margin)});
    }
  }

  const Session& session_;
  const DecodeSettings& settings_;
  const TestRows& all_;
  GuidanceGrid grid_;
  std::size_t length_;
  const RowBatch& batch_;
  std::int64_t global_, first_, count_;
  std::vector<RowSums> rows_;
  std::int64_t passes_;  ///< of a step
  Analysis found_;
  std::vector<GuidedLoss> guided_;  // of the cell at hand
  std::vector<std::uint8_t> right_;
};

/// Half failures and half successes, as far as there are as many.
void choose_examples(Analysis& analysis, std::size_t most) {
  const auto other = std::min(most, analysis.successes.size());
  analysis.failures.resize(std::min(analysis.failures.size(), std::max(most / 2, most - other)));
  analysis.successes.resize(std::min(analysis.successes.size(), most - analysis.failures.size()));
}

}  // namespace

Analysis::Analysis(const GuidanceGrid& grid, std::int64_t num_steps, std::int64_t num_passes,
                   std::vector<ExitRule> exit_rules)
    : steps(static_cast<std::size_t>(num_steps), StepAnalysis(grid)),
      latent(static_cast<std::size_t>(num_steps * num_passes)),
      removed(static_cast<std::size_t>(num_steps * num_passes)),
      rules(std::move(exit_rules)),
      exits(rules.size()),
      last_change(static_cast<std::size_t>(num_steps)) {}

void Analysis::add(const Analysis& other, std::size_t most) {
  rows += other.rows;
  observed_rows += other.observed_rows;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    auto& step = steps[s];
    const auto& more = other.steps[s];
    step.all.add(more.all);
    step.wrong_before.add(more.wrong_before);
    for (std::size_t w = 0; w < step.exact.size(); ++w) step.exact[w] += more.exact[w];
    step.improved_rows += more.improved_rows;
    step.wrong_to_right += more.wrong_to_right;
    step.right_to_wrong += more.right_to_wrong;
    step.wrong_to_wrong += more.wrong_to_wrong;
    step.wrong_cells += more.wrong_cells;
    step.target_cells += more.target_cells;
    last_change[s] += other.last_change[s];
  }
  for (std::size_t p = 0; p < latent.size(); ++p) {
    latent[p].cells += other.latent[p].cells;
    latent[p].positive += other.latent[p].positive;
    latent[p].margin += other.latent[p].margin;
    latent[p].loss_before += other.latent[p].loss_before;
    latent[p].loss_after += other.latent[p].loss_after;
    removed[p].trials += other.removed[p].trials;
    removed[p].changed += other.removed[p].changed;
    removed[p].exact_with += other.removed[p].exact_with;
    removed[p].exact_without += other.removed[p].exact_without;
  }
  for (std::size_t rule = 0; rule < exits.size(); ++rule) exits[rule].add(other.exits[rule]);
  append(failures, other.failures, most);
  append(successes, other.successes, most);
}

namespace {

Analysis analyze_rows(const Session& session, bool targets_known) {
  const auto& config = session.config;
  const auto& shape = session.model->shape();
  const auto rows = test_rows(session, config.eval, config.analyze.one_completion);
  const DecodeSettings settings{config.method.feedback, loss_of(config.method), config.eval.batch, nullptr, 1.0};
  Analysis empty(grid_of(config.analyze), config.method.num_supervision, passes_per_step(shape),
                 exit_rules(config.method.num_supervision, shape.halting));
  empty.has_targets = targets_known && !session.targets->generator().asks_network();
  auto all = empty;
  Progress progress({.what = "analyze", .unit = "rows", .total = rows->size()});
  for (std::int64_t first = 0; first < rows->size(); first += settings.batch) {
    const auto batch = rows->read(first, std::min(settings.batch, rows->size() - first));
    std::map<std::int64_t, Analysis> parts;  // in the order of the rows, whichever thread was first
    std::mutex mutex;
    for_pieces(std::ssize(batch.ids), settings.batch, nullptr, session.compute.device,
               [&](std::int64_t piece_first, std::int64_t count) {
                 auto found = Piece(session, settings, {*rows, batch, first, piece_first, count}, empty).run();
                 const std::lock_guard lock(mutex);
                 parts.emplace(piece_first, std::move(found));
               });
    for (const auto& [piece_first, part] : parts) all.add(part, most_examples(session));
    progress.update(first + std::ssize(batch.ids), "");
    if (stop_requested()) throw Stopped{stop_signal()};
  }
  progress.finish();
  if (all.rows == 0) throw UserError("none of the " + std::to_string(rows->size()) + " rows has a known answer");
  choose_examples(all, most_examples(session));
  if (config.eval.rollouts > 1) all.siblings = analyze_siblings(session);
  return all;
}

}  // namespace

Analysis analyze(const Session& session, bool targets_known) {
  const auto batch = session.config.eval.batch;
  return with_memory_advice("analysing " + std::to_string(batch) + " rows at once", try_half("eval.batch", batch),
                            [&] { return analyze_rows(session, targets_known); });
}

}  // namespace dis
