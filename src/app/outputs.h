// Outputs that a user names must not replace what the command reads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dis {

/// UserError when the file `output`, which the message calls `named`, is there and is one of `inputs` or lies in a
/// folder among them, whatever its path looks like. Empty inputs are none.
void refuse_input(const std::filesystem::path& output, const std::string& named,
                  const std::vector<std::filesystem::path>& inputs);

/// What training keeps in a run folder, and all else is made from.
std::vector<std::filesystem::path> run_inputs(const std::filesystem::path& run);

}  // namespace dis
