#include "dis/reproduce/table1.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "dis/core/error.h"
#include "dis/report/line_plot.h"
#include "dis/report/run_data.h"
#include "dis/train/plan.h"
#include "dis/train/schedule.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kArcVocabulary = 12;  // pad, end marker, ten colours

// On the small set: with the rate that suits the compact network the larger ones learn no more than how frequent each
// token is (docs/results.md).
constexpr double kLargerNetworksRate = 0.125;

template <class... Arguments>
std::string print(const char* format, Arguments... arguments) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, arguments...);
  return buffer;
}

std::int64_t field(const RunConfig& config) { return config.data.max_grid * config.data.max_grid; }

Table1Cell cell_of(const std::optional<Experiment>& experiment, const fs::path& folder) {
  Table1Cell cell;
  cell.experiment = experiment;
  if (!experiment) return cell;
  const auto& config = experiment->config;
  const auto shape = network_shape(config, field(config), kArcVocabulary);
  const auto plan = plan_training(config, shape, 0, 0, true);
  cell.block_parameters = plan.block_parameters;
  cell.passes = plan.passes_per_batch;
  cell.updates = plan.updates;
  cell.flops = plan.training_flops;
  cell.found = findings_of(*experiment, folder);
  return cell;
}

std::string paper_text(const std::optional<double>& figure) { return figure ? print("%.1f", *figure) : ""; }

/// pass@2 in percent with its interval, and hours.
std::string measured_text(const Table1Cell& cell) {
  if (!cell.experiment) return "";
  if (!cell.found) return "not run";
  const auto& rate = cell.found->evaluation.at("arc").at("pass_at").at("2").at("arc_prize");
  const auto percent = [&](const char* key) { return 100.0 * rate.at(key).get<double>(); };
  return print("%.1f [%.1f, %.1f], %.2f h", percent("value"), percent("lower"), percent("upper"),
               cell.found->device_seconds / 3600.0);
}

std::string title_of(const Table1Row& row) {
  if (row.key.empty()) return row.title + " (quoted)";
  return row.title + (row.assumed ? " (assumed)" : "");
}

/// Whether the column shows the paper's own setting, so that its figure stands beside it.
std::optional<double> paper_of(const Table1Column& column, const Table1Row& row) {
  if (column.name == "ARC-1") return row.paper.arc1;
  if (column.name == "ARC-2") return row.paper.arc2;
  return std::nullopt;
}

/// Updates between two evaluations: five for the curves.
std::int64_t curve_interval(const RunConfig& config) { return std::max<std::int64_t>(1, updates_of(config) / 5); }

using Points = std::vector<std::pair<double, double>>;

/// Updates and exact answers among training samples, means over pieces of the run.
Points exact_points(const RunData& run) {
  Points points;
  for (std::size_t i = 0; i < run.curves.updates.size(); ++i) {
    points.emplace_back(run.curves.updates[i], run.curves.exact[i]);
  }
  return points;
}

/// Updates and pass@2 of every evaluation of the run.
Points pass_at_2_points(const RunData& run) {
  Points points;
  for (const auto& json : run.evaluations) {
    if (!json.contains("arc") || !json["arc"].contains("pass_at")) continue;
    points.emplace_back(std::stod(json["checkpoint"].get<std::string>()),
                        json["arc"]["pass_at"]["2"]["arc_prize"]["value"].get<double>());
  }
  return points;
}

bool beside_paper(const Table1Column& column) { return column.name.starts_with("ARC-"); }

