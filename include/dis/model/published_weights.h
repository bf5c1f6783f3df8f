// Our weights as the state dicts of the official TRM, HRM and DIS programs, and back (names: model/weights.h).
#pragma once

#include <string>
#include <vector>

#include "dis/model/weights_file.h"

namespace dis {

/// What the official programs put in front of every name when they train under torch.compile.
inline constexpr const char* kPublishedPrefix = "_orig_mod.model.inner.";

struct PublishedWeights {
  NamedTensors weights;
  std::string recognised;  ///< which names of the file they had, RecognisedNetwork::text
};

/// The tensors of a state dict under our names, in the order of `table`, float32 and contiguous. They are found by the
/// names behind any prefix (model/state_dict.h); any floating type is widened (float64 is rounded).
/// UserError, which starts with `where`, unless the state dict holds every tensor of the table with its shape, and
/// nothing else (states that a network with random starts does not read may be missing, and are zeros then): it lists
/// all that is missing, unexpected, of a wrong shape, or of a wrong type.
PublishedWeights from_published(const NamedTensors& state, const std::vector<WeightSpec>& table,
                                const std::string& where);

/// Our tensors ("model.inner....") under the names of an official state dict, `prefix` in the place of "model.inner.".
/// The two initial states get the type `states`, because the official networks keep them in their compute type.
NamedTensors to_published(const NamedTensors& weights, const std::string& prefix, at::ScalarType states);

}  // namespace dis
