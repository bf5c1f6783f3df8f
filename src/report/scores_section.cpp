// Score tables with intervals, and of ARC the score against the number of votes.
#include <algorithm>

#include "dis/report/scaling_figure.h"
#include "sections.h"

namespace dis {
namespace {

/// `result`: "0" for the first run's scores, "0-v1" for its second variant.
std::string id_of(const char* what, const std::string& result) { return std::string(what) + "-" + result; }

void add_board_rows(HtmlTable& table, const std::string& name, const Json& score) {
  table.rows.push_back({name, score.at("boards").get<std::int64_t>(), HtmlCell::rate(score.at("valid")),
                        HtmlCell::rate(score.at("exact"))});
}

std::string boards(const RunData& run, const std::string& r, const Json& sets) {
  std::string html;
  std::size_t number = 0;
  for (const auto& [set, entry] : sets.items()) {
    for (const char* decoder : {"argmax", "commit"}) {
      if (!entry.contains(decoder)) continue;
      const auto& score = entry.at(decoder);
      HtmlTable table{
          id_of("boards", r) + "-" + std::to_string(number++),
          run.name + ": test set " + set + " (" + entry.at("meaning").get<std::string>() + "), decoder " + decoder,
          {"boards", "number", "valid [95 %]", "exact [95 %]"},
          {}};
      add_board_rows(table, "all", score);
      for (const auto& [kind, title] : {std::pair{"one", "one completion"},
                                        {"two_or_three", "two or three completions"},
                                        {"more", "more completions"}}) {
        const auto& classes = score.at("by_completions");
        if (classes.contains(kind)) add_board_rows(table, title, classes.at(kind));
      }
      for (const auto& [givens, rates] : score.at("by_givens").items()) {
        add_board_rows(table, givens + (givens == "1" ? " given" : " givens"), rates);
      }
      if (score.contains("unseen")) add_board_rows(table, "unseen", score.at("unseen"));
      html += to_html(table);
      if (!score.contains("per_supervision_step")) continue;
      HtmlTable steps{
          table.id + "-steps", "The same after each supervision step", {"step", "valid [95 %]", "exact [95 %]"}, {}};
      std::int64_t s = 0;
      for (const auto& rates : score.at("per_supervision_step")) {
        steps.rows.push_back({++s, HtmlCell::rate(rates.at("valid")), HtmlCell::rate(rates.at("exact"))});
      }
      html += to_html(steps);
    }
  }
  return html;
}

/// A grid of rollouts and steps.
std::string scaling(const RunData& run, const std::string& r, const Json& found) {
  const auto measure = found.at("measure").get<std::string>();
  HtmlTable table{
      id_of("scaling", r),
      run.name + ": " + measure + " by rollouts and supervision steps, " +
          std::to_string(found.at("rows").get<std::int64_t>()) + " rows" +
          (found.value("of", found.at("rows")) == found.at("rows") ? ""
                                                                   : " of " + found.at("of").dump() + " (interrupted)"),
      {"rollouts", "steps", "passes per row", "mean of single ones", "any"},
      {}};
  for (const auto& [name, rate] : found.at("points").front().at("selectors").items()) {
    table.head.push_back("by " + name + " [95 %]");
  }
  for (const auto& point : found.at("points")) {
    std::vector<HtmlCell> row{point.at("rollouts").get<std::int64_t>(), point.at("steps").get<std::int64_t>(),
                              point.at("passes_per_row").get<std::int64_t>(), point.at("mean").get<double>(),
                              point.at("pass_at").at(point.at("rollouts").dump()).at("value").get<double>()};
    for (const auto& [name, rate] : point.at("selectors").items()) row.push_back(HtmlCell::rate(rate));
    table.rows.push_back(std::move(row));
  }
  std::string figures;
  for (const auto& [plot, name] : {std::pair{scaling_by_rollouts(found, measure + " with more rollouts"), "breadth"},
                                   {scaling_by_steps(found, measure + " with more steps"), "depth"}}) {
    if (!plot.series.empty()) figures += figure(plot, id_of(name, r));
  }
  return "<div class=\"figures\">" + figures + "</div>\n" + to_html(table);
}

/// Whatever a data set measures: a share with its interval, a number, or an amount, {"mean", "total"}.
void add_measures(HtmlTable& table, HtmlCell first, const Json& score) {
  std::vector<std::string> heads = {table.head.front()};
  std::vector<HtmlCell> row = {std::move(first)};
  for (const auto& [key, value] : score.items()) {
    std::string name = key;
    std::ranges::replace(name, '_', ' ');
    const bool share = value.is_object() && value.contains("lower");
    heads.push_back(name + (share ? " [95 %]" : ""));
    row.push_back(share ? HtmlCell::rate(value)
                        : HtmlCell((value.is_object() ? value.at("mean") : value).get<double>()));
  }
  table.head = std::move(heads);
  table.rows.push_back(std::move(row));
}

std::string per_step(const Json& evaluation, const std::string& id, const std::string& caption) {
  if (!evaluation.contains("per_supervision_step")) return "";
  HtmlTable table{id, caption, {"step"}, {}};
  std::int64_t s = 0;
  for (const auto& score : evaluation.at("per_supervision_step")) add_measures(table, HtmlCell(++s), score);
  return to_html(table);
}

std::vector<HtmlCell> solved_row(const std::string& name, const Json& solved) {
  if (!solved.is_object()) return {name, "", "", ""};
  return {name, HtmlCell::rate(solved.at("arc_prize")), HtmlCell::rate(solved.at("task_mean")),
          HtmlCell::rate(solved.at("test_inputs"))};
}

std::string arc(const RunData& run, const std::string& r, const Json& evaluation) {
  const auto& score = evaluation.at("arc");
  HtmlTable table{
      id_of("arc", r),
      run.name + ": " + std::to_string(score.at("tasks").get<std::int64_t>()) + " tasks of " +
          score.at("test_set").get<std::string>() + ", " + std::to_string(score.at("predictions").get<std::int64_t>()) +
          " predictions",
      {"answer within", "tasks solved, ARC Prize's rule [95 %]", "mean share of a task [95 %]", "test inputs [95 %]"},
      {}};
  for (const auto& [k, solved] : score.at("pass_at").items()) table.rows.push_back(solved_row("pass@" + k, solved));
  table.rows.push_back(solved_row("among the candidates", score.at("oracle")));
  table.rows.push_back(solved_row("copying the input", score.at("copied_input")));
  if (score.contains("unseen")) {
    const auto& unseen = score.at("unseen");
    for (const auto& [k, solved] : unseen.at("pass_at").items()) {
      table.rows.push_back(solved_row("pass@" + k + ", unseen tasks", solved));
    }
  }
  return to_html(table) + per_step(evaluation, id_of("arc-steps", r), "The base puzzles alone, without votes");
}

/// pass@1 and pass@2 of every run against votes.
std::string votes(const Runs& runs) {
  LinePlot plot{"Tasks solved against votes per test input (ARC Prize's rule)", "votes per test input", {}};
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (runs[r].evaluations.empty() || !runs[r].evaluations.back().contains("arc")) continue;
    for (const char* k : {"1", "2"}) {
      PlotSeries series{
          (runs.size() > 1 ? runs[r].name + ", " : "") + "pass@" + k, {}, static_cast<int>(r), k[0] == '1'};
      for (const auto& point : runs[r].evaluations.back().at("arc").at("by_votes").at("points")) {
        if (!point.at("pass_at").contains(k)) continue;
        series.points.emplace_back(point.at("votes").get<double>(),
                                   point.at("pass_at").at(k).at("arc_prize").get<double>());
      }
      plot.series.push_back(std::move(series));
    }
  }
  if (plot.series.empty()) return "";
  plot.lowest = 0.0;
  plot.highest = 0.1;
  plot.log_x = true;
  return "<div class=\"figures\">" + figure(plot, "votes") + "</div>\n";
}

/// "guidance w = 1.5; eval.votes = 100": what is not the run's own.
std::string settings_text(const Json& evaluation) {
  std::string text;
  if (evaluation.contains("guidance")) text += "; guidance w = " + evaluation.at("guidance").dump();
  if (evaluation.contains("halting")) text += "; each row until the halting head ends it";
  if (!evaluation.contains("settings")) return text;
  for (const auto& [path, value] : evaluation.at("settings").items()) {
    if (path == "eval.guidance" || path == "eval.halting") continue;
    text += "; " + path + " = " + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

/// One evaluation: what it is of, and its tables.
std::string evaluation_text(const RunData& run, const std::string& result, const Json& evaluation) {
  auto content = paragraph("After " + evaluation.at("checkpoint").get<std::string>() + " updates; weights: " +
                           evaluation.at("weights").get<std::string>() + settings_text(evaluation));
  if (evaluation.contains("warning")) content += warning(evaluation.at("warning").get<std::string>());
  if (evaluation.contains("test_sets")) content += boards(run, result, evaluation.at("test_sets"));
  if (evaluation.contains("scaling")) content += scaling(run, result, evaluation.at("scaling"));
  if (evaluation.contains("arc")) content += arc(run, result, evaluation);
  if (!evaluation.contains("examples")) return content;
  HtmlTable table{id_of("examples-score", result), run.name + ": test examples", {"rows"}, {}};
  for (const auto& [key, name] : {std::pair{"examples", "all"}, {"unseen", "unseen"}}) {
    if (evaluation.contains(key)) add_measures(table, name, evaluation.at(key));
  }
  return content + to_html(table) +
         per_step(evaluation, id_of("examples-steps", result), "After each supervision step");
}

}  // namespace

HtmlSection scores_section(const Runs& runs) {
  std::string content;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const auto& run = runs[r];
    if (run.evaluations.empty()) content += paragraph(run.name + " was not evaluated yet: dis eval --run " + run.path);
    if (!run.evaluations.empty() || !run.variants.empty()) content += "<h3>" + xml_escaped(run.name) + "</h3>\n";
    if (!run.evaluations.empty()) content += evaluation_text(run, std::to_string(r), run.evaluations.back());
    for (std::size_t v = 0; v < run.variants.size(); ++v) {
      content += "<h4>" + xml_escaped(run.name + ", other settings") + "</h4>\n" +
                 evaluation_text(run, std::to_string(r) + "-v" + std::to_string(v), run.variants[v]);
    }
  }
  return {"scores", "Scores", content + votes(runs)};
}

}  // namespace dis
