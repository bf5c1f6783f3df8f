#include "sections.h"

#include <cmath>
#include <cstdlib>

#include "dis/config/fields.h"
#include "dis/core/progress.h"

namespace dis {
namespace {

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : json_text(value); }

/// The field's value in the run.
std::string value_in(const Field& field, const RunData& run) { return text_of(field.get(run.config)); }

/// The one number that stands for an evaluation, and what it is called.
struct MainScore {
  std::string name;
  Json rate;
};

MainScore main_score(const Json& json) {
  if (json.contains("test_sets") && !json.at("test_sets").empty()) {
    const auto& set = json.at("test_sets").front();
    for (const char* decoder : {"argmax", "commit"}) {
      if (set.contains(decoder)) return {std::string("valid, ") + decoder, set.at(decoder).at("valid")};
    }
  }
  if (json.contains("arc") && json.at("arc").contains("pass_at") && json.at("arc").at("pass_at").contains("2")) {
    const auto& solved = json.at("arc").at("pass_at").at("2");
    if (solved.is_object()) return {"pass@2", solved.at("arc_prize")};
  }
  if (json.contains("examples")) {
    const auto& score = json.at("examples");  // the first measure is the main one
    const auto name = score.empty() ? "exact" : score.begin().key();
    return {name, score.at(name)};
  }
  return {};
}

PlotSeries series_of(const std::string& name, const std::vector<double>& x, const std::vector<double>& y, int colour) {
  PlotSeries series{name, {}, colour};
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) series.points.emplace_back(x[i], y[i]);
  return series;
}

using Curve = std::vector<double> TrainingCurves::*;

/// One curve of every run, on shared axes.
LinePlot shared_plot(const Runs& runs, const std::string& title, Curve curve) {
  LinePlot plot{title, "updates", {}};
  for (std::size_t r = 0; r < runs.size(); ++r) {
    plot.series.push_back(
        series_of(series_name(runs, r, title), runs[r].curves.updates, runs[r].curves.*curve, static_cast<int>(r)));
  }
  return plot;
}

/// What the runs' last pieces took.
HtmlTable speed_table(const Runs& runs) {
  HtmlTable table{"speed",
                  "Speed and memory at the end; shares are of the peak that dis train --dry-run assumes",
                  {"run", "samples per second", "TFLOP/s", "share of the peak", "peak memory, MB"},
                  {}};
  const auto last = [](const std::vector<double>& values) { return values.empty() ? std::nan("") : values.back(); };
  for (const auto& run : runs) {
    const auto& curves = run.curves;
    table.rows.push_back({run.name, last(curves.samples_per_s), last(curves.tflops_per_s), last(curves.peak_share),
                          last(curves.peak_memory_mb)});
  }
  return table;
}

/// A curve per supervision step of one run.
std::string per_step_figure(const RunData& run, const std::string& what, const std::string& id,
                            const std::vector<std::vector<double>>& per_step) {
  LinePlot plot{what + " after each supervision step: " + run.name, "updates", {}};
  for (const auto s : shown_steps(per_step.size())) {
    plot.series.push_back(series_of("step " + std::to_string(s + 1), run.curves.updates, per_step[s],
                                    static_cast<int>(plot.series.size())));
  }
  return figure(plot, id);
}

}  // namespace

std::vector<std::size_t> shown_steps(std::size_t N, std::size_t first) {
  std::vector<std::size_t> steps;
  const std::size_t stride = N <= kSeriesColours ? 1 : (N + kSeriesColours - 2) / (kSeriesColours - 1);
  for (std::size_t s = first; s < N; ++s) {
    if ((s - first) % stride == 0 || s + 1 == N) steps.push_back(s);
  }
  return steps;
}

std::string series_name(const Runs& runs, std::size_t run, const std::string& what) {
  return runs.size() > 1 ? runs[run].name : what;
}

