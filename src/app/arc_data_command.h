// dis data combine: ARC tasks of any form to the combined form.
#pragma once

namespace CLI {
class App;
}

namespace dis {

/// Adds the subcommand `combine` to `dis data`.
void add_arc_combine(CLI::App& data);

}  // namespace dis
