#include "dis/model/published_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <set>

#include "dis/core/error.h"
#include "dis/core/safetensors.h"
#include "dis/model/state_dict.h"

namespace dis {
namespace {

constexpr std::string_view kOurs = "model.inner.";

std::string quoted(const std::string& name) { return std::string("'").append(name).append("'"); }

/// What is wrong with a state dict, in the order in which it is told.
struct Mistakes {
  std::vector<std::string> missing, unexpected, wrong_shape, wrong_type, twice;
  std::set<std::string> names;  // ours, of all of them

  bool mention(const std::string& part) const {
    return std::ranges::any_of(names, [&](const auto& name) { return name.find(part) != std::string::npos; });
  }

  std::string text() const {
    std::string all;
    const auto tell = [&](const char* what, const std::vector<std::string>& list) {
      if (list.empty()) return;
      if (!all.empty()) all += "; ";
      all += what;
      all += " (";
      all += std::to_string(list.size());
      all += "): ";
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) all += ", ";
        all += list[i];
      }
    };
    tell("missing", missing);
    tell("unexpected", unexpected);
    tell("wrong shape", wrong_shape);
    tell("wrong type", wrong_type);
    tell("there twice", twice);
    return all + hint();
  }

  /// Where to look, from the names that are wrong.
  std::string hint() const {
    std::string fields;
    const auto add = [&](const std::string& field) {
      fields += fields.empty() ? "" : ", ";
      fields += field;
    };
    if (mention("timestep_embed")) {
      add("method.time (`integer` has this table, TRM and HRM have none) and method.num_supervision");
    }
    if (mention("H_level.")) add("the method (only an HRM has H_level)");
    if (mention("puzzle_emb")) add("the puzzles (--identifiers, or data) and model.puzzle_emb_ndim");
    if (mention("layers.")) add("model.num_layers, model.hidden_size, model.expansion, model.mlp and model.mlp_t");
    return fields.empty() ? fields : fields.insert(0, "; look at ");
  }
};

}  // namespace

PublishedWeights from_published(const NamedTensors& state, const std::vector<WeightSpec>& table,
                                const std::string& where) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  const auto network = recognise_network(names, table, where);
  Mistakes mistakes;
  std::map<std::string, const at::Tensor*> found;
  for (const auto& [index, ours, known] : network.entries) {
    const auto& [name, tensor] = state[index];
    if (!found.emplace(ours, &tensor).second) {
      mistakes.twice.push_back(quoted(name).append(", behind two prefixes"));
      mistakes.names.insert(ours);
    } else if (!known) {
      mistakes.unexpected.push_back(quoted(name).append(" ").append(describe(tensor)));
      mistakes.names.insert(ours);
    }
  }
  std::vector<const at::Tensor*> tensors;
  for (const auto& spec : table) {
    const auto it = found.find(spec.name);
    const auto wanted = quoted(spec.name.substr(kOurs.size())).append(" ");
    if (it == found.end() && spec.may_lack) {
      tensors.push_back(nullptr);
      continue;
    }
    if (it == found.end()) {
      mistakes.missing.push_back(wanted + describe_tensor("F32", spec.shape));
    } else if (it->second->sizes() != at::IntArrayRef(spec.shape)) {
      mistakes.wrong_shape.push_back(wanted + "should be " + describe_tensor("F32", spec.shape) + ", found " +
                                     describe(*it->second));
    } else if (!it->second->is_floating_point()) {
      mistakes.wrong_type.push_back(wanted + "should hold floating-point numbers, found " + describe(*it->second));
    } else {
      tensors.push_back(it->second);
      continue;
    }
    mistakes.names.insert(spec.name);
  }
  if (!mistakes.names.empty()) {
    throw UserError(where + ": these weights (" + network.text +
                    ") do not belong to the network of this configuration: " + mistakes.text());
  }
  PublishedWeights published{{}, network.text};
  for (std::size_t i = 0; i < table.size(); ++i) {
    published.weights.emplace_back(table[i].name, tensors[i] == nullptr ? at::zeros(table[i].shape, at::kFloat)
                                                                        : tensors[i]->to(at::kFloat).contiguous());
  }
  return published;
}

NamedTensors to_published(const NamedTensors& weights, const std::string& prefix, at::ScalarType states) {
  NamedTensors state;
  for (const auto& [name, tensor] : weights) {
    ensure(name.starts_with(kOurs), "to_published", "names that start with model.inner.");
    const auto rest = name.substr(kOurs.size());
    const bool is_state = rest == "H_init" || rest == "L_init";
    state.emplace_back(prefix + rest, is_state ? tensor.to(states) : tensor);
  }
  return state;
}

}  // namespace dis
