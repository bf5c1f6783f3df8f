#include "dis/model/weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dis/core/json.h"

namespace dis {
namespace {

using Shape = std::vector<std::int64_t>;

/// The paper's "compact" (width 256, 1 layer) and "medium" (512, 2 layers) for ARC: 12 tokens.
ModelShape arc_shape(std::int64_t width, std::int64_t layers) {
  ModelShape shape;
  shape.config.hidden_size = width;
  shape.config.num_layers = layers;
  shape.config.puzzle_emb_ndim = width;
  shape.vocabulary = shape.answers = 12;
  shape.length = 900;
  shape.identifiers = 20;
  return shape;
}

TEST(WeightTable, HasTheOfficialNamesAndShapes) {
  using enum WeightKind;
  struct Line {
    std::string name;
    Shape shape;
    WeightKind kind;
  };
  const std::vector<Line> official = {
      {"model.inner.embed_tokens.embedding_weight", {12, 512}, parameter},
      {"model.inner.lm_head.weight", {12, 512}, parameter},
      {"model.inner.timestep_embed.embedding_weight", {8, 512}, parameter},
      {"model.inner.L_level.layers.0.self_attn.qkv_proj.weight", {1536, 512}, parameter},
      {"model.inner.L_level.layers.0.self_attn.o_proj.weight", {512, 512}, parameter},
      {"model.inner.L_level.layers.0.mlp.gate_up_proj.weight", {3072, 512}, parameter},
      {"model.inner.L_level.layers.0.mlp.down_proj.weight", {512, 1536}, parameter},
      {"model.inner.L_level.layers.1.self_attn.qkv_proj.weight", {1536, 512}, parameter},
      {"model.inner.L_level.layers.1.self_attn.o_proj.weight", {512, 512}, parameter},
      {"model.inner.L_level.layers.1.mlp.gate_up_proj.weight", {3072, 512}, parameter},
      {"model.inner.L_level.layers.1.mlp.down_proj.weight", {512, 1536}, parameter},
      {"model.inner.q_head.weight", {2, 512}, head},
      {"model.inner.q_head.bias", {2}, head},
      {"model.inner.puzzle_emb.weights", {20, 512}, buffer},
      {"model.inner.H_init", {512}, buffer},
      {"model.inner.L_init", {512}, buffer},
  };
  const auto table = weight_table(arc_shape(512, 2));
  ASSERT_EQ(table.size(), official.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(table[i].name, official[i].name);
    EXPECT_EQ(table[i].shape, official[i].shape) << table[i].name;
    EXPECT_EQ(table[i].kind, official[i].kind) << table[i].name;
  }
}

TEST(WeightTable, LeavesOutWhatTheSettingsSwitchOff) {
  auto shape = arc_shape(64, 1);
  shape.config.puzzle_embedding = false;
  shape.time = TimeEmbedding::continuous;
  for (const auto& spec : weight_table(shape)) {
    EXPECT_EQ(spec.name.find("puzzle_emb"), std::string::npos);
    EXPECT_EQ(spec.name.find("timestep_embed"), std::string::npos);
  }
  EXPECT_EQ(weight_table(shape).size(), 10u);
}

TEST(WeightTable, TheInnerWidthIsRoundedUpToMultiplesOf256) {
  for (const auto& [width, inner] : {std::pair{64, 256}, {96, 256}, {128, 512}, {256, 768}, {512, 1536}}) {
    EXPECT_EQ(arc_shape(width, 1).inner(), inner) << width;
  }
}

TEST(Weights, CountsAreThoseOfTheOfficialNetworks) {
  const Weights compact(arc_shape(256, 1), 0, at::kCPU, at::kFloat);
  EXPECT_EQ(compact.block_parameters(), 851'968);
  EXPECT_EQ(compact.flat().numel(), 860'674);
  EXPECT_EQ(compact.parameters(), 860'674 - (2 * 256 + 2));  // DIS does not train the halting head
  EXPECT_EQ(compact.gradient().numel(), compact.flat().numel());
  const Weights medium(arc_shape(512, 2), 0, at::kCPU, at::kFloat);
  EXPECT_EQ(medium.flat().numel(), 6'833'154);
}

/// "...layers.1.self..." -> "...layers.*.self...", as the statistics are named.
std::string without_layer(std::string name) {
  const auto at = name.find("layers.");
  if (at != std::string::npos) name[at + 7] = '*';
  return name;
}

TEST(Weights, InitialValuesAreDistributedAsTheOfficialOnes) {
  const auto statistics = read_json(DIS_SOURCE_DIR "/tests/data/golden/init_statistics.json");
  const double bound = statistics.at("bound_in_std").get<double>();
  const auto& unit = statistics.at("unit_float32");
  const double unit_samples = unit.at("samples").get<double>();
  for (const auto& [width, key] : {std::pair{256, "D256"}, {512, "D512"}}) {
    auto shape = arc_shape(width, 2);
    const Weights weights(shape, 3, at::kCPU, at::kFloat);
    for (std::size_t i = 0; i < weights.table().size(); ++i) {
      const auto& name = weights.table()[i].name;
      SCOPED_TRACE(name);
      const auto values = weights.tensor(i).to(at::kDouble).flatten();
      const auto& official = statistics.at("models").at(key).at(without_layer(name));
      const auto& expected = official.at("expected_std");
      if (expected.is_null() || expected.get<double>() == 0.0) {
        const double constant = name.ends_with("q_head.bias") ? -5.0 : 0.0;
        EXPECT_EQ(official.at("mean").get<double>(), constant);
        EXPECT_TRUE(values.eq(constant).all().item<bool>());
        continue;
      }
      const double std = expected.get<double>(), samples = static_cast<double>(values.numel());
      EXPECT_NEAR(values.std(false).item<double>() / std, 1.0, 4.0 / std::sqrt(2.0 * samples));
      EXPECT_NEAR(values.mean().item<double>(), 0.0, 4.0 * std / std::sqrt(samples));
      EXPECT_LE(values.abs().max().item<double>(), bound * std * (1.0 + 1e-6));
      for (const auto& [share_text, quantile] : unit.at("quantiles").items()) {
        // As many values lie below the official quantile as should, within 4 standard deviations of both samples.
        const double share = std::stod(share_text);
        const double below = values.lt(quantile.get<double>() * std).to(at::kDouble).mean().item<double>();
        EXPECT_NEAR(below, share, 4.0 * std::sqrt(share * (1.0 - share) * (1.0 / samples + 1.0 / unit_samples)))
            << "quantile " << share_text;
      }
    }
  }
}

TEST(Weights, AreAFunctionOfTheSeed) {
  const auto shape = arc_shape(64, 2);
  const Weights one(shape, 1, at::kCPU, at::kFloat), again(shape, 1, at::kCPU, at::kFloat);
  const Weights other(shape, 2, at::kCPU, at::kFloat);
  for (std::size_t i = 0; i < one.table().size(); ++i) {
    const auto& spec = one.table()[i];
    EXPECT_TRUE(one.tensor(i).equal(again.tensor(i))) << spec.name;
    if (spec.init_std > 0.0) {
      EXPECT_LT(one.tensor(i).eq(other.tensor(i)).to(at::kDouble).mean().item<double>(), 0.01) << spec.name;
    }
  }
  // No two tensors share their draws.
  const auto& blocks = one.master().blocks;
  EXPECT_FALSE(blocks[0][0][0].equal(blocks[1][0][0]));
  EXPECT_FALSE(one.master().y_init.equal(one.master().z_init));
}

TEST(Weights, TheComputeCopyFollowsTheMasterWeights) {
  const auto shape = arc_shape(64, 1);
  Weights narrow(shape, 1, at::kCPU, at::kBFloat16);
  const Weights wide(shape, 1, at::kCPU, at::kFloat);
  EXPECT_TRUE(narrow.flat().equal(wide.flat()));  // the type of the products does not change what is drawn
  EXPECT_TRUE(narrow.compute().blocks[0][0][0].equal(wide.master().blocks[0][0][0].detach().to(at::kBFloat16)));
  narrow.assign(wide.flat() * 2.0);
  EXPECT_TRUE(narrow.compute().lm_head.equal((wide.master().lm_head.detach() * 2.0).to(at::kBFloat16)));
  EXPECT_TRUE(narrow.master().lm_head.detach().equal(wide.master().lm_head.detach() * 2.0));
}

}  // namespace
}  // namespace dis
