// The studies' runs: what they vary, what they keep equal, and that a finished run is not run again.
#include <gtest/gtest.h>

#include <set>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/reproduce/ablation.h"
#include "dis/reproduce/table1.h"
#include "dis/train/schedule.h"

namespace dis {
namespace {

RunConfig base() { return load_config(DIS_SOURCE_DIR "/configs/nqueens/ablation.json"); }

TEST(Ablation, EveryVariantCostsWhatTheBaseCosts) {
  const auto variants = ablation_variants(base(), {});
  ASSERT_GT(variants.size(), 20U);
  const auto flops = [](const Variant& variant) { return training_flops(variant.config, 25, 3); };
  std::set<std::string> names;
  for (const auto& variant : variants) {
    EXPECT_NEAR(flops(variant) / flops(variants.front()), 1.0, 0.03) << variant.name();
    EXPECT_TRUE(names.insert(variant.name()).second) << variant.name();
    EXPECT_EQ(variant.config == base(), variant.factor == "base") << variant.name();
  }
}

TEST(Ablation, AFactorCanBeAskedForAlone) {
  for (const auto& variant : ablation_variants(base(), {"time"})) {
    EXPECT_TRUE(variant.factor == "base" || variant.factor == "time");
  }
  const auto message = user_error_of([] { ablation_variants(base(), {"tmie"}); });
  EXPECT_TRUE(contains(message, "unknown factor 'tmie'") && contains(message, "targets, time")) << message;
}

/// A base that takes a blink.
RunConfig tiny() {
  auto config = base();
  config.model.hidden_size = 16;
  config.train.steps = 12;
  config.train.global_batch = 4;
  config.data.train_boards = 20;
  config.data.test_boards = 10;
  config.compute.threads = 1;
  config.eval.decoder = Decoder::argmax;
  return config;
}

TEST(Ablation, RunsAreKeptPairedBySeedAndNotRunAgain) {
  const TemporaryFolder folder;
  const auto variants = ablation_variants(tiny(), {"update"});
  ASSERT_EQ(variants.size(), 2U);
  const auto ranks = std::make_shared<const Ranks>();
  EXPECT_EQ(collect_ablation(variants, 2, folder.path()).variants[0].seeds, 0);
  EXPECT_NE(to_markdown(collect_ablation(variants, 2, folder.path())).find("not run"), std::string::npos);
  for (const auto& variant : variants) {
    for (std::int64_t seed = 0; seed < 2; ++seed) run_experiment(experiment_of(variant, seed), folder.path(), ranks);
  }
  const auto scores = collect_ablation(variants, 2, folder.path());
  const auto share = [&](const Variant& variant, std::int64_t seed) {
    const auto found = findings_of(experiment_of(variant, seed), folder.path());
    return found->evaluation["test_sets"]["boards"]["argmax"]["valid"]["value"].get<double>();
  };
  EXPECT_EQ(scores.variants[1].seeds, 2);
  EXPECT_DOUBLE_EQ(scores.variants[1].valid.value, (share(variants[1], 0) + share(variants[1], 1)) / 2);
  EXPECT_NEAR(scores.variants[1].valid_difference.value,
              (share(variants[1], 0) - share(variants[0], 0) + share(variants[1], 1) - share(variants[0], 1)) / 2,
              1e-12);
  const auto log = folder.path() / "base" / "seed0" / "log.txt";
  const auto before = read_text(log);
  run_experiment(experiment_of(variants[0], 0), folder.path(), ranks);
  EXPECT_EQ(read_text(log), before);

  auto other = variants[0];
  other.config.optim.lr *= 2;
  const auto message = user_error_of([&] { run_experiment(experiment_of(other, 0), folder.path(), ranks); });
  EXPECT_TRUE(contains(message, "holds a run with other settings")) << message;
}

TEST(Table1, EveryRowIsAConfigurationOfItsOwnMethod) {
  const auto columns = table1_columns(DIS_SOURCE_DIR "/configs/table1");
  ASSERT_EQ(columns.size(), 2U);
  const auto cells = collect_table1(columns, "no such folder");
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t r = 0; r < table1_rows().size(); ++r) {
      const auto& row = table1_rows()[r];
      if (row.key.empty()) continue;
      const auto& config = columns[c].experiments[r]->config;
      EXPECT_EQ(config.run.row, row.title);
      EXPECT_EQ(config.run.assumed, row.assumed);
      const auto name = to_string(config.method.algorithm);
      EXPECT_TRUE(row.key.starts_with(name)) << row.key << " trains " << name;
      EXPECT_EQ(config.optim.ema_rate, config.method.algorithm == Algorithm::trm ? 0.999 : 0.0);
      EXPECT_FALSE(cells[c][r].found);
    }
  }
  EXPECT_EQ(cells[0][0].passes, 48);   // TRM-compact: 16 x 1 x 3
  EXPECT_EQ(cells[0][1].passes, 18);   // DIS-compact: 6 x 1 x 3
  EXPECT_EQ(cells[0][4].passes, 336);  // TRM: 16 x 3 x 7
  EXPECT_EQ(cells[0][5].passes, 126);  // DIS, assumed: 6 x 3 x 7
  EXPECT_EQ(cells[0][1].block_parameters, 851968);
  EXPECT_EQ(cells[0][3].block_parameters, 6815744);
  const auto table = table1_markdown(columns, cells);
  for (const char* part : {"DIS (assumed)", "Grok-4-thinking (quoted)", "not run", "41.3", "24.0"}) {
    EXPECT_NE(table.find(part), std::string::npos) << part;
  }
}

