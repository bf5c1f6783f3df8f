// The network's weights: one table of names, shapes and kinds; one flat buffer for all that the dense optimiser trains.
//
// Names are those of the published TRM checkpoints (without "_orig_mod."), e.g.
// "model.inner.L_level.layers.0.self_attn.qkv_proj.weight". D width, I SwiGLU width, V vocabulary, E numbers per puzzle
// row. Everything is float32; the compute copy is what the network multiplies with.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dis/config/config.h"

namespace dis {

/// All sizes of a network.
struct ModelShape {
  ModelConfig config;            ///< puzzle_emb_ndim resolved (never 0)
  std::int64_t vocabulary = 0;   ///< V, the mask token included
  std::int64_t answers = 0;      ///< entries of the vocabulary that can be an answer (V without the mask token)
  std::int64_t length = 0;       ///< L
  std::int64_t identifiers = 1;  ///< puzzle identifiers
  std::int64_t supervision = 6;  ///< N_sup
  TimeEmbedding time = TimeEmbedding::integer;
  bool hierarchical = false;    ///< HRM: the answer passes have a stack of their own
  bool halting = false;         ///< the halting head is trained
  bool random_start = false;    ///< y_init and z_init have no part in what it computes
  double damping = 1.0;         ///< a: a pass moves its state h to (1 - a) h + a net(h)
  std::int64_t most_steps = 0;  ///< s that time = continuous has to know, if more than N_sup

  std::int64_t positions() const { return config.puzzle_emb_len + length; }  ///< S
  std::int64_t head() const { return config.hidden_size / config.num_heads; }
  std::int64_t inner() const { return inner_of(config.hidden_size); }  ///< I
  std::int64_t inner_of(std::int64_t width) const;  ///< round(expansion width 2/3), rounded up to a multiple of 256
};

enum class WeightKind {
  parameter,  ///< trained by the dense optimiser
  head,       ///< q_head without halting: last in the flat buffer, left alone (with halting it is a parameter)
  buffer      ///< puzzle table (sign-SGD) and initial states (never trained)
};

/// A line of the table of names.
struct WeightSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  WeightKind kind;
  double init_std;  ///< of the truncated normal; 0: filled with `init_value`
  double init_value = 0.0;
  double init_bound = 0.0;   ///< not 0: uniform within +- this instead
  bool may_lack = false;     ///< files of weights may be without it
  std::int64_t offset = -1;  ///< of its first number in the flat buffer; none of a buffer

  std::int64_t count() const;  ///< numbers
};

/// The table, in the order of the flat buffer: parameters, then heads, then buffers.
std::vector<WeightSpec> weight_table(const ModelShape& shape);
/// The view of a weight, which is no buffer, in a buffer like Weights::flat() (or its leading part).
at::Tensor part_of(const at::Tensor& flat, const WeightSpec& spec);

/// The weights of a block's half, in the order of its table (model/halves.h), and of a block's halves.
using HalfWeights = std::vector<at::Tensor>;
using BlockWeights = std::vector<HalfWeights>;

/// Views of the weights by role.
struct WeightViews {
  at::Tensor embed_tokens, lm_head, q_head, q_head_bias, time, puzzle, y_init, z_init;
  std::vector<BlockWeights> blocks;         ///< L_level
  std::vector<BlockWeights> answer_blocks;  ///< H_level of HRM; of TRM the same as `blocks`
};

/// `find` gives the tensor of a name of the table; undefined: there is none.
WeightViews weight_views(const ModelShape& shape, const std::function<at::Tensor(const std::string&)>& find);

class Weights {
 public:
  /// Initial values (method section 1): truncated normals drawn as a function of (seed, tensor, element).
  Weights(const ModelShape& shape, std::uint64_t seed, at::Device device, at::ScalarType compute_type);

  const std::vector<WeightSpec>& table() const { return table_; }
  /// float32 tensor of table()[index]; parameters are views into flat().
  const at::Tensor& tensor(std::size_t index) const { return tensors_[index]; }
  const at::Tensor* find(const std::string& name) const;

  const at::Tensor& flat() const { return flat_; }  ///< [n] all parameters, then the heads
  const at::Tensor& gradient(std::size_t worker = 0) const { return replicas_[worker].gradient; }  ///< [n], likewise
  std::int64_t parameters() const { return parameters_; }  ///< leading part of flat() that DIS trains
  std::int64_t block_parameters() const;                   ///< those of the blocks alone

  const WeightViews& master() const { return leaves(0); }
  /// Leaves for autograd, one set per worker that runs a backward pass at the same time as others; they share the
  /// weights, and their gradients collect in gradient(worker).
  const WeightViews& leaves(std::size_t worker) const { return replicas_[worker].views; }
  const WeightViews& compute() const { return compute_; }   ///< the same in the compute type
  const at::Tensor& compute_copy() const { return copy_; }  ///< flat bfloat16 copy; undefined in float32
  at::ScalarType compute_type() const { return type_; }

  /// Makes sure that there are leaves for workers 0..count-1.
  void add_workers(std::size_t count);
  /// Adds the workers' gradients to that of worker 0, in order, and sets them to zero.
  void collect_gradients();

  /// Brings the compute copy up to date after the flat buffer was written to.
  void refresh();
  /// Overwrites all parameters with `flat` [n] (the moving average, say) and refreshes.
  void assign(const at::Tensor& flat);

 private:
  struct Replica {
    at::Tensor gradient;
    WeightViews views;
  };

  WeightViews views(const std::vector<at::Tensor>& tensors) const;

  ModelShape shape_;
  at::ScalarType type_;
  std::vector<WeightSpec> table_;
  std::vector<at::Tensor> tensors_;
  at::Tensor flat_, copy_;
  std::int64_t parameters_ = 0;
  std::vector<Replica> replicas_;
  WeightViews compute_;
};

}  // namespace dis
