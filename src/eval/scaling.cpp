#include "dis/eval/scaling.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "dis/core/error.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/arc/arc_data.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/rows/rollout_tally.h"
#include "dis/eval/rows/test_rows.h"
#include "dis/eval/votes/arc_score.h"
#include "dis/eval/votes/arc_voting.h"
#include "kind_evaluation.h"

namespace dis {
namespace {

/// "K=1,2,4" without its head.
std::vector<std::int64_t> numbers_of(const std::string& text) {
  std::set<std::int64_t> numbers;
  std::istringstream list(text.substr(2));
  std::string item;
  while (std::getline(list, item, ',')) {
    const bool digits = !item.empty() && item.size() <= 6 && item.find_first_not_of("0123456789") == std::string::npos;
    const auto number = digits ? std::stoll(item) : 0;
    if (number < 1) {
      throw UserError("--scaling: expected whole numbers from 1 on with commas between, as in " + text.substr(0, 1) +
                      "=1,2,4, found " + text);
    }
    numbers.insert(number);
  }
  if (numbers.empty())
    throw UserError("--scaling: expected numbers after " + text + ", as in " + text.substr(0, 1) + "=1,2,4");
  return {numbers.begin(), numbers.end()};
}

/// Votes of ARC's puzzles, a book for every point and selector.
class ScalingVotes {
 public:
  ScalingVotes(const Session& session, const EvalConfig& eval)
      : data_(dynamic_cast<const ArcData*>(session.data.get())),
        seed_(static_cast<std::uint64_t>(session.config.run.seed)) {
    if (data_ != nullptr) election_ = plan_election(data_->puzzles(), eval.tasks, eval.votes, seed_);
  }

  /// An answer of row `row` to the book (point, selector).
  void add(std::size_t point, Select select, std::int64_t row, std::span<const std::int32_t> answer, float halting) {
    if (data_ == nullptr) return;
    const auto number = static_cast<std::size_t>(row);
    const std::vector<std::uint8_t> tokens(answer.begin(), answer.end());
    const std::vector<Augmentation> done{data_->puzzles().augmentation(election_.rows[number].puzzle)};
    const std::vector<double> probability{halting_probability(halting)};
    ballots_.read({.first = row,
                   .side = data_->puzzles().side(),
                   .tests = std::span(election_.tests).subspan(number, 1),
                   .augmentations = done,
                   .tokens = tokens,
                   .probabilities = probability},
                  1);
    books_.try_emplace({point, select}, election_.test_inputs).first->second.add(ballots_);
  }

  /// {selector: pass@2 by tasks}
  Json pass_at_2(std::size_t point, const std::vector<Select>& selectors) const {
    Json json = Json::object();
    for (const auto select : selectors) {
      const auto score =
          score_arc(election_.tasks, books_.at({point, select}), {.pass_at = {2}, .vote_counts = {}, .seed = seed_});
      json[to_string(select)] = rate_json(score.pass_at.front().tasks);
    }
    return json;
  }
  bool used() const { return data_ != nullptr; }

 private:
  const ArcData* data_;
  std::uint64_t seed_;
  ArcElection election_;
  Ballots ballots_;
  std::map<std::pair<std::size_t, Select>, VoteBook> books_;
};

/// Tallies of all points, as rows come.
class ScalingRun {
 public:
  ScalingRun(const Session& session, const EvalConfig& eval, const ScalingGrid& grid)
      : session_(session), grid_(grid), halting_(session.model->shape().halting), votes_(session, eval) {
    const auto selectors = selectors_for(halting_, true, rules_known(session));
    for (std::size_t d = 0; d < grid.steps.size(); ++d) {
      for (const auto k : grid.rollouts) tallies_.emplace_back(k, selectors, halting_);
    }
  }

  /// Row `i` of a batch that begins with row `first`: its rollouts after every depth.
  void add(const RowBatch& rows, std::size_t i, std::int64_t first, const std::vector<Rollouts>& found) {
    const auto length = rows.inputs.size() / rows.ids.size();
    const auto input = std::span(rows.inputs).subspan(i * length, length);
    const auto label = std::span(rows.labels).subspan(i * length, length);
    for (std::size_t d = 0; d < found.size(); ++d) {
      const auto row = static_cast<std::int64_t>(i);
      const auto all = view_of(found[d], row, found[d].rollouts, label, length);
      const auto [right, obeys] = judge_rollouts(*session_.data, input, label, all.answers);
      for (std::size_t j = 0; j < grid_.rollouts.size(); ++j) {
        const auto k = grid_.rollouts[j];
        const auto point = d * grid_.rollouts.size() + j;
        auto view = view_of(found[d], row, k, label, length);
        if (!obeys.empty()) view.obeys.assign(obeys.begin(), obeys.begin() + k);
        tallies_[point].add(view, {right.begin(), right.begin() + k});
        add_votes(point, first + row, view);
      }
    }
  }

  const RolloutTally& largest() const { return tallies_.back(); }

  /// ARC's votes count only where `all_rows` have come.
  Json points(bool all_rows) const {
    Json points = Json::array();
    const auto passes = std::ssize(passes_of_step(session_.model->shape()));
    for (std::size_t point = 0; point < tallies_.size(); ++point) {
      const auto k = grid_.rollouts[point % grid_.rollouts.size()], d = grid_.steps[point / grid_.rollouts.size()];
      Json json = {{"rollouts", k}, {"steps", d}, {"passes_per_row", k * d * passes}};
      json.update(tallies_[point].json());
      if (votes_.used() && all_rows) json["pass_at_2"] = votes_.pass_at_2(point, tallies_[point].selectors());
      points.push_back(std::move(json));
    }
    return points;
  }

