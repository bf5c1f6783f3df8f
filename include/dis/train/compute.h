// Which device and which type of arithmetic a run uses.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "dis/config/config.h"
#include "dis/dist/place.h"

namespace dis {

struct Compute {
  at::Device device;
  at::ScalarType type;
};

/// Resolves `automatic`: CUDA if there is a device; bfloat16 where the processor (AVX512_BF16, AMX_BF16) or GPU has
/// instructions for it, else float32. Changes nothing. UserError: cuda asked for but not there.
Compute choose_compute(const ComputeConfig& config, const Place& place = {});

/// Sets up the whole process for it: LibTorch's number of threads (compute.threads; 0: what cpus.h allows, shared by
/// the ranks of this machine), its current GPU (that of the rank), whether it repeats bit for bit, the choice of
/// kernels, and how memory is kept. Before the first operation; once more does no harm.
void configure_process(const ComputeConfig& config, const Place& place, const Compute& compute);

/// Chooses, and configures the process.
Compute set_up_compute(const ComputeConfig& config, const Place& place = {});

/// The most memory held so far, in MB of 2^20 bytes: by LibTorch's tensors on a GPU, by the process on the CPU.
double peak_memory_mb(at::Device device);

/// Whether this processor multiplies bfloat16 in hardware.
bool cpu_has_bfloat16();

}  // namespace dis
