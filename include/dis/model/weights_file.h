// Weights as safetensors files, under the official names (model/weights.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dis/model/weights.h"

namespace dis {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Writes tensors (any device; float32, bfloat16, int32, int64 or float64) to `path`, atomically.
void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors);

/// All tensors of a file, on the CPU, as stored.
NamedTensors read_tensors(const std::filesystem::path& path);

/// The one called `name`. UserError "<where>: tensor '<name>' should be F32 [3], but is missing" (or what it is
/// instead) unless it is there with this shape and type.
const at::Tensor& tensor_called(const std::string& name, const NamedTensors& tensors, at::IntArrayRef shape,
                                at::ScalarType type, const std::string& where);

/// All weights; the parameters from `flat` (the moving average, say) if it is defined.
void save_weights(const std::filesystem::path& path, const Weights& weights, const at::Tensor& flat = {});

/// Overwrites all weights from `path`, a file of save_weights. Every tensor of the table must be there with
/// its shape, and nothing else: a UserError names the file, the tensor, what was expected and what was found; then
/// nothing was changed. Narrower floating types are widened.
void load_weights(const std::filesystem::path& path, Weights& weights);

/// As load_weights, but for weights from another run or program (train.init_from, dis eval --weights): a safetensors or
/// torch.save file with the network somewhere in it (model/state_dict.h; the log says where). The puzzle table may have
/// other rows. Row i of ours takes the row of theirs whose identifier has the same name; identifiers that they lack get
/// the mean row. Without their list of identifiers (empty), rows match by number if there are as many, otherwise all
/// get the mean. Returns how many of our rows were found. UserError also when their list is not as long as their table.
std::int64_t adopt_weights(const std::filesystem::path& path, Weights& weights,
                           const std::vector<std::string>& our_identifiers,
                           const std::vector<std::string>& their_identifiers);

}  // namespace dis
