// Device work that is the same at every call, captured once as a CUDA graph and then replayed (compute.cuda_graph).
//
// A replay launches hundreds of kernels as one: it spares the host's time, which is what a small batch waits for. The
// work must read and write tensors that outlive it, take no number from the host and not synchronise.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace dis {

class CudaGraph;

class StepGraph {
 public:
  /// On the CPU, and where `wanted` is false, run() only calls its argument.
  StepGraph(bool wanted, at::Device device);
  ~StepGraph();

  /// Does the work: by calling it, the first few times so that all that is kept gets made, and then as a graph.
  void run(const std::function<void()>& work);

 private:
  std::unique_ptr<CudaGraph> graph_;  ///< null: no graph
  int calls_ = 0;
};

}  // namespace dis
