#include "dis/core/memory.h"

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

namespace dis {

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  constexpr std::array<std::string_view, 5> kTexts{"out of memory", "not enough memory", "can't allocate memory",
                                                   "Cannot allocate memory", "STATUS_ALLOC_FAILED"};
  const std::string_view what = error.what();
  return std::ranges::any_of(kTexts, [&](std::string_view text) { return what.find(text) != std::string_view::npos; });
}

UserError out_of_memory(const std::string& doing, const std::string& advice) {
  return UserError("out of memory while " + doing + "; " + advice);
}

std::string try_half(const std::string& field, std::int64_t now) {
  if (now <= 1) return "use a smaller network (model.hidden_size), fewer compute.threads, or more memory";
  return "try --set " + field + "=" + std::to_string((now + 1) / 2);
}

}  // namespace dis
