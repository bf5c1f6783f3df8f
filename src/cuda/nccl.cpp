#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "part.h"

namespace dis::cuda {

c10::intrusive_ptr<c10d::Backend> nccl_group(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                             int index, std::chrono::milliseconds timeout) {
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  const auto group = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
  // So that the communicator is made now, where a failure can be told, and on this rank's GPU.
  group->eagerConnectSingleDevice(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index)));
  return group;
}

}  // namespace dis::cuda
