#include "dis/model/weights_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/core/safetensors.h"
#include "dis/model/state_dict.h"

namespace dis {
namespace {

const std::pair<const char*, at::ScalarType> kTypes[] = {
    {"F32", at::kFloat}, {"BF16", at::kBFloat16}, {"F16", at::kHalf}, {"F64", at::kDouble},
    {"I32", at::kInt},   {"I64", at::kLong},      {"U8", at::kByte},  {"BOOL", at::kBool}};

std::string type_name(at::ScalarType type) {
  for (const auto& [name, value] : kTypes) {
    if (value == type) return name;
  }
  throw std::logic_error("[write_tensors] a type that safetensors files of this program do not hold");
}

at::Tensor read_tensor(const SafetensorsFile& file, const TensorInfo& info) {
  for (const auto& [name, type] : kTypes) {
    if (info.dtype != name) continue;
    auto tensor = at::empty(info.shape, type);
    const auto bytes = file.data(info);
    std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
    return tensor;
  }
  throw UserError("cannot read '" + file.path().string() + "': tensor '" + info.name + "' has the type " + info.dtype +
                  ", which holds no weights");
}

const std::string kPuzzleTable = "model.inner.puzzle_emb.weights";

/// Their tensors by our names; checks names, shapes and types of all but the height of the puzzle table.
/// `ours_alone`: a file that this program wrote, with nothing else in it; otherwise the puzzle table may have any
/// height.
std::unordered_map<std::string, at::Tensor> matched(const std::filesystem::path& path, const Weights& weights,
                                                    bool ours_alone) {
  const bool any_puzzle_rows = !ours_alone;
  const auto state = ours_alone ? read_tensors(path) : read_state_dict(path);
  std::string where = "weights file '" + path.string() + "'";
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  const auto network = recognise_network(names, weights.table(), where);
  if (!network.usual) {
    where += " (" + network.text + ")";
  }
  const auto refuse = [&](const std::string& name) {
    throw UserError(where + ": tensor '" + name +
                    "' does not belong to this network; was it trained with other settings of `model` or method.time?");
  };
  if (ours_alone && !network.aside.empty()) refuse(names[network.aside.front()]);
  std::unordered_map<std::string, at::Tensor> found;
  for (const auto& [index, name, known] : network.entries) {
    const auto& [theirs, tensor] = state[index];
    if (!known) refuse(theirs);
    const auto* ours = weights.find(name);
    const bool rows_differ =
        any_puzzle_rows && name == kPuzzleTable && tensor.dim() == 2 && tensor.size(1) == ours->size(1);
    if (!rows_differ && tensor.sizes() != ours->sizes()) {
      throw UserError(where + ": tensor '" + theirs + "' should be " + describe_tensor("F32", ours->sizes().vec()) +
                      ", found " + describe(tensor));
    }
    if (static_cast<std::size_t>(tensor.numel()) > tensor.storage().nbytes() / tensor.element_size()) {
      throw UserError(where + ": tensor '" + theirs + "' has more numbers than are in the file");
    }
    if (found.contains(name)) {
      throw UserError(where + ": tensor '" + name + "' is there twice, behind two prefixes");
    }
    if (!tensor.is_floating_point()) {
      throw UserError(where + ": tensor '" + theirs + "' should hold floating-point numbers, found " +
                      describe(tensor));
    }
    found[name] = tensor.to(at::kFloat).contiguous();
  }
  for (const auto& spec : weights.table()) {
    if (found.contains(spec.name)) continue;
    // Other programs' networks may lack the halting head or the puzzle table; the initial values stay.
    if (any_puzzle_rows && (spec.kind == WeightKind::head || spec.name == kPuzzleTable)) continue;
    throw UserError(where + ": tensor '" + spec.name + "' " + describe_tensor("F32", spec.shape) +
                    " is missing: these are the weights of another network (the settings of `model` and `method`)");
  }
  if (!network.usual && !ours_alone) log_info("weights file '" + path.string() + "': " + network.text);
  return found;
}

void overwrite(const std::unordered_map<std::string, at::Tensor>& found, Weights& weights) {
  for (const auto& [name, tensor] : found) weights.find(name)->detach().copy_(tensor);
  weights.refresh();
}

}  // namespace

void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  std::vector<at::Tensor> kept;  // alive until written
  std::vector<TensorBytes> bytes;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().cpu().contiguous());
    const auto& t = kept.back();
    bytes.push_back({name,
                     type_name(t.scalar_type()),
                     t.sizes().vec(),
                     {static_cast<const std::byte*>(t.data_ptr()), static_cast<std::size_t>(t.nbytes())}});
  }
  write_safetensors(path, bytes);
}

