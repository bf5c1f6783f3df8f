#include "golden_case.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "dis/core/error.h"
#include "dis/model/weights_file.h"
#include "dis/ops/cuda_part.h"
#include "settings.h"

namespace dis::golden {

Case::Case(const std::filesystem::path& json_file) : file_(json_file), json_(read_json(json_file)) {
  auto tensors = json_file;
  for (auto& [name, tensor] : read_tensors(tensors.replace_extension(".safetensors"))) tensors_[name] = tensor;
}

const at::Tensor& Case::at(const std::string& tensor) const {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) throw UserError("the golden case has no tensor '" + tensor + "'");
  return found->second;
}

Tolerance Case::tolerance(const std::string& part) const {
  const auto& json = part.empty() ? json_.at("tolerance") : json_.at("tolerance").at(part);
  return {json.at("absolute").get<double>(), json.at("relative").get<double>()};
}

void read_sizes(const Json& config, ModelConfig& sizes) {
  sizes.hidden_size = config.at("hidden_size").get<std::int64_t>();
  sizes.num_layers = config.at("L_layers").get<std::int64_t>();
  sizes.num_heads = config.at("num_heads").get<std::int64_t>();
  sizes.expansion = config.at("expansion").get<double>();
  sizes.H_cycles = config.at("H_cycles").get<std::int64_t>();
  sizes.L_cycles = config.at("L_cycles").get<std::int64_t>();
  sizes.rope_theta = config.value("rope_theta", 10000.0);
}

ModelShape Case::shape() const {
  const auto& c = json_.at("config");
  ModelShape shape;
  read_sizes(c, shape.config);
  shape.config.puzzle_emb_ndim = c.at("puzzle_emb_ndim").get<std::int64_t>();
  // The official code's 0 stands for as many positions as the row needs.
  const auto needed = (shape.config.puzzle_emb_ndim + shape.config.hidden_size - 1) / shape.config.hidden_size;
  const auto stated = c.value("puzzle_emb_len", std::int64_t{0});
  shape.config.puzzle_emb_len = stated == 0 ? needed : stated;
  shape.config.puzzle_embedding = shape.config.puzzle_emb_ndim > 0;
  if (!shape.config.puzzle_embedding) shape.config.puzzle_emb_len = 0;
  shape.config.rms_norm_eps = c.value("rms_norm_eps", 1e-5);
  shape.vocabulary = shape.answers = c.at("vocab_size").get<std::int64_t>();
  shape.length = c.at("seq_len").get<std::int64_t>();
  shape.identifiers = c.at("num_puzzle_identifiers").get<std::int64_t>();
  shape.supervision = c.at("halt_max_steps").get<std::int64_t>();
  shape.hierarchical = has("model.inner.H_level.layers.0.mlp.down_proj.weight");
  shape.config.mlp_t = c.value("mlp_t", false);
  for (const auto& [name, tensor] : tensors_) shape.halting = shape.halting || name.ends_with("/halted");
  shape.time = time_of(*this);
  return shape;
}

at::Device device() {
  const char* named = std::getenv("DIS_GOLDEN_DEVICE");
  if (named == nullptr) return at::kCPU;
  const at::Device wanted(named);
  if (wanted.is_cuda() && !find_cuda()) throw std::runtime_error("DIS_GOLDEN_DEVICE: " + no_cuda_reason());
  return wanted.is_cuda() ? at::Device(at::kCUDA, 0) : wanted;
}

Backbone Case::network() const {
  Backbone model(shape(), 0, device(), at::kFloat);
  for (const auto& spec : model.weights().table()) {
    model.weights().find(spec.name)->detach().copy_(at(spec.name));
  }
  return model;
}

void expect_close(const std::string& what, const at::Tensor& got, const at::Tensor& want, const Tolerance& tolerance) {
  ASSERT_EQ(got.numel(), want.numel()) << what;
  ASSERT_GT(got.numel(), 0) << what;
  const auto a = got.detach().cpu().to(at::kDouble).flatten();
  const auto b = want.to(at::kDouble).flatten();
  const auto difference = (a - b).abs();
  const auto within = difference <= tolerance.absolute + tolerance.relative * b.abs();  // false for a NaN
  EXPECT_TRUE(within.all().item<bool>()) << what << ": " << (~within).sum().item<std::int64_t>() << " of " << a.numel()
                                         << " numbers are off, the largest difference is "
                                         << difference.max().item<double>() << ", allowed " << tolerance.absolute
                                         << " + " << tolerance.relative << " |expected|";
}

}  // namespace dis::golden
