// dis bench dist
#pragma once

namespace CLI {
class App;
}

namespace dis {

/// What the ranks exchange in an update, timed.
void add_bench_dist(CLI::App& bench);

}  // namespace dis