NamedTensors read_tensors(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  NamedTensors tensors;
  for (const auto& info : file.tensors()) tensors.emplace_back(info.name, read_tensor(file, info));
  return tensors;
}

const at::Tensor& tensor_called(const std::string& name, const NamedTensors& tensors, at::IntArrayRef shape,
                                at::ScalarType type, const std::string& where) {
  const auto wanted = where + ": tensor '" + name + "' should be " + describe_tensor(type_name(type), shape.vec());
  for (const auto& [other, tensor] : tensors) {
    if (other != name) continue;
    if (tensor.sizes() == shape && tensor.scalar_type() == type) return tensor;
    throw UserError(wanted + ", but is " + describe_tensor(type_name(tensor.scalar_type()), tensor.sizes().vec()));
  }
  throw UserError(wanted + ", but is missing");
}

void save_weights(const std::filesystem::path& path, const Weights& weights, const at::Tensor& flat) {
  NamedTensors tensors;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < weights.table().size(); ++i) {
    auto tensor = weights.tensor(i);
    if (weights.table()[i].kind != WeightKind::buffer && flat.defined()) {
      tensor = flat.narrow(0, offset, tensor.numel()).view(tensor.sizes());
      offset += tensor.numel();
    }
    tensors.emplace_back(weights.table()[i].name, tensor);
  }
  write_tensors(path, tensors);
}

void load_weights(const std::filesystem::path& path, Weights& weights) {
  const at::NoGradGuard no_grad;
  overwrite(matched(path, weights, true), weights);
}

std::int64_t adopt_weights(const std::filesystem::path& path, Weights& weights,
                           const std::vector<std::string>& our_identifiers,
                           const std::vector<std::string>& their_identifiers) {
  const at::NoGradGuard no_grad;
  auto found = matched(path, weights, false);
  const auto* ours = weights.find(kPuzzleTable);
  const auto table = found.find(kPuzzleTable);
  if (ours == nullptr || table == found.end()) {
    overwrite(found, weights);
    return ours == nullptr ? 0 : ours->size(0);
  }
  const auto theirs = table->second;
  if (!their_identifiers.empty() && std::ssize(their_identifiers) != theirs.size(0)) {
    throw UserError("weights file '" + path.string() + "' has " + std::to_string(theirs.size(0)) +
                    " puzzle rows, but the list of its identifiers has " + std::to_string(their_identifiers.size()) +
                    " names; give the list that belongs to it");
  }
  const bool by_number = their_identifiers.empty() && theirs.size(0) == ours->size(0);
  std::unordered_map<std::string, std::int64_t> place;
  for (std::size_t i = 0; i < their_identifiers.size(); ++i) place[their_identifiers[i]] = static_cast<std::int64_t>(i);
  const auto mean_row = theirs.size(0);
  std::vector<std::int64_t> from(static_cast<std::size_t>(ours->size(0)), mean_row);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (by_number) from[i] = static_cast<std::int64_t>(i);
    if (by_number || i >= our_identifiers.size()) continue;
    if (const auto it = place.find(our_identifiers[i]); it != place.end()) from[i] = it->second;
  }
  const auto numbers = at::from_blob(from.data(), {ours->size(0)}, at::kLong);
  table->second = at::cat({theirs, theirs.mean(0, true)}).index_select(0, numbers);
  overwrite(found, weights);
  return ours->size(0) - std::ranges::count(from, mean_row);
}

}  // namespace dis
