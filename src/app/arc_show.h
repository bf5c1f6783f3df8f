// dis data show <task>: an ARC task in the terminal or as a picture.
#pragma once

#include <filesystem>

#include "dis/data/arc/arc_task.h"
#include "dis/data/boards/board_text.h"
#include "dis/data/pictures/grid_picture.h"

namespace dis {

struct ArcShowStyle {
  std::filesystem::path output;  ///< ends in .svg or .png; empty: standard output
  TextStyle text;                ///< of the terminal
};

/// Its demonstrations, then its test inputs, each with its output ("?" where that is not known).
GridScene arc_task_scene(const ArcTask& task);

/// Prints the task, or writes the picture and says so. UserError as of write_grid_picture.
void show_arc_task(const ArcTask& task, const ArcShowStyle& style);

}  // namespace dis
