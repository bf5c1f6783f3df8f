// What a report shows is what the run's files say.
#include "dis/report/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <regex>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/report/line_plot.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

Json rate(double value, int hits = 3) {
  return {{"value", value}, {"lower", value / 2}, {"upper", (1 + value) / 2}, {"hits", hits}, {"total", 9}};
}

Json curve(int points, double first) {
  Json json = {{"cells", 100}};
  for (const char* key : {"loss", "margin", "curvature", "positive", "correct"}) {
    first += 0.1;
    for (int w = 0; w < points; ++w) json[key].push_back(first + 0.01 * w);
  }
  json["best"] = {{"w", 1.23456789}, {"loss", 0.0123456789}, {"at_end_of_grid", false}};
  return json;
}

/// An analysis of `steps` steps of fields `side` x `side`; every number is another one.
Json analysis(const std::string& kind, int steps, int side, int examples) {
  Json json = {{"run", "r"},
               {"checkpoint", "40"},
               {"weights", "last"},
               {"algorithm", "dis"},
               {"data", {{"kind", kind}, {"rows", side}, {"columns", side}}},
               {"rows", 32},
               {"passes_per_step", 3}};
  for (int w = 0; w < 5; ++w) json["guidance"].push_back(w / 2.0);
  for (int s = 1; s <= steps; ++s) {
    Json step = {{"step", s},
                 {"exact", rate(0.1 + 0.03 * s)},
                 {"rows_with_positive_margin", rate(0.2 + 0.03 * s)},
                 {"distance", 0.5 - 0.02 * s},
                 {"target_distance", 0.7 - 0.03 * s},
                 {"wrong_to_right", 10 + s},
                 {"right_to_wrong", s},
                 {"wrong_to_wrong", 1},
                 {"all", curve(5, 0.001 * s)},
                 {"wrong_before", curve(5, -0.002 * s)}};
    for (int w = 0; w < 5; ++w) step["exact_by_guidance"].push_back(rate(0.01 * w + 0.04 * s));
    json["steps"].push_back(step);
    for (int pass = 0; pass < 3; ++pass) {
      Json entry = {{"step", s}, {"pass", pass}};
      if (pass < 2) entry["margin"] = 0.003 * s + 0.1 * pass;
      entry["removed"] = {{"trials", 4}, {"changed", pass}, {"exact_with", 2}, {"exact_without", 1}};
      json["passes"].push_back(entry);
    }
  }
  json["dead_compute"] = {
      {"last_change", std::vector<int>(static_cast<std::size_t>(steps), 2)},
      {"steps_after_last_change", 0.31415},
      {"removals_without_effect", rate(0.75)},
      {"exits",
       {{{"rule", "steps"}, {"threshold", 1.0}, {"passes", 3.0}, {"exact", rate(0.13)}, {"solved_as_last", 0.9}},
        {{"rule", "agreement"},
         {"threshold", 0.0},
         {"passes", 5.5},
         {"exact", rate(0.17)},
         {"solved_as_last", 0.95}}}}};
  std::string field, other;
  for (int cell = 0; cell < side * side; ++cell) {
    field += (cell > 0 ? " " : "") + std::to_string(1 + (cell * 7 + cell / side) % 10);
    other += (cell > 0 ? " " : "") + std::to_string(1 + (cell * 3 + cell / side) % 10);
  }
  for (int i = 0; i < examples; ++i) {
    Json row = {
        {"name", "task <" + std::to_string(i) + ">"}, {"exact", i % 2 == 1}, {"input", other}, {"label", field}};
    for (int s = 1; s <= steps; ++s) {
      row["answers"].push_back(s == steps && i % 2 == 1 ? field : other);
      row["margin"].push_back(0.05 * s);
    }
    json["examples"].push_back(row);
  }
  return json;
}

Json boards_evaluation() {
  Json score = {{"boards", 9},
                {"valid", rate(0.4321)},
                {"exact", rate(0.3219)},
                {"distinct_solutions", 3},
                {"by_givens", {{"1", {{"boards", 4}, {"valid", rate(0.25)}, {"exact", rate(0.125)}}}}},
                {"by_completions", {{"one", {{"boards", 5}, {"valid", rate(0.6)}, {"exact", rate(0.55)}}}}},
                {"per_supervision_step",
                 {{{"valid", rate(0.11)}, {"exact", rate(0.12)}}, {{"valid", rate(0.4321)}, {"exact", rate(0.3219)}}}}};
  return {{"run", "r"},
          {"checkpoint", "40"},
          {"weights", "last"},
          {"dtype", "float32"},
          {"test_sets", {{"boards", {{"meaning", "unseen & new"}, {"argmax", score}}}}}};
}

