#pragma once

namespace CLI {
class App;
}

namespace dis {

/// dis bench device: the two ceilings of a device, copying and products; dis bench attention: every way to compute
/// attention on it (compute.attention).
void add_bench_device(CLI::App& bench);
void add_bench_attention(CLI::App& bench);

}  // namespace dis
