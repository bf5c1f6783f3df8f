// The CUDA part of the program: libdis_cuda.so, the one object that needs LibTorch's CUDA libraries and calls them by
// name. It is loaded when a run may use a GPU, so that the same executable starts where there is no GPU, no driver, or
// a LibTorch without CUDA.
//
// It is looked for in $DIS_CUDA_LIBRARY, beside the executable, in the folder above and in ../lib/dis. src/cuda
// implements it; the modules below reach it through this table alone.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dis/ops/adam.h"
#include "dis/ops/cross_entropy.h"
#include "dis/ops/embed.h"
#include "dis/ops/fused.h"
#include "dis/ops/state_draws.h"

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace dis {

struct DrawShape;

/// The kernels of src/ops/cuda, on LibTorch's current stream. The operation that calls one has checked its arguments.
struct CudaKernels {
  RmsNorm (*add_rms_norm)(const at::Tensor& a, const at::Tensor& b, double eps);
  at::Tensor (*rms_norm_backward)(const at::Tensor& dy, const at::Tensor& y, const at::Tensor& rstd);
  /// Rotates q and k of qkv [B, S, 3, H, h] in place.
  void (*rotary)(const at::Tensor& qkv, const RotaryTables& tables);
  /// dqkv [B, S, 3, H, h] from the contiguous gradients [B, S, H, h] of the rotated q and k and of v.
  at::Tensor (*rotary_backward)(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv,
                                const RotaryTables& tables);
  at::Tensor (*swiglu)(const at::Tensor& gate_up);
  at::Tensor (*swiglu_backward)(const at::Tensor& gate_up, const at::Tensor& dout);
  at::Tensor (*add3)(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c);
  CrossEntropy (*cross_entropy)(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& scale,
                                const Loss& loss, std::int64_t answers, const at::Tensor& labels);
  at::Tensor (*embed)(const EmbedInputs& in, at::ScalarType type, double scale);
  /// The gradients of the token table and of the time table.
  EmbedGradients (*embed_backward)(const EmbedInputs& in, const at::Tensor& dx, double scale);
  at::Tensor (*add_draws)(const at::Tensor& x, const DrawKeys& keys, const DrawShape& shape);
  void (*adam)(const AdamBuffers& buffers, const at::Tensor& scalars, bool atan2);
  void (*sign_sgd)(const at::Tensor& table, const at::Tensor& ids, const at::Tensor& gradient, const at::Tensor& rates);
};

struct CudaDevice {
  std::string name;
  int major, minor;  ///< compute capability
  std::size_t memory_bytes;
  int multiprocessors;
};

/// A CUDA graph: work recorded once, then launched as a whole.
class CudaGraph {
 public:
  virtual ~CudaGraph() = default;
  /// Calls `work` on a stream of its own, ordered with LibTorch's current stream as if it ran there.
  virtual void call(const std::function<void()>& work) = 0;
  /// Records what `work` launches; nothing runs yet. Once.
  virtual void capture(const std::function<void()>& work) = 0;
  virtual void replay() = 0;
};

struct CudaPart {
  std::size_t size;           ///< of this table; with `version` it tells whether both come from one build
  const char* version;        ///< of the program
  const char* architectures;  ///< that its kernels were compiled for, as CMake names them
  CudaKernels kernels;
  /// The GPUs that can be used; none without a driver.
  std::vector<CudaDevice> (*devices)();
  void (*use_device)(int index);
  void (*synchronize)();
  /// The most bytes that LibTorch's tensors have held on a device.
  double (*peak_bytes)(int index);
  std::unique_ptr<CudaGraph> (*graph)(at::Device device);
  /// A NCCL group of `size` ranks on GPU number `index`, connected at once.
  c10::intrusive_ptr<c10d::Backend> (*nccl_group)(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                  int index, std::chrono::milliseconds timeout);
};

/// Loads the CUDA part unless that has been tried: "" if it is there, else one line that says why not. The first call
/// must precede the first question about CUDA to LibTorch, which remembers the answer.
std::string load_cuda_part();
/// Null: not loaded.
const CudaPart* cuda_part();
/// Loads it where the machine has an NVIDIA driver; whether there is a GPU that can be used.
bool find_cuda();
/// Why not, in one line: no driver, no CUDA part, no LibTorch with CUDA, no device.
std::string no_cuda_reason();

}  // namespace dis
