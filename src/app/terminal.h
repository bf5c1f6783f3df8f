// What standard output can show.
#pragma once

#include "dis/data/board_text.h"

namespace dis {

/// Colours on a terminal, unless `plain` or the environment's NO_COLOR is set; the terminal's width, 80 without one.
TextStyle style_of_stdout(bool plain = false);

}  // namespace dis
