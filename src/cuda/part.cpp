#include "part.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

namespace dis::cuda {
namespace {

std::vector<CudaDevice> devices() {
  std::vector<CudaDevice> found;
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) return found;  // no driver, or no device
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp device;
    if (cudaGetDeviceProperties(&device, index) != cudaSuccess) continue;
    found.push_back({device.name, device.major, device.minor, device.totalGlobalMem, device.multiProcessorCount});
  }
  return found;
}

void use_device(int index) { c10::cuda::set_device(static_cast<c10::DeviceIndex>(index)); }

void synchronize() { c10::cuda::device_synchronize(); }

double peak_bytes(int index) {
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(index));
  return static_cast<double>(stats.allocated_bytes[0].peak);
}

}  // namespace
}  // namespace dis::cuda

extern "C" __attribute__((visibility("default"))) const dis::CudaPart* dis_cuda_part() {
  using namespace dis::cuda;
  static const dis::CudaPart part{.size = sizeof(dis::CudaPart),
                                  .version = DIS_VERSION,
                                  .architectures = DIS_CUDA_ARCHITECTURES,
                                  .kernels = kernels(),
                                  .devices = devices,
                                  .use_device = use_device,
                                  .synchronize = synchronize,
                                  .peak_bytes = peak_bytes,
                                  .graph = graph,
                                  .nccl_group = nccl_group};
  return &part;
}
