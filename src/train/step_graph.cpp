#include "dis/train/step_graph.h"

#ifdef DIS_WITH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace dis {

#ifdef DIS_WITH_CUDA

struct StepGraph::Capture {
  /// Calls before the capture: the first makes what is kept, LibTorch's handles and workspaces included.
  static constexpr int kWarmUp = 3;

  explicit Capture(at::Device device) : stream(c10::cuda::getStreamFromPool(false, device.index())) {}

  /// Calls f on this stream, after what is on LibTorch's current stream and before what comes there next.
  template <class F>
  void beside_current(F f) {
    const auto current = c10::cuda::getCurrentCUDAStream(stream.device_index());
    const auto wait = [](const c10::cuda::CUDAStream& waiting, const c10::cuda::CUDAStream& other) {
      at::cuda::CUDAEvent event;
      event.record(other);
      event.block(waiting);
    };
    wait(stream, current);
    {
      const c10::cuda::CUDAStreamGuard guard(stream);
      f();
    }
    wait(current, stream);
  }

  c10::cuda::CUDAStream stream;  ///< a capture must not run on the default stream
  at::cuda::CUDAGraph graph;
  int calls = 0;
};

StepGraph::StepGraph(bool wanted, at::Device device)
    : capture_(wanted && device.is_cuda() ? std::make_unique<Capture>(device) : nullptr) {}

void StepGraph::run(const std::function<void()>& work) {
  if (!capture_) return work();
  auto& c = *capture_;
  if (c.calls++ < Capture::kWarmUp) return c.beside_current(work);
  if (c.calls == Capture::kWarmUp + 1) {
    c.beside_current([&] {
      c.graph.capture_begin();
      work();  // recorded, not done
      c.graph.capture_end();
    });
  }
  c.graph.replay();
}

#else

struct StepGraph::Capture {};

StepGraph::StepGraph(bool, at::Device) {}

void StepGraph::run(const std::function<void()>& work) { work(); }

#endif

StepGraph::~StepGraph() = default;

}  // namespace dis
