#include "dis/train/step_graph.h"

#include "dis/ops/cuda_part.h"

namespace dis {

/// Calls before the capture: the first makes what is kept, LibTorch's handles and workspaces included.
constexpr int kWarmUp = 3;

StepGraph::StepGraph(bool wanted, at::Device device)
    : graph_(wanted && device.is_cuda() ? cuda_part()->graph(device) : nullptr) {}

StepGraph::~StepGraph() = default;

void StepGraph::run(const std::function<void()>& work) {
  if (!graph_) return work();
  if (calls_++ < kWarmUp) return graph_->call(work);
  if (calls_ == kWarmUp + 1) graph_->capture(work);
  graph_->replay();
}

}  // namespace dis