Json arc_evaluation() {
  const auto solved = [](double value) {
    return Json{{"arc_prize", rate(value)},
                {"task_mean", {{"value", value + 0.01}, {"lower", 0.0}, {"upper", 1.0}}},
                {"test_inputs", rate(value + 0.02)}};
  };
  const auto share = [](double value) {
    return Json{{"arc_prize", value}, {"task_mean", value}, {"test_inputs", value}};
  };
  Json arc = {{"test_set", "evaluation"},
              {"tasks", 46},
              {"test_inputs", 53},
              {"predictions", 848},
              {"pass_at", {{"1", solved(0.3261)}, {"2", solved(0.3478)}}},
              {"oracle", solved(0.435)},
              {"copied_input", solved(0.0)},
              {"by_votes",
               {{"points",
                 {{{"votes", 1}, {"pass_at", {{"1", share(0.203)}, {"2", share(0.204)}}}},
                  {{"votes", 10}, {"pass_at", {{"1", share(0.295)}, {"2", share(0.328)}}}}}}}}};
  return {{"run", "r"}, {"checkpoint", "40"}, {"weights", "moving average"}, {"arc", arc}};
}

void make_run(const fs::path& run, const std::vector<std::string>& settings) {
  fs::create_directories(run / "eval");
  fs::create_directories(run / "analysis");
  write_json(run / "config.json", to_json(load_config("", settings)));
  LineWriter metrics(run / "metrics.jsonl");
  for (int batch = 1; batch <= 20; ++batch) {
    metrics.append_line(Json{
        {"step", 2 * batch},
        {"batch", batch},
        {"samples", 8 * batch},
        {"loss", 2.0 / batch},
        {"loss_per_step", {3.0 / batch, 1.0 / batch}},
        {"exact", 0.04 * batch},
        {"exact_per_step", {batch == 1 ? Json("NaN") : Json(0.02 * batch), 0.04 * batch}},
        {"lr", 0.001},
        {"samples_per_s", 100.0 + batch},
        {"tflops_per_s", 0.5 * batch},
        {"peak_share", 0.03125 * batch},
        {"peak_memory_mb", 512.0},
        {"seconds",
         61.0 * batch}}.dump());
  }
}

const std::vector<std::string> kShort{"train.steps=40", "method.num_supervision=2", "name=a <run> & more"};

/// A short run on boards that was evaluated and analysed.
void make_analysed_run(const fs::path& run) {
  make_run(run, kShort);
  write_json(run / "eval/40.json", boards_evaluation());
  write_json(run / "analysis/40.json", analysis("nqueens", 2, 5, 4));
}

/// Tables of the page by their ids: rows of (text, data-value).
struct Cell {
  std::string text, value;
};
using Tables = std::map<std::string, std::vector<std::vector<Cell>>>;

Tables tables_of(const std::string& html) {
  Tables tables;
  for (std::size_t at = html.find("<table id=\""); at != std::string::npos; at = html.find("<table id=\"", at + 1)) {
    const auto id_from = at + 11, id_to = html.find('"', id_from);
    auto& table = tables[html.substr(id_from, id_to - id_from)];
    EXPECT_TRUE(table.empty()) << "two tables " << html.substr(id_from, id_to - id_from);
    const auto end = html.find("</table>", at);
    for (auto row = html.find("<tbody>", at); (row = html.find("<tr>", row)) < end; ++row) {
      const auto text = html.substr(row, html.find("</tr>", row) - row);
      static const std::regex cell("<t[hd](?: scope=\"row\")?(?: data-value=\"([^\"]*)\")?>([^<]*)</t[hd]>");
      auto& cells = table.emplace_back();
      for (std::sregex_iterator i(text.begin(), text.end(), cell), last; i != last; ++i) {
        cells.push_back({(*i)[2], (*i)[1]});
      }
    }
  }
  return tables;
}

