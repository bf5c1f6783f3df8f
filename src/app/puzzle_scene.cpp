#include "puzzle_scene.h"

#include <utility>

#include "dis/core/error.h"

namespace dis {

GridScene puzzle_scene(const DataSet& data, const std::vector<DrawnExample>& examples, const std::string& option) {
  GridScene scene;
  for (const auto& example : examples) {
    auto question = data.picture({"question", example.input, {}}),
         answer = data.picture({"answer", example.input, example.answer});
    if (!question) {
      throw UserError(option +
                      ": there are pictures of ARC tasks, boards, Sudokus and mazes, and none of these examples");
    }
    scene.rows.push_back({example.title, {std::move(*question), std::move(*answer)}});
  }
  return scene;
}

}  // namespace dis
