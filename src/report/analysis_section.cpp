// What `dis analyze` found: margins, L(w), changes, dead compute.
#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "sections.h"

namespace dis {
namespace {

/// Runs that were analysed, with their places among all.
std::vector<std::size_t> analysed(const Runs& runs) {
  std::vector<std::size_t> list;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (runs[r].analysis) list.push_back(r);
  }
  return list;
}

std::size_t plain_index(const Json& analysis) {
  const auto& grid = analysis.at("guidance");
  for (std::size_t w = 0; w < grid.size(); ++w) {
    if (grid[w].get<double>() == 1.0) return w;
  }
  return 0;
}

double at_plain(const Json& analysis, const Json& step, const char* cells, const char* what) {
  const auto& curve = step.at(cells).at(what);
  return curve.empty() ? std::nan("") : curve.at(plain_index(analysis)).get<double>();
}

/// A number of each supervision step, of every analysed run.
template <class F>
LinePlot step_plot(const Runs& runs, const std::string& title, F value, std::int64_t from = 1) {
  LinePlot plot{title, "supervision step", {}};
  for (const auto r : analysed(runs)) {
    PlotSeries series{series_name(runs, r, runs[r].name), {}, static_cast<int>(r)};
    for (const auto& step : runs[r].analysis->at("steps")) {
      const auto s = step.at("step").get<std::int64_t>();
      if (s >= from) series.points.emplace_back(s, value(*runs[r].analysis, step));
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

LinePlot distance_plot(const Runs& runs) {
  auto plot = step_plot(runs, "Distance to the answer (share of labelled cells) beside the targets'",
                        [](const Json&, const Json& step) { return step.at("distance").get<double>(); });
  for (const auto r : analysed(runs)) {
    PlotSeries series{(runs.size() > 1 ? runs[r].name + ", " : "") + "targets", {}, static_cast<int>(r), true};
    for (const auto& step : runs[r].analysis->at("steps")) {
      if (step.at("target_distance").is_null()) continue;
      series.points.emplace_back(step.at("step").get<double>(), step.at("target_distance").get<double>());
    }
    plot.series.push_back(std::move(series));
  }
  plot.lowest = 0.0;
  return plot;
}

/// Curves of a run over w, one for some of the supervision steps, the `first` and those after it.
template <class F>
LinePlot guidance_plot(const RunData& run, const std::string& title, F value, std::size_t first) {
  LinePlot plot{title + ": " + run.name, "guidance w", {}};
  const auto& steps = run.analysis->at("steps");
  const auto& grid = run.analysis->at("guidance");
  for (const auto s : shown_steps(steps.size(), first)) {
    PlotSeries series{"step " + std::to_string(s + 1), {}, static_cast<int>(plot.series.size())};
    for (std::size_t w = 0; w < grid.size(); ++w) {
      const auto y = value(steps[s], w);
      if (y) series.points.emplace_back(grid[w].template get<double>(), *y);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

std::optional<double> entry(const Json& list, std::size_t w) {
  return w < list.size() ? std::optional(list[w].get<double>()) : std::nullopt;
}

/// Passes of each step that were left out, [N + 1], by the number of the step.
struct Removals {
  std::vector<std::int64_t> trials, changed;
  explicit Removals(const Json& analysis) : trials(analysis.at("steps").size() + 1), changed(trials.size()) {
    for (const auto& pass : analysis.at("passes")) {
      const auto s = pass.at("step").get<std::size_t>();
      trials.at(s) += pass.at("removed").at("trials").get<std::int64_t>();
      changed.at(s) += pass.at("removed").at("changed").get<std::int64_t>();
    }
  }
};

/// ">= 3" where L still falls at the end of the grid.
HtmlCell best_cell(const Json& best) {
  HtmlCell cell(best.at("w").get<double>());
  if (best.at("at_end_of_grid").get<bool>()) cell.text = (best.at("w").get<double>() > 0.0 ? ">= " : "<= ") + cell.text;
  return cell;
}

HtmlCell removed_text(const Removals& removals, std::size_t s) {
  if (removals.trials[s] == 0) return {"not tried"};
  const auto kept = removals.trials[s] - removals.changed[s];
  HtmlCell cell(std::to_string(kept) + " of " + std::to_string(removals.trials[s]));
  cell.value = std::to_string(kept);
  return cell;
}

HtmlTable step_table(const RunData& run, const std::string& id) {
  const auto& analysis = *run.analysis;
  HtmlTable table{
      id,
      run.name + ": every supervision step; margins at w = 1, in nats",
      {"step", "margin", "cells with a positive one", "margin where it was wrong", "cells with a positive one",
       "rows with a positive margin [95 %]", "L(0)", "L(1)", "best w", "L there", "wrong to right", "right to wrong",
       "exact rows [95 %]", "passes left out without effect"},
      {}};
  const Removals removals(analysis);
  for (const auto& step : analysis.at("steps")) {
    const auto& all = step.at("all");
    const bool has = all.contains("best");
    table.rows.push_back(
        {step.at("step").get<std::int64_t>(), at_plain(analysis, step, "all", "margin"),
         at_plain(analysis, step, "all", "positive"), at_plain(analysis, step, "wrong_before", "margin"),
         at_plain(analysis, step, "wrong_before", "positive"), HtmlCell::rate(step.at("rows_with_positive_margin")),
         has ? HtmlCell(all.at("loss").front().get<double>()) : HtmlCell(""), at_plain(analysis, step, "all", "loss"),
         has ? best_cell(all.at("best")) : HtmlCell(""),
         has ? HtmlCell(all.at("best").at("loss").get<double>()) : HtmlCell(""),
         step.at("wrong_to_right").get<std::int64_t>(), step.at("right_to_wrong").get<std::int64_t>(),
         HtmlCell::rate(step.at("exact")), removed_text(removals, step.at("step").get<std::size_t>())});
  }
  return table;
}

/// Exact rows against passes, of one rule.
PlotSeries exit_series(const RunData& run, const std::string& rule, const std::string& name, int colour) {
  PlotSeries series{name, {}, colour};
  for (const auto& point : run.analysis->at("dead_compute").at("exits")) {
    if (point.at("rule") != rule) continue;
    series.points.emplace_back(point.at("passes").get<double>(), point.at("exact").at("value").get<double>());
  }
  std::ranges::sort(series.points);
  return series;
}

LinePlot exit_plot(const RunData& run) {
  LinePlot plot{"Exact rows against passes spent, early exits: " + run.name, "passes per row", {}};
  for (const auto& [rule, name] : {std::pair{"steps", "fixed depth"},
                                   {"agreement", "agreement"},
                                   {"halting", "halting head"},
                                   {"margin", "margin"},
                                   {"last change", "last change (oracle)"}}) {
    auto series = exit_series(run, rule, name, static_cast<int>(plot.series.size()));
    series.dots = series.points.size() == 1;
    if (!series.points.empty()) plot.series.push_back(std::move(series));
  }
  return plot;
}

/// All runs, each stopped after the same number of steps for every row.
LinePlot depth_plot(const Runs& runs) {
  LinePlot plot{"Exact rows against passes spent, fixed depth", "passes per row", {}};
  for (const auto r : analysed(runs)) {
    plot.series.push_back(exit_series(runs[r], "steps", series_name(runs, r, runs[r].name), static_cast<int>(r)));
  }
  plot.lowest = 0.0;
  return plot;
}

HtmlTable exit_table(const RunData& run, const std::string& id) {
  HtmlTable table{id,
                  run.name + ": early exits",
                  {"rule", "threshold", "passes per row", "exact [95 %]", "solved as after the last step"},
                  {}};
  for (const auto& point : run.analysis->at("dead_compute").at("exits")) {
    const auto rule = point.at("rule").get<std::string>();
    const bool has_threshold = rule != "agreement" && rule != "last change";
    table.rows.push_back({rule, has_threshold ? HtmlCell(point.at("threshold").get<double>()) : HtmlCell(""),
                          point.at("passes").get<double>(), HtmlCell::rate(point.at("exact")),
                          point.at("solved_as_last").get<double>()});
  }
  return table;
}

HtmlTable dead_table(const Runs& runs) {
  HtmlTable table{"dead-compute",
                  "Dead compute",
                  {"run", "steps after the last change of the answer", "single passes that can be left out [95 %]"},
                  {}};
  for (const auto r : analysed(runs)) {
    const auto& dead = runs[r].analysis->at("dead_compute");
    const auto& removed = dead.at("removals_without_effect");
    table.rows.push_back(
        {runs[r].name, dead.at("steps_after_last_change").get<double>(),
         removed.at("total").get<std::int64_t>() > 0 ? HtmlCell::rate(removed) : HtmlCell("not tried")});
  }
  return table;
}

/// Margin of every latent pass of every run, in the order in which they are made.
LinePlot latent_plot(const Runs& runs) {
  LinePlot plot{"Advantage margin of each latent pass, from step 2 on (a sample of the rows)", "latent pass", {}};
  plot.zero_line = true;
  for (const auto r : analysed(runs)) {
    PlotSeries series{series_name(runs, r, runs[r].name), {}, static_cast<int>(r)};
    std::int64_t number = 0;
    for (const auto& pass : runs[r].analysis->at("passes")) {
      if (!pass.contains("margin")) continue;
      ++number;
      if (pass.at("step").get<std::int64_t>() > 1) series.points.emplace_back(number, pass.at("margin").get<double>());
    }
    if (!series.points.empty()) plot.series.push_back(std::move(series));
  }
  return plot;
}

LinePlot removal_plot(const Runs& runs) {
  LinePlot plot{
      "Rows whose answer changes when passes of this step are left out, one at a time", "supervision step", {}};
  plot.lowest = 0.0;
  plot.highest = 0.1;
  for (const auto r : analysed(runs)) {
    PlotSeries series{series_name(runs, r, runs[r].name), {}, static_cast<int>(r)};
    const Removals removals(*runs[r].analysis);
    for (std::size_t s = 1; s < removals.trials.size(); ++s) {
      const auto trials = static_cast<double>(removals.trials[s]);
      if (trials > 0.0) series.points.emplace_back(s, static_cast<double>(removals.changed[s]) / trials);
    }
    if (!series.points.empty()) plot.series.push_back(std::move(series));
  }
  return plot;
}

/// What the step takes from the loss per cell, L(0) - L(1): the margin's mean from w = 0 to 1.
double gain(const Json& analysis, const Json& step, const char* cells) {
  const auto& loss = step.at(cells).at("loss");
  return loss.empty() ? std::nan("") : loss.front().get<double>() - at_plain(analysis, step, cells, "loss");
}

std::string margin_figures(const Runs& runs) {
  std::string html;
  const bool several = std::ranges::any_of(
      runs, [](const RunData& run) { return run.analysis && run.analysis->at("steps").size() > 1; });
  if (!several) return html;  // step 1 alone says nothing about improvement
  for (const auto& [cells, id, which] :
       {std::tuple{"all", "", "all labelled cells"}, {"wrong_before", "-wrong", "cells that were wrong before"}}) {
    auto taken = step_plot(
        runs, std::string("Loss that the step takes away, ") + which,
        [&](const Json& analysis, const Json& step) { return gain(analysis, step, cells); }, 2);
    auto margin = step_plot(
        runs, std::string("Advantage margin at w = 1, ") + which,
        [&](const Json& analysis, const Json& step) { return at_plain(analysis, step, cells, "margin"); }, 2);
    for (auto* plot : {&taken, &margin}) {
      plot->zero_line = true;
      plot->lowest = plot->highest = 0.0;
    }
    html += figure(taken, std::string("gain") + id) + figure(margin, std::string("margin") + id);
  }
  auto positive = step_plot(
      runs, "Share of cells with a positive margin at w = 1, cells that were wrong before",
      [](const Json& analysis, const Json& step) { return at_plain(analysis, step, "wrong_before", "positive"); }, 2);
  positive.lowest = 0.0;
  positive.highest = 1.0;
  return html + figure(positive, "positive-wrong");
}

std::string guidance_figures(const RunData& run, const std::string& number) {
  auto loss = guidance_plot(
      run, "L(w), all labelled cells, from step 2 on",
      [](const Json& step, std::size_t w) { return entry(step.at("all").at("loss"), w); }, 1);
  auto rows = guidance_plot(
      run, "Exact rows when decoding with guidance w",
      [](const Json& step, std::size_t w) -> std::optional<double> {
        return step.at("exact_by_guidance").at(w).at("value").get<double>();
      },
      0);
  rows.lowest = 0.0;
  std::string html;
  if (run.analysis->at("steps").size() > 1) html += figure(loss, "loss-w-" + number);
  return html + figure(rows, "exact-w-" + number) + figure(exit_plot(run), "exit-plot-" + number);
}

}  // namespace

HtmlSection analysis_section(const Runs& runs) {
  std::string content;
  for (const auto& run : runs) {
    if (!run.analysis) content += paragraph(run.name + " was not analysed yet: dis analyze --run " + run.path);
  }
  if (analysed(runs).empty()) return {"analysis", "Inside", content};
  for (const auto r : analysed(runs)) {
    const auto& analysis = *runs[r].analysis;
    content += paragraph(runs[r].name + ": after " + analysis.at("checkpoint").get<std::string>() + " updates, " +
                         std::to_string(analysis.at("rows").get<std::int64_t>()) + " rows.");
    if (analysis.contains("warning")) content += warning(analysis.at("warning").get<std::string>());
  }
  content += paragraph(
      "A supervision step turns the policy before it into the policy after it. Its advantage margin is how much "
      "more it raises the log-probability of the right token than that of the tokens that the policy would choose. "
      "L(w) is the loss when the step is taken w times as far, and the margin its downward slope: from w = 0 to 1 "
      "it adds up to what the step takes from the loss; at w = 1, the plain answer, it says whether a longer step "
      "would take more (positive) or the step went too far (negative). Step 1 is compared with the readout of a "
      "constant and left out of these plots.");
  auto exact = step_plot(runs, "Exact rows after each step",
                         [](const Json&, const Json& step) { return step.at("exact").at("value").get<double>(); });
  exact.lowest = 0.0;
  exact.highest = 0.1;
  content += "<div class=\"figures\">\n" + margin_figures(runs) + figure(distance_plot(runs), "distance") +
             figure(exact, "exact-steps");
  for (const auto r : analysed(runs)) content += guidance_figures(runs[r], std::to_string(r));
  content += figure(depth_plot(runs), "depth");
  if (const auto latent = latent_plot(runs); !latent.series.empty()) content += figure(latent, "latent");
  if (const auto removed = removal_plot(runs); !removed.series.empty()) content += figure(removed, "removals");
  content += "</div>\n" + to_html(dead_table(runs));
  for (const auto r : analysed(runs)) {
    content += to_html(step_table(runs[r], "steps-" + std::to_string(r)));
    content +=
        details("Early exits: " + runs[r].name, to_html(exit_table(runs[r], "exits-" + std::to_string(r)), false));
  }
  return {"analysis", "Inside", content};
}

}  // namespace dis