void expect_number(const Cell& cell, const Json& number) {
  ASSERT_FALSE(cell.value.empty()) << cell.text;
  EXPECT_EQ(std::stod(cell.value), number.get<double>()) << cell.text;
}

TEST(Report, TablesHoldTheNumbersOfTheFiles) {
  const TemporaryFolder folder;
  const auto run = folder / "first";
  make_analysed_run(run);
  const auto tables = tables_of(report_html(read_runs({run.string()})));

  const auto score = read_json(run / "eval/40.json").at("test_sets").at("boards").at("argmax");
  const auto& boards = tables.at("boards-0-0");
  ASSERT_EQ(boards.size(), 3U);
  expect_number(boards[0][1], score.at("boards"));
  expect_number(boards[0][2], score.at("valid").at("value"));
  EXPECT_EQ(boards[0][2].text, "0.432 [0.216, 0.716]");
  expect_number(boards[1][3], score.at("by_completions").at("one").at("exact").at("value"));
  expect_number(boards[2][2], score.at("by_givens").at("1").at("valid").at("value"));
  const auto& steps = tables.at("boards-0-0-steps");
  for (std::size_t s = 0; s < 2; ++s) {
    expect_number(steps[s][1], score.at("per_supervision_step")[s].at("valid").at("value"));
    expect_number(steps[s][2], score.at("per_supervision_step")[s].at("exact").at("value"));
  }

  const auto inside = read_json(run / "analysis/40.json");
  for (std::size_t s = 0; s < 2; ++s) {
    const auto& step = inside.at("steps")[s];
    const auto& row = tables.at("steps-0")[s];
    expect_number(row[1], step.at("all").at("margin")[2]);  // w = 1 is the third of the grid
    expect_number(row[2], step.at("all").at("positive")[2]);
    expect_number(row[3], step.at("wrong_before").at("margin")[2]);
    expect_number(row[5], step.at("rows_with_positive_margin").at("value"));
    expect_number(row[6], step.at("all").at("loss")[0]);
    expect_number(row[7], step.at("all").at("loss")[2]);
    expect_number(row[8], step.at("all").at("best").at("w"));
    expect_number(row[10], step.at("wrong_to_right"));
    expect_number(row[11], step.at("right_to_wrong"));
    expect_number(row[12], step.at("exact").at("value"));
    EXPECT_EQ(row[13].text, "9 of 12") << "three passes, four trials each, 0 + 1 + 2 changed";
    expect_number(tables.at("distance")[s][1], step.at("distance"));
    expect_number(tables.at("distance")[s][2], step.at("target_distance"));
    for (std::size_t w = 0; w < 5; ++w) {
      expect_number(tables.at("exact-w-0")[w][s + 1], step.at("exact_by_guidance")[w].at("value"));
    }
  }
  for (std::size_t w = 0; w < 5; ++w) {
    expect_number(tables.at("loss-w-0")[w][1], inside.at("steps")[1].at("all").at("loss")[w]);
  }
  const auto& exits = inside.at("dead_compute").at("exits");
  for (std::size_t i = 0; i < exits.size(); ++i) {
    expect_number(tables.at("exits-0")[i][2], exits[i].at("passes"));
    expect_number(tables.at("exits-0")[i][3], exits[i].at("exact").at("value"));
  }
  expect_number(tables.at("dead-compute")[0][1], inside.at("dead_compute").at("steps_after_last_change"));

  const auto& loss = tables.at("curve-loss");
  ASSERT_EQ(loss.size(), 20U);
  expect_number(loss[4][0], 10);
  expect_number(loss[4][1], 2.0 / 5);
  const auto& per_step = tables.at("curve-exact-steps-0");
  EXPECT_EQ(per_step[0][1].value, "") << "NaN is no number";
  expect_number(per_step[3][1], 0.02 * 4);
  expect_number(per_step[3][2], 0.04 * 4);
  const auto& overview = tables.at("overview")[0];
  expect_number(overview[2], 40);
  expect_number(overview[4], 160);
  EXPECT_EQ(overview[5].text, "20 min 20 s");
  expect_number(overview[9], score.at("valid").at("value"));
  const auto& speed = tables.at("speed")[0];
  expect_number(speed[1], 120.0);
  expect_number(speed[2], 10.0);
  expect_number(speed[3], 0.625);
  expect_number(speed[4], 512.0);
}

