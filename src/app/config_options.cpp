#include "config_options.h"

#include <algorithm>
#include <filesystem>

#include "dis/core/error.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// The folder `configs` next to `place` or to one of the folders above it; `place` itself when it lies inside one.
fs::path configs_folder(fs::path place) {
  std::error_code ignored;
  for (place = fs::weakly_canonical(place, ignored); !place.empty(); place = place.parent_path()) {
    if (place.filename() == "configs" && fs::is_directory(place, ignored)) return place;
    if (fs::is_directory(place / "configs", ignored)) return place / "configs";
    if (place == place.root_path()) break;
  }
  return {};
}

/// The configurations there, as paths that can be typed here.
std::vector<std::string> configs_in(const fs::path& folder) {
  std::error_code ignored;
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".json") found.push_back(fs::proximate(entry.path(), ignored).string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string missing_config(const fs::path& path) {
  constexpr std::size_t kMost = 20;
  std::string message = "no configuration file " + path.string();
  fs::path folder = configs_folder(fs::absolute(path).parent_path());
  if (folder.empty()) folder = configs_folder(fs::current_path());
  if (folder.empty()) folder = shipped_configs();
  if (folder.empty()) return message + " (give the path of a JSON file)";
  const std::vector<std::string> known = configs_in(folder);
  std::string list;
  for (std::size_t i = 0; i < std::min(known.size(), kMost); ++i) list += (i > 0 ? ", " : "") + known[i];
  if (known.size() > kMost) list += ", ...";
  return message + "; there are: " + (list.empty() ? "none in " + folder.string() : list);
}

}  // namespace

void ConfigOptions::add_to(CLI::App& app) {
  const auto not_empty = [](const std::string& text) { return std::string(text.empty() ? "expected a path" : ""); };
  app.add_option("--config", file, "Configuration, a JSON file; without it: the defaults")
      ->type_name("FILE")
      ->check(not_empty);
  app.add_option("--set", set, "Changes one field, as in --set train.steps=200; may be repeated")
      ->type_name("FIELD=VALUE")
      ->allow_extra_args(false);
}

RunConfig ConfigOptions::load() const {
  const fs::path found = find_shipped(file);
  std::error_code ignored;
  if (!found.empty() && !fs::exists(found, ignored)) throw UserError(missing_config(file));
  return load_config(found, set);
}

fs::path shipped_configs() {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  // Beside bin (a wheel), below the prefix of an installation, in the clone of build/<preset>.
  for (const char* place : {"../configs", "../share/dis/configs", "../../configs"}) {
    if (fs::is_directory(folder / place, ignored)) return (folder / place).lexically_normal();
  }
  return {};
}

fs::path find_shipped(const fs::path& path) {
  std::error_code ignored;
  const fs::path shipped = shipped_configs();
  if (path.empty() || path.is_absolute() || shipped.empty() || fs::exists(path, ignored)) return path;
  for (const fs::path& found : {shipped / path, shipped.parent_path() / path}) {
    if (fs::exists(found, ignored)) return found;
  }
  return path;
}

}  // namespace dis
