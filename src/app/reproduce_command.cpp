// dis reproduce: the paper's table and the N-Queens ablation, planned, run, collected.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "commands.h"
#include "config_options.h"
#include "dis/config/fields.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/log.h"
#include "dis/reproduce/ablation.h"
#include "dis/reproduce/table1.h"
#include "dis/train/schedule.h"
#include "joined_ranks.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// "1/2": the first of two shares of the runs, so that two processes divide a study.
struct Share {
  std::size_t index = 0, of = 1;
};

Share share_of(const std::string& text) {
  if (text.empty()) return {};
  Share share;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%zu/%zu%c", &share.index, &share.of, &rest) != 2 || share.index < 1 ||
      share.index > share.of) {
    throw UserError("--share " + text + " should be I/K with I from 1 to K, as 1/2");
  }
  --share.index;
  return share;
}

struct StudyOptions {
  std::string out;
  std::string share;
  std::string format = "markdown";
  bool plan = false;
  bool collect = false;
  std::int64_t threads = 0;

  void add_to(CLI::App& app, const std::string& folder) {
    out = folder;
    app.add_option("--out", out, "Folder of the study's runs; what is there already is not run again")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--share", share, "Do only the I-th of K shares of the runs; another process does the others")
        ->type_name("I/K");
    app.add_option("--threads", threads, "CPU threads of each run; 0: as many as this process may use")
        ->check(CLI::NonNegativeNumber);
    app.add_flag("--plan", plan, "Only say what there is to run");
    app.add_flag("--collect", collect, "Run nothing; only print what is finished");
  }
};

/// Runs this process's share of them, one after the other.
void run_all(std::vector<Experiment> experiments, const StudyOptions& options) {
  const auto share = share_of(options.share);
  std::shared_ptr<const Ranks> ranks;
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    if (i % share.of != share.index) continue;
    auto& config = experiments[i].config;
    if (options.threads > 0) config.compute.threads = options.threads;
    if (!ranks) ranks = join_ranks(config);
    with_last_words(*ranks, [&] { run_experiment(experiments[i], options.out, ranks); });
  }
}

struct AblationOptions {
  StudyOptions study;
  ConfigOptions base;
  std::vector<std::string> factors;
  std::int64_t seeds = 3;
};

void plan_ablation(const std::vector<Variant>& variants, std::int64_t seeds) {
  for (const auto& variant : variants) {
    std::cout << variant.name() << ": " << updates_of(variant.config) << " updates of "
              << variant.config.train.global_batch << " lanes\n";
  }
  std::cout << variants.size() * static_cast<std::size_t>(seeds) << " runs, each with the base's training FLOPs\n";
}

void run_ablation(const AblationOptions& options) {
  const auto variants = ablation_variants(options.base.load(), options.factors);
  if (options.study.plan) return plan_ablation(variants, options.seeds);
  if (!options.study.collect) {
    std::vector<Experiment> experiments;
    for (std::int64_t seed = 0; seed < options.seeds; ++seed) {  // every variant once before any is repeated
      for (const auto& variant : variants) experiments.push_back(experiment_of(variant, seed));
    }
    run_all(std::move(experiments), options.study);
  }
  if (find_place().rank > 0) return;  // rank 0 collects
  const fs::path out = options.study.out;
  const auto scores = collect_ablation(variants, options.seeds, out);
  ensure_folder(out);
  write_atomically(out / "ablation.csv", to_csv(scores));
  write_atomically(out / "ablation.md", to_markdown(scores));
  write_atomically(out / "ablation.svg", to_svg(scores));
  std::cout << (options.study.format == "json" ? json_text(to_json(scores), 2) + "\n" : to_markdown(scores));
  log_info("written to " + (out / "ablation.{csv,md,svg}").string());
}

