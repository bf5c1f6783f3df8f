#include "arc_show.h"

#include <iostream>

namespace dis {
namespace {

GridPanel panel_of(const std::string& title, const std::optional<Grid>& grid) {
  return {grid ? title + " " + std::to_string(grid->rows) + " x " + std::to_string(grid->columns) : title, grid};
}

void append_pairs(GridScene& scene, const ArcTask& task, bool test) {
  int number = 0;
  for (const ArcPair& pair : task.pairs) {
    if (pair.test != test) continue;
    const std::string title = (test ? "test[" : "train[") + std::to_string(number++) + "]";
    scene.rows.push_back({title, {panel_of("input", pair.input), panel_of("output", pair.output)}});
  }
}

}  // namespace

GridScene arc_task_scene(const ArcTask& task) {
  GridScene scene{task.id, {}};
  append_pairs(scene, task, false);
  append_pairs(scene, task, true);
  return scene;
}

void show_arc_task(const ArcTask& task, const ArcShowStyle& style) {
  const GridScene scene = arc_task_scene(task);
  if (style.output.empty()) {
    std::cout << grid_text(scene, style.text);
  } else {
    write_grid_picture(style.output, scene);
    std::cout << style.output.string() << ": " << scene.rows.size() << " pairs\n";
  }
}

}  // namespace dis
