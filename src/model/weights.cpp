#include "dis/model/weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/random.h"
#include "dis/core/truncated_normal.h"
#include "dis/model/halves.h"

namespace dis {
namespace {

/// Normal of standard deviation `std` cut at +-2 widened scales, so that the result has exactly `std` (method
/// section 1): scale = std / 0.87962566, values within +-2.27369 std.
void truncated_normal(at::Tensor to, double std, std::uint64_t seed, std::uint64_t tensor) {
  const double scale = std / truncated_normal_spread();
  auto* values = to.data_ptr<float>();
  Draws draws(seed, Purpose::weights, tensor, 0);
  for (std::int64_t i = 0; i < to.numel(); ++i) {
    double value = draws.normal();
    while (std::abs(value) > 2.0) value = draws.normal();
    values[i] = static_cast<float>(value * scale);
  }
}

void uniform(at::Tensor to, double bound, std::uint64_t seed, std::uint64_t tensor) {
  auto* values = to.data_ptr<float>();
  Draws draws(seed, Purpose::weights, tensor, 0);
  for (std::int64_t i = 0; i < to.numel(); ++i) {
    values[i] = static_cast<float>(bound * (2.0 * draws.uniform() - 1.0));
  }
}

const std::string kPrefix = "model.inner.";

std::string layer_prefix(const std::string& level, std::int64_t layer) {
  return kPrefix + level + ".layers." + std::to_string(layer) + ".";
}

void add_stack(std::vector<WeightSpec>& table, const ModelShape& shape, const std::string& level) {
  for (std::int64_t layer = 0; layer < shape.config.num_layers; ++layer) {
    for (const auto& half : halves_of(shape.config)) {
      for (auto spec : half.weights(shape)) {
        spec.name = layer_prefix(level, layer) + spec.name;
        table.push_back(std::move(spec));
      }
    }
  }
}

void fill(at::Tensor values, const WeightSpec& spec, std::uint64_t seed, std::uint64_t index) {
  if (spec.init_bound > 0.0) return uniform(values, spec.init_bound, seed, index);
  if (spec.init_std > 0.0) return truncated_normal(values, spec.init_std, seed, index);
  values.fill_(spec.init_value);
}

}  // namespace

std::int64_t WeightSpec::count() const { return c10::multiply_integers(shape); }

std::int64_t ModelShape::inner_of(std::int64_t width) const {
  const double wanted = std::round(config.expansion * static_cast<double>(width) * 2.0 / 3.0);
  return (static_cast<std::int64_t>(wanted) + 255) / 256 * 256;
}

std::vector<WeightSpec> weight_table(const ModelShape& shape) {
  const auto width = shape.config.hidden_size;
  const double std_d = 1.0 / std::sqrt(static_cast<double>(width));
  using enum WeightKind;
  std::vector<WeightSpec> table;
  table.push_back({kPrefix + "embed_tokens.embedding_weight", {shape.vocabulary, width}, parameter, std_d});
  table.push_back({kPrefix + "lm_head.weight", {shape.vocabulary, width}, parameter, std_d});
  if (shape.time == TimeEmbedding::integer) {  // rows 1..N_sup are used
    table.push_back({kPrefix + "timestep_embed.embedding_weight", {shape.supervision + 2, width}, parameter, std_d});
  }
  add_stack(table, shape, "L_level");
  if (shape.hierarchical) add_stack(table, shape, "H_level");
  const auto head_kind = shape.halting ? parameter : head;
  table.push_back({kPrefix + "q_head.weight", {2, width}, head_kind, 0.0});
  table.push_back({kPrefix + "q_head.bias", {2}, head_kind, 0.0, -5.0});
  if (shape.config.puzzle_embedding) {
    table.push_back({kPrefix + "puzzle_emb.weights", {shape.identifiers, shape.config.puzzle_emb_ndim}, buffer, 0.0});
  }
  table.push_back({kPrefix + "H_init", {width}, buffer, 1.0});
  table.push_back({kPrefix + "L_init", {width}, buffer, 1.0});
  for (auto& spec : std::span(table).last(2)) spec.may_lack = shape.random_start;
  std::int64_t offset = 0;
  for (auto& spec : table) {
    if (spec.kind == buffer) continue;
    spec.offset = offset;
    offset += spec.count();
  }
  return table;
}

at::Tensor part_of(const at::Tensor& flat, const WeightSpec& spec) {
  return flat.narrow(0, spec.offset, spec.count()).view(spec.shape);
}

Weights::Weights(const ModelShape& shape, std::uint64_t seed, at::Device device, at::ScalarType compute_type)
    : shape_(shape), type_(compute_type), table_(weight_table(shape)) {
  std::int64_t total = 0;
  for (const auto& spec : table_) {
    if (spec.kind == WeightKind::buffer) continue;
    total = spec.offset + spec.count();
    if (spec.kind == WeightKind::parameter) parameters_ = total;
  }
  flat_ = at::empty({total}, at::kFloat);
  for (std::size_t index = 0; index < table_.size(); ++index) {
    const auto& spec = table_[index];
    tensors_.push_back(spec.offset < 0 ? at::empty(spec.shape, at::kFloat) : part_of(flat_, spec));
    fill(tensors_.back(), spec, seed, index);
  }

  // On the device, views again: of the moved flat buffer.
  flat_ = flat_.to(device);
  if (type_ != at::kFloat) copy_ = flat_.to(type_);
  std::vector<at::Tensor> copies;
  for (std::size_t index = 0; index < table_.size(); ++index) {
    const auto& spec = table_[index];
    auto& tensor = tensors_[index];
    tensor = spec.offset < 0 ? tensor.to(device) : part_of(flat_, spec);
    copies.push_back(spec.offset < 0 || !copy_.defined() ? tensor : part_of(copy_, spec));
  }
  compute_ = views(copies);
  add_workers(1);
}

void Weights::add_workers(std::size_t wanted) {
  while (replicas_.size() < wanted) {
    Replica replica{at::zeros_like(flat_), {}};
    std::vector<at::Tensor> leaves;
    for (std::size_t index = 0; index < table_.size(); ++index) {
      auto& leaf = leaves.emplace_back(tensors_[index]);
      if (table_[index].offset < 0) continue;
      leaf = leaf.detach().requires_grad_();
      leaf.mutable_grad() = part_of(replica.gradient, table_[index]);
    }
    replica.views = views(leaves);
    replicas_.push_back(std::move(replica));
  }
}

void Weights::collect_gradients() {
  for (std::size_t worker = 1; worker < replicas_.size(); ++worker) {
    replicas_[0].gradient.add_(replicas_[worker].gradient);
    replicas_[worker].gradient.zero_();
  }
}

WeightViews weight_views(const ModelShape& shape, const std::function<at::Tensor(const std::string&)>& find) {
  WeightViews v;
  v.embed_tokens = find(kPrefix + "embed_tokens.embedding_weight");
  v.lm_head = find(kPrefix + "lm_head.weight");
  v.q_head = find(kPrefix + "q_head.weight");
  v.q_head_bias = find(kPrefix + "q_head.bias");
  v.time = find(kPrefix + "timestep_embed.embedding_weight");
  v.puzzle = find(kPrefix + "puzzle_emb.weights");
  v.y_init = find(kPrefix + "H_init");
  v.z_init = find(kPrefix + "L_init");
  const auto halves = halves_of(shape.config);
  const auto stack = [&](const std::string& level) {
    std::vector<BlockWeights> blocks;
    for (std::int64_t layer = 0; layer < shape.config.num_layers; ++layer) {
      auto& block = blocks.emplace_back();
      for (const auto& half : halves) {
        auto& weights = block.emplace_back();
        for (const auto& spec : half.weights(shape)) weights.push_back(find(layer_prefix(level, layer) + spec.name));
      }
    }
    return blocks;
  };
  v.blocks = stack("L_level");
  v.answer_blocks = shape.hierarchical ? stack("H_level") : v.blocks;
  return v;
}

WeightViews Weights::views(const std::vector<at::Tensor>& tensors) const {
  return weight_views(shape_, [&](const std::string& name) {
    const auto spec = std::ranges::find(table_, name, &WeightSpec::name);
    return spec == table_.end() ? at::Tensor() : tensors[static_cast<std::size_t>(spec - table_.begin())];
  });
}

const at::Tensor* Weights::find(const std::string& name) const {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (table_[i].name == name) return &tensors_[i];
  }
  return nullptr;
}

std::int64_t Weights::block_parameters() const {
  std::int64_t total = 0;
  for (const auto& spec : table_) {
    if (spec.name.find(".layers.") != std::string::npos) total += spec.count();
  }
  return total;
}

void Weights::refresh() {
  if (copy_.defined()) copy_.copy_(flat_);
}

void Weights::assign(const at::Tensor& flat) {
  ensure(flat.sizes() == flat_.sizes(), "Weights::assign", "a flat buffer of the same size");
  flat_.copy_(flat);
  refresh();
}

}  // namespace dis
