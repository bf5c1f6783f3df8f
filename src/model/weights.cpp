#include "dis/model/weights.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "dis/core/error.h"
#include "dis/core/random.h"

namespace dis {
namespace {

/// Normal of standard deviation `std` cut at +-2 widened scales, so that the result has exactly `std` (method
/// section 1): scale = std / 0.87962566, values within +-2.27369 std.
void truncated_normal(at::Tensor to, double std, std::uint64_t seed, std::uint64_t tensor) {
  const double density = std::exp(-2.0) / std::sqrt(2.0 * std::numbers::pi);
  const double scale = std / std::sqrt(1.0 - 4.0 * density / std::erf(std::numbers::sqrt2));
  auto* values = to.data_ptr<float>();
  Draws draws(seed, Purpose::weights, tensor, 0);
  for (std::int64_t i = 0; i < to.numel(); ++i) {
    double value = draws.normal();
    while (std::abs(value) > 2.0) value = draws.normal();
    values[i] = static_cast<float>(value * scale);
  }
}

std::int64_t count(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (const auto size : shape) product *= size;
  return product;
}

const std::string kPrefix = "model.inner.";

std::string layer_prefix(const std::string& level, std::int64_t layer) {
  return kPrefix + level + ".layers." + std::to_string(layer) + ".";
}

void add_stack(std::vector<WeightSpec>& table, const ModelShape& shape, const std::string& level) {
  const auto add = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    table.push_back({name, {out, in}, WeightKind::parameter, 1.0 / std::sqrt(static_cast<double>(in))});
  };
  const auto width = shape.config.hidden_size, positions = shape.positions();
  for (std::int64_t layer = 0; layer < shape.config.num_layers; ++layer) {
    const auto prefix = layer_prefix(level, layer);
    if (shape.config.mlp_t) {
      add(prefix + "mlp_t.gate_up_proj.weight", 2 * shape.inner_of(positions), positions);
      add(prefix + "mlp_t.down_proj.weight", positions, shape.inner_of(positions));
    } else {
      add(prefix + "self_attn.qkv_proj.weight", 3 * width, width);
      add(prefix + "self_attn.o_proj.weight", width, width);
    }
    add(prefix + "mlp.gate_up_proj.weight", 2 * shape.inner(), width);
    add(prefix + "mlp.down_proj.weight", width, shape.inner());
  }
}

}  // namespace

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
  return table;
}

Weights::Weights(const ModelShape& shape, std::uint64_t seed, at::Device device, at::ScalarType compute_type)
    : shape_(shape), type_(compute_type), table_(weight_table(shape)) {
  std::int64_t total = 0;
  for (const auto& spec : table_) {
    if (spec.kind == WeightKind::buffer) continue;
    total += count(spec.shape);
    if (spec.kind == WeightKind::parameter) parameters_ = total;
  }
  flat_ = at::empty({total}, at::kFloat);
  std::int64_t offset = 0;
  for (std::size_t index = 0; index < table_.size(); ++index) {
    const auto& spec = table_[index];
    at::Tensor values;
    if (spec.kind == WeightKind::buffer) {
      values = at::empty(spec.shape, at::kFloat);
    } else {
      values = flat_.narrow(0, offset, count(spec.shape)).view(spec.shape);
      offset += count(spec.shape);
    }
    if (spec.init_std > 0.0) {
      truncated_normal(values, spec.init_std, seed, index);
    } else {
      values.fill_(spec.init_value);
    }
    tensors_.push_back(values);
  }

  // On the device, views again: of the moved flat buffer.
  flat_ = flat_.to(device);
  if (type_ != at::kFloat) copy_ = flat_.to(type_);
  std::vector<at::Tensor> copies;
  offset = 0;
  for (std::size_t index = 0; index < table_.size(); ++index) {
    const auto& spec = table_[index];
    if (spec.kind == WeightKind::buffer) {
      tensors_[index] = tensors_[index].to(device);
      copies.push_back(tensors_[index]);
      continue;
    }
    const auto size = count(spec.shape);
    tensors_[index] = flat_.narrow(0, offset, size).view(spec.shape);
    copies.push_back(copy_.defined() ? copy_.narrow(0, offset, size).view(spec.shape) : tensors_[index]);
    offset += size;
  }
  compute_ = views(copies);
  add_workers(1);
}

void Weights::add_workers(std::size_t wanted) {
  while (replicas_.size() < wanted) {
    Replica replica{at::zeros_like(flat_), {}};
    std::vector<at::Tensor> leaves;
    std::int64_t offset = 0;
    for (std::size_t index = 0; index < table_.size(); ++index) {
      if (table_[index].kind == WeightKind::buffer) {
        leaves.push_back(tensors_[index]);
        continue;
      }
      const auto size = tensors_[index].numel();
      auto leaf = tensors_[index].detach().requires_grad_();
      leaf.mutable_grad() = replica.gradient.narrow(0, offset, size).view(table_[index].shape);
      leaves.push_back(leaf);
      offset += size;
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

WeightViews Weights::views(const std::vector<at::Tensor>& tensors) const {
  const auto by_name = [&](const std::string& name) {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (table_[i].name == name) return tensors[i];
    }
    return at::Tensor();
  };
  WeightViews v;
  v.embed_tokens = by_name(kPrefix + "embed_tokens.embedding_weight");
  v.lm_head = by_name(kPrefix + "lm_head.weight");
  v.q_head = by_name(kPrefix + "q_head.weight");
  v.q_head_bias = by_name(kPrefix + "q_head.bias");
  v.time = by_name(kPrefix + "timestep_embed.embedding_weight");
  v.puzzle = by_name(kPrefix + "puzzle_emb.weights");
  v.y_init = by_name(kPrefix + "H_init");
  v.z_init = by_name(kPrefix + "L_init");
  const auto stack = [&](const std::string& level) {
    std::vector<BlockWeights> blocks;
    for (std::int64_t layer = 0; layer < shape_.config.num_layers; ++layer) {
      const auto of = [&](const std::string& part) { return by_name(layer_prefix(level, layer) + part + ".weight"); };
      blocks.push_back({of("self_attn.qkv_proj"), of("self_attn.o_proj"), of("mlp_t.gate_up_proj"),
                        of("mlp_t.down_proj"), of("mlp.gate_up_proj"), of("mlp.down_proj")});
    }
    return blocks;
  };
  v.blocks = stack("L_level");
  v.answer_blocks = shape_.hierarchical ? stack("H_level") : v.blocks;
  return v;
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
    if (spec.name.find(".layers.") != std::string::npos) total += count(spec.shape);
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
