#include "group.h"

#ifdef DIS_WITH_CUDA
#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "dis/core/error.h"

namespace dis {

#ifdef DIS_WITH_CUDA

GroupPointer nccl_group(const StorePointer& store, const Place& place, std::chrono::milliseconds timeout) {
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  const auto group = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, place.rank, place.size, options);
  // So that the communicator is made now, where a failure can be told, and on this rank's GPU.
  group->eagerConnectSingleDevice(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(place.local_rank)));
  return group;
}

#else

GroupPointer nccl_group(const StorePointer&, const Place&, std::chrono::milliseconds) {
  throw UserError("dist.backend = nccl, but this build has no CUDA: build the preset `cuda`, or use dist.backend=gloo");
}

#endif

}  // namespace dis