TEST(Report, OtherSettingsAndUnseenAnswersStandApart) {
  const TemporaryFolder folder;
  const auto run = folder / "first";
  make_analysed_run(run);
  auto other = boards_evaluation();
  other["checkpoint"] = "20";
  other["settings"] = {{"eval.boards", 3}};
  auto& score = other["test_sets"]["boards"]["argmax"];
  score["valid"] = rate(0.7);
  score["unseen"] = {{"boards", 2}, {"valid", rate(0.5)}, {"exact", rate(0.25)}};
  // The newest is neither the first nor the last, whether a folder lists names as they were written or in their order.
  for (const char* update : {"10", "11", "12", "20", "5", "6", "7"}) {
    write_json(run / "eval" / (std::string(update) + "-boards=3.json"),
               update == std::string("20") ? other : boards_evaluation());
  }
  auto earlier = boards_evaluation();
  earlier["test_sets"]["boards"]["argmax"]["valid"] = rate(0.9);
  write_json(run / "eval/5.json", earlier);
  auto guided = boards_evaluation();
  guided["guidance"] = 1.5;
  guided["test_sets"]["boards"]["argmax"]["valid"] = rate(0.6);
  write_json(run / "eval/10-w1.5.json", guided);
  write_json(run / "eval/20-boards=3_submission.json", Json::object());
  write_json(run / "analysis/50-analyze.removals=3.json", Json::object());
  const auto data = read_run(run);
  EXPECT_EQ(data.evaluations, (std::vector<Json>{earlier, boards_evaluation()}));
  EXPECT_EQ(data.variants, (std::vector<Json>{other, guided})) << "the newest of each";
  EXPECT_EQ(data.analysis, read_json(run / "analysis/40.json"));
  const auto page = report_html({data});
  EXPECT_TRUE(contains(page, "eval.boards = 3"));
  EXPECT_TRUE(contains(page, "guidance w = 1.5"));
  const auto tables = tables_of(page);
  expect_number(tables.at("boards-0-0")[0][2], rate(0.4321).at("value"));
  EXPECT_EQ(tables.at("boards-0-0").size(), 3U);
  const auto& apart = tables.at("boards-0-v0-0");
  expect_number(apart[0][2], rate(0.7).at("value"));
  EXPECT_EQ(apart[3][0].text, "unseen");
  expect_number(apart[3][2], rate(0.5).at("value"));
  expect_number(tables.at("boards-0-v1-0")[0][2], rate(0.6).at("value"));
  expect_number(tables.at("overview")[0][9], rate(0.4321).at("value"));
}

TEST(Report, ArcScoresAndVotes) {
  const TemporaryFolder folder;
  const auto run = folder / "arc";
  make_run(run, {"data.kind=arc", "train.steps=40", "method.num_supervision=2"});
  write_json(run / "eval/40.json", arc_evaluation());
  const auto tables = tables_of(report_html(read_runs({run.string()})));
  const auto arc = arc_evaluation().at("arc");
  expect_number(tables.at("arc-0")[1][1], arc.at("pass_at").at("2").at("arc_prize").at("value"));
  expect_number(tables.at("arc-0")[1][2], arc.at("pass_at").at("2").at("task_mean").at("value"));
  expect_number(tables.at("arc-0")[2][3], arc.at("oracle").at("test_inputs").at("value"));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& point = arc.at("by_votes").at("points")[i];
    expect_number(tables.at("votes")[i][0], point.at("votes"));
    expect_number(tables.at("votes")[i][1], point.at("pass_at").at("1").at("arc_prize"));
    expect_number(tables.at("votes")[i][2], point.at("pass_at").at("2").at("arc_prize"));
  }
}

TEST(Report, RunsAreComparedOnSharedAxes) {
  const TemporaryFolder folder;
  make_run(folder / "a/seed0", kShort);
  make_run(folder / "b/seed0", {"train.steps=40", "method.num_supervision=2", "optim.lr=0.5"});
  const auto runs = read_runs({(folder / "a/seed0").string(), (folder / "b/seed0").string() + "/"});
  EXPECT_EQ(runs[0].name, "a/seed0");
  EXPECT_EQ(runs[1].name, "b/seed0");
  const auto html = report_html(runs);
  const auto tables = tables_of(html);
  ASSERT_EQ(tables.at("curve-loss")[0].size(), 3U) << "a column a run";
  std::map<std::string, std::string> among;
  for (const auto& row : tables.at("among-runs")) among[row[0].text] = row[2].text;
  EXPECT_EQ(among.at("optim.lr"), "0.5");
  EXPECT_FALSE(among.contains("train.steps")) << "the same in both";
  EXPECT_NE(html.find("a/seed0 was not evaluated yet: dis eval --run "), std::string::npos);
  EXPECT_NE(html.find("b/seed0 was not analysed yet: dis analyze --run "), std::string::npos);
}

