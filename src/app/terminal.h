// What standard output can show.
#pragma once

#include "dis/data/boards/board_text.h"

namespace dis {

/// Colours on a terminal that knows them (TERM is not "dumb"), unless `plain` or the environment's NO_COLOR, when not
/// empty, forbids them; figures where the locale (LC_ALL, LC_CTYPE, LANG) is one of UTF-8; the terminal's width, 80
/// without one.
TextStyle style_of_stdout(bool plain = false);

}  // namespace dis