HtmlSection overview_section(const Runs& runs) {
  HtmlTable table{"overview",
                  "The runs",
                  {"run", "method", "updates", "of", "samples", "training time", "loss", "exact (training)",
                   "evaluated at", "score [95 %]", "which"},
                  {}};
  for (const auto& run : runs) {
    const auto score = run.evaluations.empty() ? MainScore{} : main_score(run.evaluations.back());
    const auto last = [](const std::vector<double>& values) { return values.empty() ? std::nan("") : values.back(); };
    table.rows.push_back({run.name, to_string(run.config.method.algorithm), run.updates, run.config.train.steps,
                          run.samples, format_duration(run.seconds), last(run.curves.loss), last(run.curves.exact),
                          run.evaluations.empty() ? "not evaluated" : text_of(run.evaluations.back().at("checkpoint")),
                          HtmlCell::rate(score.rate), score.name});
  }
  std::string names;
  for (const auto& run : runs) {
    if (!run.config.run.name.empty()) names += paragraph(run.name + ": " + run.config.run.name);
  }
  return {"runs", "Runs", names + to_html(table)};
}

HtmlSection configuration_section(const Runs& runs) {
  const RunConfig defaults;
  HtmlTable differing{"differences", "Settings that are not the defaults", {"field", "default"}, {}};
  HtmlTable among{"among-runs", "Settings in which the runs differ", {"field"}, {}};
  HtmlTable every{"configuration", "Every setting", {"field"}, {}};
  for (const auto& run : runs) {
    for (auto* table : {&differing, &among, &every}) table->head.push_back(run.name);
  }
  for (const auto& section : sections()) {
    for (const auto& field : section.fields) {
      const auto usual = text_of(field.get(defaults));
      std::vector<HtmlCell> values;
      bool differs = false, varies = false;
      for (const auto& run : runs) {
        const auto value = value_in(field, run);
        differs = differs || value != usual;
        varies = varies || value != value_in(field, runs.front());
        values.emplace_back(value);
      }
      const auto row = [&](std::vector<HtmlCell> first) {
        first.insert(first.end(), values.begin(), values.end());
        return first;
      };
      if (differs) differing.rows.push_back(row({field.path, usual}));
      if (varies) among.rows.push_back(row({field.path}));
      every.rows.push_back(row({field.path}));
    }
  }
  std::string content;
  if (runs.size() > 1) content += to_html(among);
  content += runs.size() > 1 ? details("Differences from the defaults", to_html(differing, false)) : to_html(differing);
  return {"configuration", "Configuration", content + details("The complete configuration", to_html(every, false))};
}

HtmlSection training_section(const Runs& runs) {
  std::string content;
  auto loss = shared_plot(runs, "Loss", &TrainingCurves::loss);
  loss.lowest = loss.highest = 0.0;
  auto exact = shared_plot(runs, "Exact answers among training samples", &TrainingCurves::exact);
  exact.lowest = 0.0;
  exact.highest = 0.1;
  content += "<div class=\"figures\">\n" + figure(loss, "curve-loss") + figure(exact, "curve-exact");
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const auto& run = runs[r];
    content +=
        per_step_figure(run, "Exact answers", "curve-exact-steps-" + std::to_string(r), run.curves.exact_per_step);
    content += per_step_figure(run, "Loss", "curve-loss-steps-" + std::to_string(r), run.curves.loss_per_step);
  }
  auto rate = shared_plot(runs, "Learning rate", &TrainingCurves::lr);
  rate.lowest = rate.highest = 0.0;
  content += figure(rate, "curve-lr");
  auto speed = shared_plot(runs, "Samples per second", &TrainingCurves::samples_per_s);
  speed.lowest = speed.highest = 0.0;
  content += figure(speed, "curve-speed");
  LinePlot scores{"Score of the evaluations", "updates", {}};
  scores.lowest = 0.0;
  bool several = false;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    PlotSeries series{series_name(runs, r, "score"), {}, static_cast<int>(r)};
    for (const auto& evaluation : runs[r].evaluations) {
      const auto score = main_score(evaluation);
      const auto update = evaluation.at("checkpoint").get<std::string>();
      if (score.rate.is_object()) series.points.emplace_back(std::atof(update.c_str()), score.rate.at("value"));
    }
    several = several || series.points.size() > 1;
    scores.series.push_back(std::move(series));
  }
  if (several) content += figure(scores, "curve-score");
  content += "</div>\n" + to_html(speed_table(runs));
  return {"training", "Training", content};
}

}  // namespace dis