TEST(Report, NeedsNothingFromElsewhereAndEscapesWhatItShows) {
  const TemporaryFolder folder;
  const auto run = folder / "first";
  make_analysed_run(run);
  const auto html = report_html(read_runs({run.string()}));
  for (const char* foreign : {"http:", "https:", "src=", "@import", "url("}) {
    EXPECT_EQ(html.find(foreign), std::string::npos) << foreign;
  }
  EXPECT_EQ(html.find("<run>"), std::string::npos);
  EXPECT_NE(html.find("a &lt;run&gt; &amp; more"), std::string::npos);
  EXPECT_NE(html.find("task &lt;0&gt;: "), std::string::npos);
  EXPECT_EQ(html.find("location.reload"), std::string::npos);
  EXPECT_NE(report_html(read_runs({run.string()}), 7).find("location.reload()},1000*7)"), std::string::npos);
  EXPECT_NE(html.find("Not solved (2)"), std::string::npos);
  EXPECT_NE(html.find("Solved (2)"), std::string::npos);
}

TEST(Report, StaysBelowThreeMegabytesWithLargeGridsAndManySteps) {
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  for (const char* name : {"a", "b"}) {
    make_run(folder / name, {"data.kind=arc", "train.steps=40"});
    write_json(folder / name / "eval/40.json", arc_evaluation());
    write_json(folder / name / "analysis/40.json", analysis("arc", 16, 30, 24));
    paths.push_back((folder / name).string());
  }
  EXPECT_LT(report_html(read_runs(paths)).size(), 3'000'000U);
  const auto one = report_html(read_runs({paths[0]}));
  EXPECT_LT(one.size(), 3'000'000U);
  EXPECT_NE(one.find("Not solved (12)"), std::string::npos);
}

TEST(Report, ARunThatHasOnlyBegunIsShown) {
  const TemporaryFolder folder;
  const auto run = folder / "young";
  fs::create_directories(run);
  write_json(run / "config.json", to_json(RunConfig{}));
  EXPECT_NE(report_html(read_runs({run.string()})).find("not evaluated"), std::string::npos);
  LineWriter metrics(run / "metrics.jsonl");
  metrics.append_line(
      R"({"step": 6, "samples": 8, "loss": "NaN", "exact": 0.5, "lr": 0, "samples_per_s": 1, "seconds": 2})");
  write_atomically(run / "half", "x");
  AppendFile(run / "metrics.jsonl").write("{\"step\": 12, \"sam");
  EXPECT_EQ(read_run(run).updates, 6) << "the line that is being written is left out";
  EXPECT_TRUE(std::isnan(read_run(run).curves.loss.at(0)));
  EXPECT_TRUE(contains(user_error_of([&] { read_run(folder.path()); }), "is not a run folder: it has no config.json"));
  fs::create_directories(run / "eval");
  write_json(run / "eval/6.json", {{"checkpoint", "6"}, {"weights", "last"}, {"examples", Json::object()}});
  const auto foreign = user_error_of([&] { report_html(read_runs({run.string()})); });
  EXPECT_TRUE(contains(foreign, "a result in '" + run.string()) && contains(foreign, "run `dis eval`")) << foreign;
  write_atomically(run / "eval/6.json", "{\"arc\": ");
  EXPECT_TRUE(contains(user_error_of([&] { read_run(run); }), "eval/6.json:1:"));
}

/// The page of a run of `kind` whose one row is asked `input`, answers `answer` and should answer `label`.
std::string page_of_row(const std::vector<std::string>& settings, const std::string& kind, const Json& row) {
  const TemporaryFolder folder;
  const auto run = folder / "first";
  make_run(run, settings);
  auto found = analysis(kind, 1, 4, 0);
  found["examples"] = Json::array({row});
  write_json(run / "analysis/40.json", found);
  return report_html(read_runs({run.string()}));
}

