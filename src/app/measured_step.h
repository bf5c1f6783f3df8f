// The operations of a supervision step, each timed by itself at the step's sizes: what dis bench kernels puts beside
// their floors.
#pragma once

#include <map>
#include <string>

#include "dis/ops/kernel_costs.h"
#include "dis/train/compute.h"

namespace dis {

/// Seconds of one call of each operation of step_costs(shape), by its name, on made-up numbers; the median of `repeat`.
/// An operation that the device's kernels do inside another (the CPU rotates within attention) is missing.
std::map<std::string, double> measure_operations(const StepShape& shape, const Compute& compute, std::int64_t repeat);

}  // namespace dis