 private:
  void add_votes(std::size_t point, std::int64_t row, const RolloutView& view) {
    if (!votes_.used()) return;
    for (const auto select : tallies_[point].selectors()) {
      const auto chosen = chosen_rollout(view, select, halting_);
      votes_.add(point, select, row, view.answer(chosen), view.halting[static_cast<std::size_t>(chosen)]);
    }
  }

  const Session& session_;
  const ScalingGrid& grid_;
  bool halting_;
  ScalingVotes votes_;
  std::vector<RolloutTally> tallies_;  // [D, K]
};

}  // namespace

ScalingGrid scaling_grid(const std::vector<std::string>& texts, const RunConfig& config) {
  ScalingGrid grid;
  for (const auto& text : texts) {
    auto* list = text.starts_with("K=") ? &grid.rollouts : text.starts_with("D=") ? &grid.steps : nullptr;
    if (list == nullptr || !list->empty()) {
      throw UserError(
          "--scaling: expected K=1,2,4 (rollouts) and D=8,16 (supervision steps), each at most once, found " + text);
    }
    *list = numbers_of(text);
  }
  if (grid.rollouts.empty()) {
    for (std::int64_t k = 1; k < config.eval.rollouts; k *= 2) grid.rollouts.push_back(k);
    grid.rollouts.push_back(config.eval.rollouts);
  }
  if (grid.steps.empty()) {
    grid.steps.push_back(config.eval.steps > 0 ? config.eval.steps : config.method.num_supervision);
  }
  return grid;
}

RunConfig scaling_config(RunConfig config, const ScalingGrid& grid) {
  config.eval.rollouts = grid.rollouts.back();
  config.eval.steps = grid.steps.back();
  check_config(config, "--scaling");
  return config;
}

Json scaling(const Session& session, const EvalConfig& eval, const ScalingGrid& grid) {
  const auto rows = test_rows(session, eval);
  const auto settings = decode_settings(session, eval);
  ScalingRun run(session, eval, grid);
  const auto start = std::chrono::steady_clock::now();
  std::int64_t done = 0;
  Progress progress({.what = "scaling", .unit = rows->unit() + "s", .total = rows->size()});
  for (std::int64_t first = 0; first < rows->size(); first += eval.batch) {
    const auto batch = rows->read(first, std::min(eval.batch, rows->size() - first));
    const auto found =
        answer_rollouts(*session.model, settings, {batch.inputs, batch.ids, first}, grid.rollouts.back(), grid.steps);
    for (std::size_t i = 0; i < batch.ids.size(); ++i) run.add(batch, i, first, found);
    char text[32];
    std::snprintf(text, sizeof text, "any %.3f", run.largest().pass_at(run.largest().rollouts()));
    done = first + std::ssize(batch.ids);
    progress.update(done, text);
    if (done < rows->size() && session.ranks->any(stop_requested())) break;
  }
  progress.finish();
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {{"measure", session.data->measures().front().title},
          {"rows", done},
          {"of", rows->size()},
          {"seconds", seconds},
          {"points", run.points(done == rows->size())}};
}

std::string scaling_text(const Json& scaling) {
  std::string text = scaling.at("measure").get<std::string>() + ", " + scaling.at("rows").dump() + " rows";
  if (scaling.at("rows") != scaling.at("of")) text += " of " + scaling.at("of").dump() + ": interrupted";
  text += "\n";
  char cell[80];
  std::snprintf(cell, sizeof cell, "%8s %8s %12s %9s %8s %8s", "rollouts", "steps", "passes/row", "seconds", "mean",
                "any");
  text += cell;
  const auto& points = scaling.at("points");
  const bool votes = points.front().contains("pass_at_2");
  for (const auto& [name, rate] : points.front().at("selectors").items()) {
    std::snprintf(cell, sizeof cell, " %14s", name.c_str());
    text += cell;
  }
  const auto per_pass =
      scaling.at("seconds").get<double>() / static_cast<double>(points.back().at("passes_per_row").get<std::int64_t>());
  for (const auto& point : points) {
    const auto passes = point.at("passes_per_row").get<long long>();
    std::snprintf(cell, sizeof cell, "\n%8lld %8lld %12lld %9.1f %8.3f %8.3f", point.at("rollouts").get<long long>(),
                  point.at("steps").get<long long>(), passes, per_pass * static_cast<double>(passes),
                  point.at("mean").get<double>(),
                  point.at("pass_at").at(point.at("rollouts").dump()).at("value").get<double>());
    text += cell;
    for (const auto& [name, rate] : point.at("selectors").items()) {
      std::snprintf(cell, sizeof cell, " %14.3f", rate.at("value").get<double>());
      text += cell;
    }
    if (!votes) continue;
    text += "\n   pass@2 of the tasks after the vote                     ";
    for (const auto& [name, rate] : point.at("pass_at_2").items()) {
      std::snprintf(cell, sizeof cell, " %14.3f", rate.at("value").get<double>());
      text += cell;
    }
  }
  return text + "\n";
}

}  // namespace dis
