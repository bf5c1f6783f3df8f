// Configuration files and what they extend.
#include <algorithm>

#include "apply.h"
#include "dis/config/config.h"
#include "dis/core/error.h"
#include "dis/core/json.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// Applies the file after those that it extends. `chain`: the files that led here, the first is the user's.
void apply_file(RunConfig& config, const fs::path& path, std::vector<fs::path> chain) {
  const auto is_this = [&](const fs::path& other) { return fs::weakly_canonical(other) == fs::weakly_canonical(path); };
  const bool circular = std::any_of(chain.begin(), chain.end(), is_this);
  chain.push_back(path);
  if (circular) {
    std::string names;
    for (const fs::path& member : chain) names += (names.empty() ? "" : " -> ") + member.string();
    throw UserError(chain.front().string() + ": \"extends\" goes in a circle: " + names);
  }
  const Json document = read_json(path);
  if (document.is_object() && document.contains("extends") && document["extends"].is_string()) {
    const fs::path base = document["extends"].get<std::string>();
    const fs::path base_path = (path.parent_path() / base).lexically_normal();
    if (!fs::is_regular_file(base_path)) {
      throw UserError(path.string() + ": \"extends\": \"" + base.string() + "\" leads to " + base_path.string() +
                      ", which is not a file");
    }
    apply_file(config, base_path, chain);
  }
  apply_document(config, document, path.string());
}

}  // namespace

RunConfig load_config(const fs::path& path, const std::vector<std::string>& overrides) {
  RunConfig config;
  if (!path.empty()) apply_file(config, path, {});
  for (const std::string& text : overrides) apply_override(config, text);
  const std::string source = path.empty() ? "the defaults" : path.string();
  check_config(config, overrides.empty() ? source : source + " with --set");
  return config;
}

}  // namespace dis
