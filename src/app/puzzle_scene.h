// Puzzles beside their answers, as a picture.
#pragma once

#include <string>
#include <vector>

#include "dis/data/dataset.h"

namespace dis {

/// A row of "question" and "answer" for each example. UserError, which names `option`: a kind without pictures.
GridScene puzzle_scene(const DataSet& data, const std::vector<DrawnExample>& examples, const std::string& option);

}  // namespace dis
