// `data.kind = colouring` from the command line: trained, evaluated, drawn, analysed.
#include <gtest/gtest.h>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/json.h"

namespace dis {
namespace {

Arguments small_graphs() {
  return set({"data.kind=colouring", "data.vertices=7", "data.edge_probability=0.7", "data.train_graphs=40",
              "data.test_graphs=12", "model.hidden_size=16", "model.num_heads=2", "model.expansion=0.5",
              "model.puzzle_emb_len=1", "method.num_supervision=2", "train.global_batch=4", "train.steps=12",
              "train.eval_every=6", "train.keep_best=true", "compute.dtype=float32", "compute.threads=1"});
}

TEST(Colouring, IsTrainedAndScoredByItsOwnMeasures) {
  const TemporaryFolder folder;
  const auto run = (folder / "run").string();
  expect_success(Arguments{"train", "--run-dir", run} + small_graphs());
  const auto scores = json_of({"eval", "--run", run, "--json"});
  const auto& examples = scores.at("examples");
  EXPECT_EQ(examples.begin().key(), "valid");
  for (const char* share : {"valid", "exact"}) EXPECT_EQ(examples.at(share).at("total"), 12);
  const double mean = examples.at("conflicts").at("mean");
  EXPECT_NEAR(12 * mean, examples.at("conflicts").at("total").get<double>(), 1e-9);
  EXPECT_TRUE(examples.at("token_accuracy").is_number());
  EXPECT_EQ(scores.at("per_supervision_step").size(), 2U);
  EXPECT_EQ(scores.at("per_supervision_step").back(), examples);
  EXPECT_EQ(read_json(folder / "run/eval/12.json"), scores);

  const auto shown = run_program({"eval", "--run", run, "--show", "1"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  for (const char* part : {"12 test graphs", "valid [95 %]", "conflicts", "givens", "step 2"}) {
    EXPECT_NE(shown.out.find(part), std::string::npos) << part << " in " << shown.out;
  }
  expect_success({"analyze", "--run", run, "--set", "analyze.one_completion=false"});
  expect_success({"report", "--run", run});
}

TEST(Colouring, IsCountedAndDrawnAndNotExported) {
  const auto info = json_of(Arguments{"data", "info", "--json"} + small_graphs());
  EXPECT_EQ(info.at("training").at("graphs"), 40);
  EXPECT_EQ(info.at("trained_test_pairs").at("trained"), 0);
  const auto shown = run_program(Arguments{"data", "show", "--test", "test", "--count", "2"} + small_graphs());
  EXPECT_NE(shown.out.find("test graphs 0 to 1 of 12"), std::string::npos) << shown.out << shown.err;
  const TemporaryFolder folder;
  const auto refused =
      run_program(Arguments{"data", "export", "--output", (folder / "rows").string()} + small_graphs());
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("dis data export writes"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace dis
