// Characters that steer a terminal or break a line.
#pragma once

#include <cstddef>
#include <string_view>

namespace dis {

/// Whether one begins at byte `at` of UTF-8: U+0000 to U+001F and U+007F; and U+0080 to U+009F, which 0xC2 begins.
inline bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < ' ' || byte == 0x7F) return true;
  const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
  return byte == 0xC2 && next >= 0x80 && next < 0xA0;
}

}  // namespace dis
