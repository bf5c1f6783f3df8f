#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "part.h"

namespace dis::cuda {
namespace {

class Graph : public CudaGraph {
 public:
  explicit Graph(at::Device device) : stream_(c10::cuda::getStreamFromPool(false, device.index())) {}

  void call(const std::function<void()>& work) override {
    const auto current = c10::cuda::getCurrentCUDAStream(stream_.device_index());
    const auto wait = [](const c10::cuda::CUDAStream& waiting, const c10::cuda::CUDAStream& other) {
      at::cuda::CUDAEvent event;
      event.record(other);
      event.block(waiting);
    };
    wait(stream_, current);
    {
      const c10::cuda::CUDAStreamGuard guard(stream_);
      work();
    }
    wait(current, stream_);
  }

  void capture(const std::function<void()>& work) override {
    // While it records, LibTorch takes memory from the device alone and gives nothing back: what is cached makes room.
    c10::cuda::device_synchronize();
    c10::cuda::CUDACachingAllocator::emptyCache();
    call([&] {
      graph_.capture_begin();
      work();
      graph_.capture_end();
    });
  }

  void replay() override { graph_.replay(); }

 private:
  c10::cuda::CUDAStream stream_;  ///< a capture must not run on the default stream
  at::cuda::CUDAGraph graph_;
};

}  // namespace

std::unique_ptr<CudaGraph> graph(at::Device device) { return std::make_unique<Graph>(device); }

}  // namespace dis::cuda
