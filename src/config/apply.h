// Shared by parse.cpp and load.cpp.
#pragma once

#include <string>

#include "dis/config/config.h"

namespace dis {

/// Sets the fields that `document` holds and leaves the others: applied base first, this is what `extends` means.
/// `$schema` and `extends` are passed over. UserError as for `load_config`.
void apply_document(RunConfig& config, const Json& document, const std::string& source);

}  // namespace dis
