#include "dis/eval/votes/submission.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/arc/arc_json.h"

namespace dis {
namespace {

constexpr std::array<const char*, 2> kAttempts{"attempt_1", "attempt_2"};  // that ARC Prize reads

/// No answer is a grid of one cell.
Json attempt_json(const Grid& grid) { return grid_json(grid.cells.empty() ? Grid{1, 1, {0}} : grid); }

std::size_t tests_of(const ArcTask& task) {
  return static_cast<std::size_t>(std::ranges::count_if(task.pairs, &ArcPair::test));
}

/// Collects what is wrong; knows where it is looking.
class Checker {
 public:
  explicit Checker(std::string file) : file_(std::move(file)) {}

  void check(const Json& document, std::span<const ArcTask> tasks) {
    if (!document.is_object()) {
      problem("", "expected an object of tasks, found " + name_of(document));
      return;
    }
    std::set<std::string> known;
    for (const ArcTask& task : tasks) {
      known.insert(task.id);
      const auto place = "task \"" + task.id + "\"";
      const auto found = document.find(task.id);
      if (found == document.end()) {
        problem(place, "missing");
      } else {
        check_task(place, *found, tests_of(task));
      }
    }
    for (const auto& [id, entry] : document.items()) {
      if (!known.contains(id))
        problem("task " + quoted(id), "is none of the " + std::to_string(tasks.size()) + " tasks");
    }
  }

  void problem(const std::string& place, const std::string& what) {
    problems_.push_back(file_ + ": " + place + (place.empty() ? "" : ": ") + what);
  }

  std::vector<std::string> take() { return std::move(problems_); }

 private:
  static std::string quoted(const std::string& text) { return in_message(text); }
  static std::string name_of(const Json& json) { return json.type_name(); }

  void check_task(const std::string& place, const Json& entries, std::size_t tests) {
    if (!entries.is_array()) {
      problem(place, "expected a list with an entry per test input, found " + name_of(entries));
      return;
    }
    if (entries.size() != tests) {
      problem(place, "expected " + std::to_string(tests) + (tests == 1 ? " entry" : " entries") +
                         ", one per test input, found " + std::to_string(entries.size()));
    }
    for (std::size_t test = 0; test < entries.size(); ++test) {
      check_entry(place + ", test input " + std::to_string(test), entries[test]);
    }
  }

  void check_entry(const std::string& place, const Json& entry) {
    if (!entry.is_object()) {
      problem(place, "expected an object with attempt_1 and attempt_2, found " + name_of(entry));
      return;
    }
    for (const char* attempt : kAttempts) {
      const auto found = entry.find(attempt);
      if (found == entry.end()) {
        problem(place, std::string(attempt) + " is missing");
      } else {
        check_grid(place + ", " + attempt, *found);
      }
    }
    for (const auto& [key, value] : entry.items()) {
      if (std::ranges::find(kAttempts, key) == kAttempts.end()) problem(place, "unknown key " + quoted(key));
    }
  }

  /// The first thing that is wrong with a grid.
  void check_grid(const std::string& place, const Json& grid) {
    const auto size = [](std::size_t n) { return n >= 1 && n <= kLargestGrid; };
    if (!grid.is_array() || !size(grid.size())) {
      problem(place, "expected a list of 1 to 30 rows, found " + counted(grid));
      return;
    }
    for (std::size_t row = 0; row < grid.size(); ++row) {
      const auto in_row = place + ", row " + std::to_string(row);
      const Json& cells = grid[row];
      if (!cells.is_array() || !size(cells.size())) {
        problem(in_row, "expected a list of 1 to 30 cells, found " + counted(cells));
        return;
      }
      if (cells.size() != grid[0].size()) {
        problem(in_row, "expected " + std::to_string(grid[0].size()) + " cells as in row 0, found " +
                            std::to_string(cells.size()));
        return;
      }
      for (std::size_t column = 0; column < cells.size(); ++column) {
        const Json& cell = cells[column];
        if (cell.is_number_integer() && cell >= 0 && cell < kColours) continue;
        const bool number = cell.is_number();
        problem(in_row + ", column " + std::to_string(column),
                "expected a colour 0..9, found " + (number ? in_message(cell) : name_of(cell)));
        return;
      }
    }
  }

  static std::string counted(const Json& json) { return json.is_array() ? std::to_string(json.size()) : name_of(json); }

  std::string file_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::vector<Grid>> best_grids(const VoteBook& book, std::int64_t attempts) {
  std::vector<std::vector<Grid>> grids(static_cast<std::size_t>(book.tests()));
  for (std::size_t test = 0; test < grids.size(); ++test) {
    for (auto& candidate : book.ranking(static_cast<std::int64_t>(test), attempts)) {
      grids[test].push_back(std::move(candidate.grid));
    }
  }
  return grids;
}

Json submission(std::span<const ArcTask> tasks, std::span<const std::vector<Grid>> attempts, std::int64_t most) {
  Json json = Json::object();
  for (const ArcTask& task : tasks) json[task.id] = Json::array();
  const auto inputs = test_inputs(tasks);
  ensure(inputs.size() == attempts.size(), "submission", "attempts for every test input");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Json entry = Json::object();
    const auto& grids = attempts[i];
    for (std::size_t attempt = 0; attempt < static_cast<std::size_t>(most); ++attempt) {
      entry["attempt_" + std::to_string(attempt + 1)] =
          attempt_json(grids.empty() ? Grid{} : grids[std::min(attempt, grids.size() - 1)]);
    }
    json[tasks[inputs[i].task].id].push_back(std::move(entry));
  }
  return json;
}

void write_submission(const std::filesystem::path& path, std::span<const ArcTask> tasks,
                      std::span<const std::vector<Grid>> attempts, std::int64_t most) {
  write_or_keep(path, json_file_text(submission(tasks, attempts, most), -1));
}

Json merged_submissions(const std::vector<std::filesystem::path>& files) {
  Json all = Json::object();
  std::map<std::string, std::string> places;
  for (const auto& file : files) {
    const auto json = read_json(file);
    if (!json.is_object() || json.empty()) {
      throw UserError("'" + file.string() + "': expected a submission, an object of tasks, found " +
                      (json.is_object() ? "none" : std::string(json.type_name())));
    }
    for (const auto& [task, entries] : json.items()) {
      if (!entries.is_array()) {
        throw UserError("'" + file.string() + "': task " + in_message(task) +
                        ": expected a list with an entry per test input, found " + entries.type_name());
      }
      const auto [place, added] = places.emplace(task, file.string());
      if (!added) {
        throw UserError("task " + in_message(task) + " is in both '" + place->second + "' and '" + file.string() +
                        "'; leave one of them out");
      }
      all[task] = entries;
    }
  }
  return all;
}

std::vector<std::string> check_submission(const std::filesystem::path& path, std::span<const ArcTask> tasks) {
  const auto text = read_text(path);
  Checker checker(path.string());
  try {
    checker.check(parse_json(text, path.string()), tasks);
  } catch (const UserError& error) {
    return {error.what()};  // no JSON, or a task twice
  }
  return checker.take();
}

}  // namespace dis
