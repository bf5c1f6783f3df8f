#include "dis/model/weights_file.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <filesystem>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/model/state_dict.h"
#include "dis/model/torch_file.h"

namespace dis {
namespace {

const std::string kPuzzles = "model.inner.puzzle_emb.weights";
const std::string kHead = "model.inner.lm_head.weight";

ModelShape file_shape(std::int64_t identifiers = 3) {
  ModelShape shape;
  shape.config.hidden_size = 16;
  shape.config.num_heads = 2;
  shape.config.expansion = 0.5;
  shape.config.puzzle_emb_len = 2;
  shape.config.puzzle_emb_ndim = 20;
  shape.vocabulary = shape.answers = 5;
  shape.length = 6;
  shape.identifiers = identifiers;
  return shape;
}

/// Weights with nothing at its initial value.
Weights weights_of(std::uint64_t seed, std::int64_t identifiers = 3) {
  Weights weights(file_shape(identifiers), seed, at::kCPU, at::kBFloat16);
  for (std::size_t i = 0; i < weights.table().size(); ++i) {
    const auto& tensor = weights.tensor(i);
    const at::NoGradGuard no_grad;
    tensor.detach().add_(at::arange(tensor.numel(), at::kFloat).view(tensor.sizes()) * 0.001 +
                         0.1 * static_cast<double>(seed));
  }
  weights.refresh();
  return weights;
}

NamedTensors tensors_of(const Weights& weights) {
  NamedTensors tensors;
  for (std::size_t i = 0; i < weights.table().size(); ++i) {
    tensors.emplace_back(weights.table()[i].name, weights.tensor(i).clone());
  }
  return tensors;
}

at::Tensor& named(NamedTensors& tensors, const std::string& name) {
  const auto it = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.first == name; });
  if (it == tensors.end()) throw std::logic_error(name);
  return it->second;
}

void expect_equal(const Weights& weights, NamedTensors tensors) {
  for (std::size_t i = 0; i < weights.table().size(); ++i) {
    const auto& name = weights.table()[i].name;
    EXPECT_TRUE(weights.tensor(i).equal(named(tensors, name).to(at::kFloat))) << name;
  }
  EXPECT_TRUE(weights.compute_copy().equal(weights.flat().to(at::kBFloat16)));
}

class WeightsFile : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "weights.safetensors"; }
  /// Loading must fail, name the file, say `parts`, and change nothing.
  void expect_refused(const std::vector<std::string>& parts) {
    for (const bool adopt : {false, true}) {
      auto weights = weights_of(2);
      const auto before = tensors_of(weights);
      const auto message = user_error_of([&] {
        if (adopt) {
          adopt_weights(file(), weights, {"<blank>", "a", "b"}, {});
        } else {
          load_weights(file(), weights);
        }
      });
      EXPECT_TRUE(contains(message, file().string())) << message;
      for (const auto& part : parts) EXPECT_TRUE(contains(message, part)) << message;
      expect_equal(weights, before);
    }
  }

  TemporaryFolder folder_;
};

TEST_F(WeightsFile, RoundTripIsExact) {
  const auto saved = weights_of(1);
  save_weights(file(), saved);
  auto loaded = weights_of(2);
  load_weights(file(), loaded);
  expect_equal(loaded, tensors_of(saved));
  EXPECT_TRUE(loaded.flat().equal(saved.flat()));
}

TEST_F(WeightsFile, SavesTheParametersOfAnotherFlatBuffer) {
  const auto weights = weights_of(1), average = weights_of(4);
  save_weights(file(), weights, average.flat());
  auto loaded = weights_of(2);
  load_weights(file(), loaded);
  EXPECT_TRUE(loaded.flat().equal(average.flat()));
  EXPECT_TRUE(loaded.master().puzzle.equal(weights.master().puzzle));  // the average covers parameters only
  EXPECT_TRUE(loaded.master().y_init.equal(weights.master().y_init));
}

TEST_F(WeightsFile, AcceptsAnyPrefixAndNarrowInitialStates) {
  auto tensors = tensors_of(weights_of(1));
  for (const char* name : {"model.inner.H_init", "model.inner.L_init"}) {
    named(tensors, name) = named(tensors, name).to(at::kBFloat16);
  }
  auto expected = tensors;
  const auto plain = tensors;
  for (const std::string prefix : {"_orig_mod.", "module._orig_mod.", "ema.", "state_dict.module."}) {
    for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].first = prefix + plain[i].first;
    auto stored = tensors;
    write_tensors(file(), stored);
    auto loaded = weights_of(2);
    load_weights(file(), loaded);
    expect_equal(loaded, expected);
    stored.emplace_back("optimizer.step", at::zeros({1}));
    for (const auto& write : {write_tensors, write_torch_file}) {
      write(file(), stored);
      auto adopted = weights_of(2);
      adopt_weights(file(), adopted, {"<blank>", "a", "b"}, {});
      expect_equal(adopted, expected);
    }
    write_tensors(file(), stored);
    EXPECT_TRUE(contains(user_error_of([&] { load_weights(file(), loaded); }), "'optimizer.step' does not belong"));
  }
}

TEST_F(WeightsFile, RefusesAMissingTensor) {
  auto tensors = tensors_of(weights_of(1));
  std::erase_if(tensors, [](const auto& t) { return t.first == kHead; });
  write_tensors(file(), tensors);
  expect_refused({"'" + kHead + "'", "F32 [5, 16]", "missing"});
}