TEST(Report, DrawsSudokusAndMazes) {
  const Json sudoku = {{"name", "row 0"},
                       {"exact", false},
                       {"input", "2 1 1 5 1 1 1 1 1 1 1 1 1 1 1 1"},
                       {"label", "2 3 4 5 4 5 2 3 3 2 5 4 5 4 3 2"},
                       {"answers", {"2 3 4 5 4 5 2 3 3 2 5 4 5 4 2 3"}},
                       {"margin", {0.5}}};
  const std::vector<std::pair<std::vector<std::string>, std::string>> sudokus{
      {{"data.kind=sudoku", "data.path=x"}, "sudoku"},
      {{"data.kind=grids", "data.path=x", "data.rules=sudoku"}, "grids"}};
  for (const auto& [settings, kind] : sudokus) {
    const auto page = page_of_row(settings, kind, sudoku);
    EXPECT_TRUE(contains(page, "<svg class=\"field sudoku\"")) << kind;
    EXPECT_TRUE(contains(page, "<path class=\"boxes\" d=\"M0 2H4M2 0V4\"/>"));
    EXPECT_TRUE(contains(
        page, "<g class=\"given\"><text x=\"0.5\" y=\"0.75\">1</text><text x=\"3.5\" y=\"0.75\">4</text></g>"));
    EXPECT_TRUE(contains(page, "<text x=\"2.5\" y=\"3.75\">1</text>")) << "a mistake is drawn as it was made";
    EXPECT_TRUE(contains(page, "2 cells wrong"));
  }
  const Json maze = {{"name", "row 0"},
                     {"exact", true},
                     {"input", "1 1 1 1 3 2 2 4 1 1 1 1 1 1 1 1"},
                     {"label", "1 1 1 1 3 5 5 4 1 1 1 1 1 1 1 1"},
                     {"answers", {"1 1 1 1 3 5 5 4 1 1 1 1 1 1 1 1"}},
                     {"margin", {0.5}}};
  const auto page = page_of_row({"data.kind=maze", "data.path=x"}, "maze", maze);
  EXPECT_TRUE(contains(page, "<path class=\"path\" d=\"M1 1h2v1h-2z\"/>"));
  EXPECT_TRUE(contains(page, "<path class=\"start\" d=\"M0 1h1v1h-1z\"/>"));
}

TEST(LinePlot, DrawsWhatIsFiniteWithinItsFrame) {
  LinePlot plot{"title <x>", "x", {{"one & two", {{0, 1}, {1, std::nan("")}, {2, 3}}, 0}, {"dot", {{1, 2}}, 1}}};
  const auto svg = draw(plot).document();
  EXPECT_NE(svg.find("title &lt;x&gt;"), std::string::npos);
  EXPECT_NE(svg.find("one &amp; two"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_NE(svg.find("<circle"), std::string::npos) << "a line of one point would not be seen";
  EXPECT_NE(draw(LinePlot{"empty", "x", {}}).document().find("<svg"), std::string::npos);
  LinePlot constant{"constant but for rounding", "x", {{"lr", {{0, 1e-4}, {1, std::nextafter(1e-4, 1.0)}}, 0}}};
  EXPECT_EQ(draw(constant).document().find("nan"), std::string::npos);
  LinePlot nothing{"empty", "x", {}};
  nothing.log_x = true;
  EXPECT_NE(draw(nothing).document().find("<svg"), std::string::npos);
  EXPECT_EQ(short_number(0.123456), "0.1235");
  EXPECT_EQ(short_number(std::nan("")), "");
  EXPECT_EQ(short_number(15000), "15000");
  EXPECT_EQ(short_number(0.1 + 0.2), "0.3");
  EXPECT_EQ(short_number(2.5e17), "2.5e+17");
  LinePlot logarithmic{"votes", "x", {{"a", {{1, 0.1}, {10, 0.2}, {1000, 0.3}}, 0}}};
  logarithmic.log_x = true;
  // The frame begins at 76 and is 520 wide: 10 stands at a third of it.
  EXPECT_NE(draw(logarithmic).document().find(" 249.3,"), std::string::npos) << draw(logarithmic).document();
}

}  // namespace
}  // namespace dis
