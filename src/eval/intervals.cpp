#include "dis/eval/intervals.h"

#include <cstdio>

namespace dis {

std::string rate_text(const Rate& rate) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f [%.3f, %.3f]", rate.value(), rate.lower(), rate.upper());
  return text;
}

Json rate_json(const Rate& rate) {
  return {{"value", rate.value()},
          {"lower", rate.lower()},
          {"upper", rate.upper()},
          {"hits", rate.hits},
          {"total", rate.total}};
}

}  // namespace dis