TEST_F(WeightsFile, RefusesASurplusTensor) {
  auto tensors = tensors_of(weights_of(1));
  tensors.emplace_back("model.inner.L_level.layers.1.mlp.down_proj.weight", at::zeros({16, 256}));
  write_tensors(file(), tensors);
  expect_refused({"'model.inner.L_level.layers.1.mlp.down_proj.weight'", "does not belong"});
}

TEST_F(WeightsFile, RefusesAWrongShape) {
  auto tensors = tensors_of(weights_of(1));
  named(tensors, kHead) = at::zeros({6, 16});
  write_tensors(file(), tensors);
  expect_refused({"'" + kHead + "'", "F32 [5, 16]", "found F32 [6, 16]"});
}

TEST_F(WeightsFile, RefusesAWrongType) {
  auto tensors = tensors_of(weights_of(1));
  named(tensors, kHead) = at::zeros({5, 16}, at::kInt);
  write_tensors(file(), tensors);
  expect_refused({"'" + kHead + "'", "floating-point", "found I32"});
}

TEST_F(WeightsFile, RefusesATruncatedFile) {
  save_weights(file(), weights_of(1));
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) - 5);
  expect_refused({});
  std::filesystem::resize_file(file(), 4);
  expect_refused({});
}

TEST_F(WeightsFile, LoadingRefusesAPuzzleTableOfAnotherHeight) {
  save_weights(file(), weights_of(1, 4));
  auto weights = weights_of(2);
  const auto before = tensors_of(weights);
  const auto message = user_error_of([&] { load_weights(file(), weights); });
  EXPECT_TRUE(contains(message, "F32 [3, 20]") && contains(message, "F32 [4, 20]")) << message;
  expect_equal(weights, before);
}

TEST_F(WeightsFile, AdoptingMatchesPuzzleRowsByIdentifier) {
  const auto theirs = weights_of(1, 4);
  save_weights(file(), theirs);
  auto ours = weights_of(2);
  adopt_weights(file(), ours, {"<blank>", "new", "c"}, {"<blank>", "a", "b", "c"});
  const auto& rows = ours.master().puzzle;
  const auto& old = theirs.master().puzzle;
  EXPECT_TRUE(rows[0].equal(old[0]));
  EXPECT_TRUE(rows[1].equal(old.mean(0)));
  EXPECT_TRUE(rows[2].equal(old[3]));
  EXPECT_TRUE(ours.flat().equal(theirs.flat()));
  EXPECT_TRUE(ours.master().z_init.equal(theirs.master().z_init));
}

TEST_F(WeightsFile, AdoptingWithoutTheirIdentifiersGoesByNumberOrTakesTheMean) {
  const std::vector<std::string> names{"<blank>", "a", "b"};
  const auto same_height = weights_of(1);
  save_weights(file(), same_height);
  auto ours = weights_of(2);
  adopt_weights(file(), ours, names, {});
  EXPECT_TRUE(ours.master().puzzle.equal(same_height.master().puzzle));

  const auto other_height = weights_of(1, 5);
  save_weights(file(), other_height);
  ours = weights_of(2);
  adopt_weights(file(), ours, names, {});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ours.master().puzzle[i].equal(other_height.master().puzzle.mean(0)));
}

TEST_F(WeightsFile, AdoptingKeepsOursWhereTheyHaveNoHaltingHeadOrPuzzleTable) {
  auto tensors = tensors_of(weights_of(1));
  std::erase_if(tensors,
                [](const auto& t) { return t.first.find("q_head") != std::string::npos || t.first == kPuzzles; });
  write_tensors(file(), tensors);
  auto ours = weights_of(2);
  const auto before = tensors_of(ours);
  adopt_weights(file(), ours, {"<blank>", "a", "b"}, {});
  auto expected = before;
  for (const auto& [name, tensor] : tensors) named(expected, name) = tensor;
  expect_equal(ours, expected);
}

TEST_F(WeightsFile, TensorsOfEveryTypeComeBackAsTheyWere) {
  const NamedTensors tensors = {{"float", torch::tensor(std::vector<float>{1.5f, -0.0f, 3e-42f})},
                                {"half", torch::tensor(std::vector<float>{1.5f}).to(at::kBFloat16)},
                                {"int", at::arange(6, at::kInt).view({2, 3}).t()},  // not contiguous
                                {"long", at::full({}, std::int64_t{1} << 40, at::kLong)},
                                {"double", at::full({1}, 0.1, at::kDouble)},
                                {"empty", at::zeros({0, 4})}};
  write_tensors(file(), tensors);
  auto read = read_tensors(file());
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(named(read, name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(named(read, name).equal(tensor)) << name;
  }
}

TEST(StateDicts, AHeaderWhoseLengthBeginsLikeAPickleIsOneOfSafetensors) {
  const TemporaryFolder folder;
  int like_pickles = 0;
  for (std::size_t letters = 1; letters < 300; letters += 8) {  // headers are padded to multiples of 8
    const auto file = folder / "weights";
    const std::string name(letters, 'a');
    write_tensors(file, {{name, at::arange(3, at::kFloat)}});
    if (read_text(file)[0] == '\x80') ++like_pickles;
    const auto read = read_state_dict(file);
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read[0].first, name);
  }
  EXPECT_GT(like_pickles, 0);
}

}  // namespace
}  // namespace dis