/// The table's texts, line by line, the head first: of every column what was measured, and beside it the paper's figure
/// or the samples. Rows that have neither are left out.
std::vector<std::vector<std::string>> table_texts(const std::vector<Table1Column>& columns,
                                                  const std::vector<std::vector<Table1Cell>>& cells) {
  std::vector<std::vector<std::string>> lines{{"pass@2, %"}};
  for (const auto& column : columns) {
    lines[0].push_back(column.name);
    lines[0].push_back(beside_paper(column) ? "paper" : "samples");
  }
  for (std::size_t r = 0; r < table1_rows().size(); ++r) {
    std::vector<std::string> line{title_of(table1_rows()[r])};
    bool any = false;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto& cell = cells[c][r];
      const auto paper = paper_text(paper_of(columns[c], table1_rows()[r]));
      const auto samples = cell.found ? std::to_string(cell.found->samples) : std::string();
      line.push_back(measured_text(cell));
      line.push_back(beside_paper(columns[c]) ? paper : samples);
      any = any || cell.experiment || !paper.empty();
    }
    if (any) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

const std::vector<Table1Row>& table1_rows() {
  static const std::vector<Table1Row> rows{
      {"trm_compact", "TRM-compact", {12.0, 0.0}},
      {"dis_compact", "DIS-compact", {24.0, 0.0}},
      {"trm_medium", "TRM-medium", {27.1, 0.0}},
      {"dis_medium", "DIS-medium", {40.0, 2.5}},
      {"trm", "TRM", {40.4, 3.3}},
      {"dis", "DIS", {41.3, 6.0}, true},
      {"hrm", "HRM", {}},
      {"", "Deepseek R1", {15.8, 1.3}},
      {"", "Claude 3.7 16K", {28.6, 0.7}},
      {"", "o3-mini-high", {34.5, 3.0}},
      {"", "Gemini 2.5 Pro 32K", {37.0, 4.9}},
      {"", "Grok-4-thinking", {66.7, 16.0}},
      {"", "Bespoke (Grok-4)", {79.6, 29.4}},
  };
  return rows;
}

std::vector<Table1Column> table1_columns(const fs::path& folder) {
  std::vector<Table1Column> columns;
  for (const auto& [name, set] : {std::pair{"ARC-1", "arc1"}, {"ARC-2", "arc2"}}) {
    Table1Column column{set, name, {}};
    for (const auto& row : table1_rows()) {
      if (row.key.empty()) {
        column.experiments.emplace_back();
        continue;
      }
      const auto key = row.key + "_" + set;
      auto config = load_config(folder / (key + ".json"));
      if (config.train.eval_every == 0) config.train.eval_every = curve_interval(config);
      column.experiments.emplace_back(Experiment{key, config});
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

std::vector<Table1Column> table1_mini_columns(const fs::path& folder, const RunConfig& small) {
  const double budget = training_flops(small, field(small), kArcVocabulary) / 2;
  Table1Column equal_flops{"equal_flops", "equal FLOPs", {}};
  Table1Column equal_samples{"equal_samples", "equal samples", {}};
  const auto compact = load_config(folder / "dis_compact_arc1.json");
  std::int64_t samples = 0;
  for (const auto& row : table1_rows()) {
    equal_flops.experiments.emplace_back();
    equal_samples.experiments.emplace_back();
    if (row.key.empty()) continue;
    const auto full = load_config(folder / (row.key + "_arc1.json"));
    auto config = small;
    config.run = full.run;
    config.run.name = row.title + " on the small set";
    config.method = full.method;
    config.method.loss = small.method.loss;
    config.model.hidden_size = small.model.hidden_size * full.model.hidden_size / compact.model.hidden_size;
    config.model.num_layers = full.model.num_layers;
    config.model.H_cycles = full.model.H_cycles;
    config.model.L_cycles = full.model.L_cycles;
    if (full.method.algorithm == Algorithm::hrm) {
      config.model.puzzle_emb_len = full.model.puzzle_emb_len;
      config.model.puzzle_emb_ndim = 0;
    }
    config.optim.name = full.optim.name;
    config.optim.ema_rate = full.optim.ema_rate;
    if (config.model.hidden_size > small.model.hidden_size) config.optim.lr *= kLargerNetworksRate;
    config = with_budget(config, budget, field(config), kArcVocabulary);
    config.train.eval_every = curve_interval(config);
    equal_flops.experiments.back() = Experiment{row.key + "_equal_flops", config};
    if (row.key == "dis_compact") {
      // With all supervision steps; a halting lane that ends sooner sees more.
      samples = updates_of(config) / config.method.num_supervision * config.train.global_batch;
      equal_samples.experiments.back() = Experiment{row.key + "_equal_flops", config};
    }
  }
  for (std::size_t i = 0; i < table1_rows().size(); ++i) {
    if (table1_rows()[i].key != "trm_compact") continue;
    auto config = equal_flops.experiments[i]->config;
    config.train.steps = samples / config.train.global_batch * config.method.num_supervision;
    equal_samples.experiments[i] = Experiment{"trm_compact_equal_samples", config};
  }
  return {equal_flops, equal_samples};
}

std::vector<std::vector<Table1Cell>> collect_table1(const std::vector<Table1Column>& columns, const fs::path& folder) {
  std::vector<std::vector<Table1Cell>> cells;
  for (const auto& column : columns) {
    auto& list = cells.emplace_back();
    for (const auto& experiment : column.experiments) list.push_back(cell_of(experiment, folder));
  }
  return cells;
}

std::string table1_plan(const std::vector<Table1Column>& columns, const std::vector<std::vector<Table1Cell>>& cells) {
  std::string text =
      print("%-14s%-16s%12s%8s%12s%12s%12s\n", "set", "row", "parameters", "passes", "updates", "PFLOP", "GPU hours");
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::size_t r = 0; r < cells[c].size(); ++r) {
      const auto& cell = cells[c][r];
      if (!cell.experiment) continue;
      text += print("%-14s%-16s%12lld%8lld%12lld%12.4g%12.3g%s\n", columns[c].name.c_str(),
                    table1_rows()[r].title.c_str(), static_cast<long long>(cell.block_parameters),
                    static_cast<long long>(cell.passes), static_cast<long long>(cell.updates), cell.flops / 1e15,
                    cell.flops / assumed_gpu().flops_per_second / 3600.0, table1_rows()[r].assumed ? "  assumed" : "");
    }
  }
  return text + "GPU hours assume " + assumed_gpu().name +
         "; passes are those of a batch that does all supervision steps\n";
}

Json table1_json(const std::vector<Table1Column>& columns, const std::vector<std::vector<Table1Cell>>& cells) {
  Json json = {{"gpu_hours_assume", assumed_gpu().name}, {"columns", Json::array()}};
  for (std::size_t c = 0; c < columns.size(); ++c) {
    Json rows = Json::array();
    for (std::size_t r = 0; r < cells[c].size(); ++r) {
      const auto& row = table1_rows()[r];
      const auto& cell = cells[c][r];
      const auto paper = paper_of(columns[c], row);
      if (!cell.experiment && !paper) continue;
      Json entry = {{"row", row.title}, {"assumed", row.assumed}, {"quoted", row.key.empty()}};
      entry["paper_pass_at_2"] = paper ? Json(*paper) : Json();
      if (cell.experiment) {
        entry["run"] = cell.experiment->name;
        entry["block_parameters"] = cell.block_parameters;
        entry["passes_per_batch"] = cell.passes;
        entry["updates"] = cell.updates;
        entry["training_flops"] = cell.flops;
        entry["gpu_hours"] = cell.flops / assumed_gpu().flops_per_second / 3600.0;
        entry["measured"] = Json();
      }
      if (cell.found) {
        entry["measured"] = {{"pass_at_2", cell.found->evaluation.at("arc").at("pass_at").at("2")},
                             {"samples", cell.found->samples},
                             {"hours", cell.found->seconds / 3600.0},
                             {"device_hours", cell.found->device_seconds / 3600.0}};
      }
      rows.push_back(std::move(entry));
    }
    json["columns"].push_back({{"name", columns[c].name}, {"rows", std::move(rows)}});
  }
  return json;
}

std::string table1_markdown(const std::vector<Table1Column>& columns,
                            const std::vector<std::vector<Table1Cell>>& cells) {
  std::string text;
  for (const auto& line : table_texts(columns, cells)) {
    text += "|";
    for (const auto& entry : line) text += " " + entry + " |";
    text += "\n";
    if (text.find('\n') + 1 != text.size()) continue;
    text += "|";
    for (std::size_t i = 0; i < line.size(); ++i) text += "---|";
    text += "\n";
  }
  return text +
         "\nMeasured: ARC Prize's rule, 95 % interval, hours of training times ranks (GPU hours on GPUs). Assumed: the "
         "paper does not state how the row differs. Quoted: figures for language models that the paper quotes.\n";
}

std::string table1_latex(const std::vector<Table1Column>& columns, const std::vector<std::vector<Table1Cell>>& cells) {
  std::string text = "\\begin{tabular}{l";
  for (std::size_t c = 0; c < columns.size(); ++c) text += "rr";
  text += "}\n\\toprule\n";
  bool head = true;
  for (const auto& line : table_texts(columns, cells)) {
    std::string joined;
    for (const auto& entry : line) {
      if (!joined.empty()) joined += " & ";
      for (const char c : entry) {
        if (c == '%') joined += '\\';
        joined += c;
      }
    }
    text += joined + " \\\\\n";
    if (head) text += "\\midrule\n";
    head = false;
  }
  return text + "\\bottomrule\n\\end{tabular}\n";
}

std::string table1_curves(const Table1Column& column, const fs::path& folder, CurveMeasure measure, CurveAxis axis) {
  std::vector<PlotSeries> curves;
  for (std::size_t r = 0; r < column.experiments.size(); ++r) {
    if (!column.experiments[r]) continue;
    const auto& config = column.experiments[r]->config;
    const auto run = folder / column.experiments[r]->name;
    if (!fs::exists(run / "config.json")) continue;
    const auto data = read_run(run);
    auto points = measure == CurveMeasure::exact ? exact_points(data) : pass_at_2_points(data);
    if (points.empty()) continue;
    const double each = training_flops(config, field(config), kArcVocabulary) / static_cast<double>(updates_of(config));
    for (auto& [x, y] : points) x *= axis == CurveAxis::flops ? each : 1.0;
    curves.push_back({table1_rows()[r].title, std::move(points), static_cast<int>(curves.size())});
  }
  if (curves.empty()) return "";
  LinePlot plot{
      measure == CurveMeasure::exact ? "Exact answers among training samples, after their last step" : "pass@2",
      axis == CurveAxis::flops ? "training FLOPs" : "updates", std::move(curves)};
  plot.lowest = 0.0;
  return draw(plot).document();
}

}  // namespace dis
