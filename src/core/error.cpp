#include "dis/core/error.h"

#include <string_view>

#include "dis/core/control_characters.h"

namespace dis {
namespace {

std::string one_line(std::string_view text) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!is_control(text, i)) {
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
