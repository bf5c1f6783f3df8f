#pragma once

#include <CLI/App.hpp>

namespace dis {

/// dis bench data
void add_bench_data(CLI::App& bench);

}  // namespace dis
