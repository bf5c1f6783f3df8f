// The c10d process groups behind Ranks.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "dis/dist/place.h"

namespace dis {

using StorePointer = c10::intrusive_ptr<c10d::Store>;
using GroupPointer = c10::intrusive_ptr<c10d::Backend>;

/// For tensors on the CPU. Connects to all other ranks.
GroupPointer gloo_group(const StorePointer& store, const Place& place, std::chrono::milliseconds timeout);

}  // namespace dis
