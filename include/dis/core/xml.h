// Text inside XML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace dis {

/// `text` with & < > " as entities: safe as content and as an attribute's value.
std::string xml_escaped(std::string_view text);

}  // namespace dis
