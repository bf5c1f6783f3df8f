// Which weights an update touches, and with which rate; the formulas of the updates are tested in ops and golden.
#include "dis/train/optimiser.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "dis/train/schedule.h"
#include "train/small_run.h"

namespace dis {
namespace {

class Optimisers : public ::testing::TestWithParam<OptimiserKind> {
 protected:
  static RunConfig config() {
    auto config = small_config();
    config.optim.name = GetParam();
    config.optim.lr = 0.125;
    config.optim.weight_decay = 0.5;
    config.optim.puzzle_lr = 0.25;
    config.optim.puzzle_weight_decay = 0.5;
    config.optim.ema_rate = 0.75;
    return config;
  }
};

TEST_P(Optimisers, HeadsAreLeftAloneAndUnusedRowsOnlyDecay) {
  SmallRun run(config());
  {
    const at::NoGradGuard no_grad;
    run.tensor("q_head.weight").detach().fill_(3.0);
    run.puzzles().detach().fill_(1.0);
  }
  const auto time = run.tensor("timestep_embed.embedding_weight").clone();
  const auto head = run.tensor("lm_head.weight").clone();
  run.loop.run(1);
  EXPECT_TRUE(run.tensor("q_head.weight").eq(3.0).all().item<bool>());
  EXPECT_TRUE(run.tensor("q_head.bias").eq(-5.0).all().item<bool>());
  const double decay = 1.0 - 0.125 * 0.5;
  const auto& now = run.tensor("timestep_embed.embedding_weight");
  for (const int row : {0, 2, 3, 4}) EXPECT_TRUE(at::allclose(now[row], time[row] * decay, 1e-6, 0.0)) << row;
  EXPECT_FALSE(at::allclose(now[1], time[1] * decay, 1e-2));
  EXPECT_FALSE(at::allclose(run.tensor("lm_head.weight"), head * decay, 1e-2));
  EXPECT_TRUE(run.puzzles()[5].eq(1.0).all().item<bool>());  // identifier 5 is in no batch
}

TEST_P(Optimisers, PuzzleRowsOfTheBatchDecayEvenWithoutGradient) {
  SmallRun run(config());
  const at::NoGradGuard no_grad;
  run.puzzles().detach().fill_(2.0);
  auto gradient = at::zeros({3, 30});
  gradient[0].fill_(0.5);
  gradient[1].fill_(-0.5);  // the same identifier: their sum is 0
  gradient[2].fill_(-0.01);
  run.optimiser.prepare();
  run.optimiser.apply(torch::tensor(std::vector<std::int32_t>{1, 1, 4}, at::kInt), gradient);
  const float decayed = 2.0F * (1.0F - 0.25F * 0.5F);
  EXPECT_TRUE(run.puzzles()[1].eq(decayed).all().item<bool>());
  EXPECT_TRUE(run.puzzles()[4].eq(decayed + 0.25F).all().item<bool>());
  for (const int row : {0, 2, 3, 5}) EXPECT_TRUE(run.puzzles()[row].eq(2.0).all().item<bool>()) << row;
}

TEST_P(Optimisers, TheAverageCoversTheParameters) {
  SmallRun run(config());
  const auto start = run.model.weights().flat().clone();
  run.loop.run(1);
  const auto trained = run.model.weights().parameters();
  const auto want = (0.75 * start + 0.25 * run.model.weights().flat());
  EXPECT_EQ(run.optimiser.ema().numel(), run.model.weights().flat().numel());  // no puzzle table, no initial states
  EXPECT_TRUE(at::allclose(run.optimiser.ema(), want, 1e-5, 1e-7));
  EXPECT_TRUE(run.optimiser.ema().narrow(0, trained, start.numel() - trained).equal(start.slice(0, trained)));
  run.optimiser.restart_ema();
  EXPECT_TRUE(run.optimiser.ema().equal(run.model.weights().flat()));
}

TEST_P(Optimisers, TheInitialStatesAreNeverTrained) {
  SmallRun run(config());
  const auto y = run.tensor("H_init").clone(), z = run.tensor("L_init").clone();
  run.loop.run(3);
  EXPECT_TRUE(run.tensor("H_init").equal(y));
  EXPECT_TRUE(run.tensor("L_init").equal(z));
}

TEST_P(Optimisers, TheWarmUpScalesBothRates) {
  auto warm = config();
  warm.optim.warmup_steps = 4;
  SmallRun run(warm);
  run.loop.run(1);
  EXPECT_DOUBLE_EQ(run.optimiser.last_rate(), 0.125 / 4);
  EXPECT_EQ(run.puzzles().abs().max().item<float>(), 0.25F / 4);
  run.loop.run(1);
  EXPECT_DOUBLE_EQ(run.optimiser.last_rate(), 0.125 / 2);
  EXPECT_EQ(run.model.weights().gradient().abs().max().item<float>(), 0.0F);  // zero again after each update
}

std::string name_of(const ::testing::TestParamInfo<OptimiserKind>& instance) { return to_string(instance.param); }

TEST(MuonOfARun, TakesTheMatricesOfTheBlocksAndLeavesTheRestToAdamW) {
  auto config = small_config();
  config.optim.ema_rate = 0.75;
  config.optim.name = OptimiserKind::adamw;
  SmallRun adamw(config, at::kBFloat16);
  config.optim.name = OptimiserKind::muon;
  SmallRun muon(config, at::kBFloat16);
  config.optim.muon_embeddings = true;
  SmallRun all(config, at::kBFloat16);
  const auto before = muon.model.weights().flat().clone();
  for (auto* run : {&adamw, &muon, &all}) run->loop.run(1);
  for (const char* name : {"embed_tokens.embedding_weight", "timestep_embed.embedding_weight", "lm_head.weight"}) {
    EXPECT_TRUE(muon.tensor(name).equal(adamw.tensor(name))) << name;
    EXPECT_FALSE(all.tensor(name).equal(adamw.tensor(name))) << name;
  }
  for (const char* name : {"qkv_proj", "o_proj"}) {
    const auto full = "L_level.layers.0.self_attn." + std::string(name) + ".weight";
    EXPECT_FALSE(muon.tensor(full).equal(adamw.tensor(full))) << name;
    EXPECT_TRUE(muon.tensor(full).equal(all.tensor(full))) << name;
  }
  const auto& weights = muon.model.weights();
  EXPECT_TRUE(weights.compute_copy()
                  .narrow(0, 0, weights.parameters())
                  .equal(weights.flat().narrow(0, 0, weights.parameters()).to(at::kBFloat16)));
  EXPECT_TRUE(at::allclose(muon.optimiser.ema(), 0.75 * before + 0.25 * weights.flat(), 0.0, 1e-6));
}

TEST(MuonOfARun, KeepsOneNumberForEachOfItsWeights) {
  auto config = small_config();
  config.optim.name = OptimiserKind::muon;
  SmallRun run(config);
  std::int64_t numbers = 0, blocks = 0;
  for (const auto& [name, tensor] : run.optimiser.state()) {
    numbers += tensor.numel();
    const bool block = name.find(".layers.") != std::string::npos;
    blocks += block ? tensor.numel() : 0;
    EXPECT_EQ(name.starts_with("muon.m."), block) << name;
  }
  EXPECT_EQ(blocks, run.model.weights().block_parameters());
  EXPECT_EQ(numbers, 2 * run.model.weights().parameters() - blocks);
  EXPECT_EQ(numbers, optimiser_numbers(optimised_weights(config.optim, run.model.weights().table())));
}

INSTANTIATE_TEST_SUITE_P(Kinds, Optimisers,
                         ::testing::Values(OptimiserKind::adam_atan2, OptimiserKind::adam_atan2_trm,
                                           OptimiserKind::adamw, OptimiserKind::muon),
                         name_of);

}  // namespace
}  // namespace dis