struct Table1Options {
  StudyOptions study;
  std::string configs = "configs/table1";
  std::string small = "configs/arc/mini.json";
  std::string scale = "paper";
  std::vector<std::string> rows, sets;
  std::optional<std::int64_t> seed;
};

/// What an option names by default lies in the project's folder or came with the executable.
fs::path checked(const fs::path& path, const std::string& option) {
  fs::path found = find_shipped(path);
  if (fs::exists(found)) return found;
  throw UserError("there is no '" + path.string() + "' here, in " + fs::current_path().string() +
                  ": start dis in the project's folder, or say where it is with " + option);
}

std::vector<Table1Column> columns_of(const Table1Options& options) {
  const bool mini = options.scale == "mini";
  const fs::path configs = checked(options.configs, "--configs");
  auto columns =
      mini ? table1_mini_columns(configs, load_config(checked(options.small, "--small"))) : table1_columns(configs);
  for (auto& column : columns) {
    for (auto& experiment : column.experiments) {
      if (experiment && options.seed) experiment->config.run.seed = *options.seed;
    }
  }
  return columns;
}

/// The runs that --row and --set leave.
std::vector<Experiment> chosen(const std::vector<Table1Column>& columns, const Table1Options& options) {
  for (const auto& row : options.rows) {
    if (std::ranges::find(table1_rows(), row, &Table1Row::key) != table1_rows().end()) continue;
    std::string list;
    for (const auto& known : table1_rows()) list += known.key.empty() ? "" : (list.empty() ? "" : ", ") + known.key;
    throw UserError("--row " + row + " is not a row of the table; there are: " + list);
  }
  for (const auto& set : options.sets) {
    if (std::ranges::find(columns, set, &Table1Column::key) != columns.end()) continue;
    throw UserError("--set " + set + " is not a column of --scale " + options.scale +
                    "; there are: " + columns.front().key + ", " + columns.back().key);
  }
  const auto wanted = [](const std::vector<std::string>& list, const std::string& name) {
    return list.empty() || std::ranges::find(list, name) != list.end();
  };
  std::vector<Experiment> experiments;
  for (const auto& column : columns) {
    for (std::size_t r = 0; r < column.experiments.size(); ++r) {
      const auto& experiment = column.experiments[r];
      if (!experiment || !wanted(options.rows, table1_rows()[r].key) || !wanted(options.sets, column.key)) continue;
      // A run may stand in two columns.
      if (std::ranges::find(experiments, experiment->name, &Experiment::name) != experiments.end()) continue;
      experiments.push_back(*experiment);
    }
  }
  return experiments;
}

void write_curves(const Table1Column& column, const fs::path& out) {
  for (const auto& [name, measure, axis] : {std::tuple{"exact_updates", CurveMeasure::exact, CurveAxis::updates},
                                            {"exact_flops", CurveMeasure::exact, CurveAxis::flops},
                                            {"pass_at_2_updates", CurveMeasure::pass_at_2, CurveAxis::updates},
                                            {"pass_at_2_flops", CurveMeasure::pass_at_2, CurveAxis::flops}}) {
    const auto picture = table1_curves(column, out, measure, axis);
    if (!picture.empty()) write_atomically(out / (std::string(name) + "_" + column.key + ".svg"), picture);
  }
}

void run_table1(const Table1Options& options) {
  const auto columns = columns_of(options);
  auto experiments = chosen(columns, options);
  const bool json = options.study.format == "json";
  const fs::path out = options.study.out;
  auto cells = collect_table1(columns, out);  // before hours of work: are the runs there of these settings?
  if (options.study.plan) {
    std::cout << (json ? json_text(table1_json(columns, cells), 2) + "\n" : table1_plan(columns, cells));
    return;
  }
  // At the paper's size only what was asked for by name: a row is days of a GPU.
  const bool runs = !options.study.collect && (options.scale == "mini" || !options.rows.empty());
  if (runs) run_all(std::move(experiments), options.study);
  if (find_place().rank > 0) return;  // rank 0 collects
  cells = collect_table1(columns, out);
  ensure_folder(out);
  write_atomically(out / "table1.md", table1_markdown(columns, cells));
  write_atomically(out / "table1.tex", table1_latex(columns, cells));
  write_json(out / "table1.json", table1_json(columns, cells));
  for (const auto& column : columns) write_curves(column, out);
  if (json) {
    std::cout << json_text(table1_json(columns, cells), 2) << "\n";
  } else {
    std::cout << (options.study.format == "latex" ? table1_latex(columns, cells) : table1_markdown(columns, cells));
  }
  log_info("written to " + (out / "table1.{md,tex,json}").string() + " and curves as .svg");
}

}  // namespace

