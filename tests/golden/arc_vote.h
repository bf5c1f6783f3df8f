// Cases of the ARC vote: crops, rankings, pass@k, submissions. Read without LibTorch.
#pragma once

#include <filesystem>

namespace dis::golden {

/// `json_file` with the .safetensors beside it.
void check_arc_vote(const std::filesystem::path& json_file);

}  // namespace dis::golden