TEST(Table1, TheSmallRowsShareABudget) {
  const auto small = load_config(DIS_SOURCE_DIR "/configs/arc/mini.json");
  const auto columns = table1_mini_columns(DIS_SOURCE_DIR "/configs/table1", small);
  const auto cells = collect_table1(columns, "no such folder");
  for (std::size_t r = 0; r < 7; ++r) {
    EXPECT_NEAR(cells[0][r].flops / cells[0][1].flops, 1.0, 0.03);
    const auto& config = columns[0].experiments[r]->config;
    EXPECT_EQ(config.model.hidden_size, r < 2 ? 128 : 256);
    EXPECT_EQ(config.optim.lr, r < 2 ? small.optim.lr : small.optim.lr / 8) << "too high for the wider networks";
  }
  const auto& trm = columns[1].experiments[0]->config;
  const auto& dis = columns[1].experiments[1]->config;
  EXPECT_EQ(trm.train.steps / 16 * trm.train.global_batch, dis.train.steps / 6 * dis.train.global_batch);
}

/// What a finished run of this experiment leaves for the table; pass@2 is `solved` of 4 tasks.
void write_finished_run(const Experiment& experiment, const std::filesystem::path& folder, int solved) {
  const auto run = folder / experiment.name;
  const auto updates = updates_of(experiment.config);
  const auto checkpoint = run / "checkpoints" / std::to_string(updates);
  ensure_folder(checkpoint);
  ensure_folder(run / "eval");
  write_json(run / "config.json", to_json(experiment.config));
  write_json(checkpoint / "state.json",
             {{"step", updates}, {"samples", 777}, {"seconds", 7200.0}, {"device_seconds", 14400.0}});
  std::filesystem::create_directory_symlink(std::to_string(updates), run / "checkpoints/latest");
  std::string metrics;
  for (const auto update : {updates / 2, updates}) {
    metrics += Json{{"step", update}, {"samples", 777}, {"loss", 1.0}, {"exact", 0.5}}.dump() + "\n";
    const double value = solved / 4.0;
    write_json(run / "eval" / (std::to_string(update) + ".json"),
               {{"checkpoint", std::to_string(update)},
                {"arc", {{"pass_at", {{"2", {{"arc_prize", {{"value", value}, {"lower", 0.1}, {"upper", 0.9}}}}}}}}}});
  }
  write_atomically(run / "metrics.jsonl", metrics);
}

TEST(Table1, ShowsWhatIsFinishedInEveryForm) {
  const TemporaryFolder folder;
  const auto columns = table1_columns(DIS_SOURCE_DIR "/configs/table1");
  EXPECT_EQ(table1_curves(columns[0], folder.path(), CurveMeasure::pass_at_2, CurveAxis::flops), "");
  write_finished_run(*columns[0].experiments[1], folder.path(), 1);  // DIS-compact on ARC-1
  write_finished_run(*columns[0].experiments[4], folder.path(), 3);  // TRM
  const auto cells = collect_table1(columns, folder.path());
  EXPECT_TRUE(cells[0][1].found && cells[0][4].found && !cells[1][1].found);

  const auto markdown = table1_markdown(columns, cells);
  EXPECT_NE(markdown.find("| DIS-compact | 25.0 [10.0, 90.0], 4.00 h | 24.0 | not run | 0.0 |"), std::string::npos)
      << markdown;
  const auto latex = table1_latex(columns, cells);
  EXPECT_NE(latex.find("DIS-compact & 25.0 [10.0, 90.0], 4.00 h & 24.0 & not run & 0.0 \\\\\n"), std::string::npos)
      << latex;
  EXPECT_EQ(std::ranges::count(latex, '&'), 4 * (static_cast<std::ptrdiff_t>(table1_rows().size()) + 1));

  const auto json = table1_json(columns, cells);
  const auto& dis = json.at("columns").at(0).at("rows").at(1);
  EXPECT_EQ(dis.at("row"), "DIS-compact");
  EXPECT_EQ(dis.at("measured").at("device_hours"), 4.0);
  EXPECT_EQ(dis.at("measured").at("samples"), 777);
  EXPECT_EQ(json.at("columns").at(1).at("rows").at(1).at("measured"), Json());
  EXPECT_TRUE(json.at("columns").at(0).at("rows").back().at("quoted"));

  const auto plan = table1_plan(columns, cells);
  EXPECT_EQ(std::ranges::count(plan, '\n'), 2 + 14) << plan;
  EXPECT_NE(plan.find("GPU hours assume one H100"), std::string::npos);

  const auto curves = table1_curves(columns[0], folder.path(), CurveMeasure::pass_at_2, CurveAxis::updates);
  EXPECT_NE(curves.find("DIS-compact"), std::string::npos);
  EXPECT_NE(curves.find(">TRM<"), std::string::npos) << curves;
  EXPECT_EQ(curves.find("TRM-medium"), std::string::npos) << "nothing of that row has begun";
}

}  // namespace
}  // namespace dis
