#include "dis/train/compute.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/resource.h>

#include <cstdlib>

#include "dis/core/cpus.h"
#include "dis/core/error.h"
#include "dis/ops/cuda_part.h"
#include "dis/ops/kernel_choice.h"

namespace dis {
namespace {

/// Freed tensors stay with the process: else every step gives its memory back to the system and asks for it again,
/// page by page, which costs 2 to 4 % of a step.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargest = 1 << 30, kLargestOfOlderVersions = 32 << 20;
  if (mallopt(M_MMAP_THRESHOLD, kLargest) == 0) mallopt(M_MMAP_THRESHOLD, kLargestOfOlderVersions);
  mallopt(M_TRIM_THRESHOLD, kLargest);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

AttentionKernel attention_of(AttentionChoice choice) {
  switch (choice) {
    case AttentionChoice::flash:
      return AttentionKernel::flash;
    case AttentionChoice::cudnn:
      return AttentionKernel::cudnn;
    case AttentionChoice::composed:
      return AttentionKernel::composed;
    case AttentionChoice::automatic:
      break;
  }
  return AttentionKernel::automatic;
}

}  // namespace

bool cpu_has_bfloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

double peak_memory_mb(at::Device device) {
  constexpr double kMegabyte = 1024.0 * 1024.0;
  if (device.is_cuda()) return cuda_part()->peak_bytes(device.index()) / kMegabyte;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024.0 / kMegabyte;
}

Compute choose_compute(const ComputeConfig& config, const Place& place) {
  const bool on_gpu = config.device != DeviceKind::cpu && find_cuda();
  if (config.device == DeviceKind::cuda && !on_gpu) {
    throw UserError("compute.device is cuda, but " + no_cuda_reason() + "; use compute.device=cpu or automatic");
  }
  const bool narrow = config.dtype == ComputeType::bfloat16 ||
                      (config.dtype == ComputeType::automatic && (on_gpu || cpu_has_bfloat16()));
  const auto gpu = static_cast<c10::DeviceIndex>(place.local_rank);
  return {on_gpu ? at::Device(at::kCUDA, gpu) : at::Device(at::kCPU), narrow ? at::kBFloat16 : at::kFloat};
}

void configure_process(const ComputeConfig& config, const Place& place, const Compute& compute) {
  at::set_num_threads(config.threads > 0 ? static_cast<int>(config.threads) : usable_threads(place.local_size));
  use_own_kernels(config.fused);
  use_attention(attention_of(config.attention));
  keep_freed_memory();
  if (!compute.device.is_cuda()) return;
  if (place.local_rank <
      static_cast<int>(cuda_part()->devices().size())) {  // else joining the ranks says what is wrong
    cuda_part()->use_device(place.local_rank);
  }
  if (config.deterministic) {
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);  // what cuBLAS needs to repeat
    at::globalContext().setDeterministicAlgorithms(true, true);
    at::globalContext().setDeterministicFillUninitializedMemory(false);  // only costs time
  }
}

Compute set_up_compute(const ComputeConfig& config, const Place& place) {
  const auto compute = choose_compute(config, place);
  configure_process(config, place, compute);
  return compute;
}

}  // namespace dis
