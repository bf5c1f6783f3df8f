#pragma once

namespace CLI {
class App;
}

namespace dis {

/// dis bench kernels: bytes, FLOPs and least times of a supervision step's operations (ops/kernel_costs.h).
void add_bench_kernels(CLI::App& bench);

}  // namespace dis
