// dis bench vote
#pragma once

namespace CLI {
class App;
}

namespace dis {

/// Adds the subcommand `vote` to `dis bench`.
void add_bench_vote(CLI::App& bench);

}  // namespace dis
