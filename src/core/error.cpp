#include "dis/core/error.h"

#include <string_view>

namespace dis {
namespace {

/// U+0000 to U+001F and U+007F; and U+0080 to U+009F, which UTF-8 begins with 0xC2.
bool steers_terminals(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < ' ' || byte == 0x7F) return true;
  const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
  return byte == 0xC2 && next >= 0x80 && next < 0xA0;
}

std::string one_line(std::string_view text) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!steers_terminals(text, i)) {
      line += text[i];
    } else if (text[i] == '\n') {
      line += "\\n";
    } else if (text[i] == '\t') {
      line += "\\t";
    } else {
      const auto shown = byte == 0xC2 ? static_cast<unsigned char>(text[++i]) : byte;
      line += {'\\', 'x', kDigits[shown / 16], kDigits[shown % 16]};
    }
  }
  return line;
}

}  // namespace

UserError::UserError(const std::string& message) : std::runtime_error(one_line(message)) {}

}  // namespace dis
