// What is generated from the table of fields for people and editors.
#pragma once

#include <string>

#include "dis/config/config.h"

namespace dis {

/// JSON Schema (draft 2020-12) of a configuration file: types, ranges, choices, defaults, help; no unknown keys.
Json schema();

/// docs/config.md: how configurations work, and one table per section (field, default, allowed, meaning).
std::string reference_page();

}  // namespace dis