void add_reproduce_command(CLI::App& app) {
  CLI::App* reproduce = app.add_subcommand("reproduce", "Run the paper's studies, and print measured beside stated");
  reproduce->require_subcommand(1);
  reproduce->footer("Examples:\n  dis reproduce table1 --plan\n  dis reproduce nqueens --seeds 3");

  auto table = std::make_shared<Table1Options>();
  CLI::App* table1 = reproduce->add_subcommand("table1", "Table 1: ARC-1 and ARC-2, every row");
  table->study.add_to(*table1, "runs/table1");
  table1->add_option("--row", table->rows, "Run this row (trm_compact, dis_compact, ...); may be repeated");
  table1->add_option("--set", table->sets,
                     "Of these rows only arc1 or arc2, of --scale mini equal_flops or equal_samples; may be repeated");
  table1->add_option("--scale", table->scale, "paper; or mini: the same rows on a small set of tasks")
      ->check(CLI::IsMember({"paper", "mini"}));
  table1->add_option("--configs", table->configs, "Folder of the rows")->capture_default_str();
  table1->add_option("--small", table->small, "Configuration of the small set")->capture_default_str();
  const auto& seed = *find_field("seed");
  table1->add_option("--seed", table->seed, "Seed of every run, in place of the configurations'; needs its own --out")
      ->check(CLI::Range(seed.lowest.get<std::int64_t>(), seed.highest.get<std::int64_t>()));
  table1->add_option("--format", table->study.format, "markdown, json or latex")
      ->check(CLI::IsMember({"markdown", "json", "latex"}));
  table1->add_flag_callback(
      "--json", [table] { table->study.format = "json"; }, "As --format json");
  table1->footer(
      "Examples:\n  dis reproduce table1 --plan\n  dis reproduce table1 --scale mini\n"
      "  scripts/launch 4 -- reproduce table1 --row dis_compact --set arc1");
  table1->callback([table, table1] {
    if (table1->count("--out") == 0 && table->scale == "mini") table->study.out += "_mini";
    run_table1(*table);
  });

  auto ablation = std::make_shared<AblationOptions>();
  CLI::App* nqueens =
      reproduce->add_subcommand("nqueens", "The N-Queens ablation: one factor at a time, several seeds");
  ablation->study.add_to(*nqueens, "runs/ablation");
  ablation->base.file = "configs/nqueens/ablation.json";
  ablation->base.add_to(*nqueens);
  nqueens->add_option("--factor", ablation->factors, "Only this factor beside the base; may be repeated");
  nqueens->add_option("--seeds", ablation->seeds, "Runs of each variant")->check(CLI::Range(1, 1000));
  nqueens->add_flag_callback(
      "--json", [ablation] { ablation->study.format = "json"; }, "Print JSON");
  nqueens->footer(
      "Examples:\n  dis reproduce nqueens --plan\n  dis reproduce nqueens --share 1/2 --threads 1 & "
      "dis reproduce nqueens --share 2/2 --threads 1\n"
      "  dis reproduce nqueens --config configs/nqueens/dis.json --out runs/ablation8");
  nqueens->callback([ablation] { run_ablation(*ablation); });
}

}  // namespace dis
