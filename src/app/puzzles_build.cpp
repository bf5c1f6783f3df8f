#include "puzzles_build.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <unordered_set>
#include <vector>

#include "dis/app/build_info.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/puzzles/puzzle_family.h"
#include "dis/data/puzzles/sudoku_climb.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr int kMostMisses = 5000;
constexpr int kAtOnce = 4;  // puzzles of a thread between two looks at signals

/// A line of a CSV file, without its source.
struct BuiltPuzzle {
  std::string question, answer;
  std::int64_t rating = 0;

  std::string line(const std::string& source) const {
    return source + "," + question + "," + answer + "," + std::to_string(rating) + "\n";
  }
};

BuiltPuzzle made_sudoku(const PuzzlesBuild& build, std::uint64_t split, std::uint64_t number) {
  auto made = climb_sudoku(build.seed, split, number, build.climb);
  if (build.clues > 0) add_clues(made, static_cast<int>(build.clues), build.seed, split, number);
  BuiltPuzzle puzzle;
  for (std::size_t cell = 0; cell < made.puzzle.size(); ++cell) {
    puzzle.question += made.puzzle[cell] == 0 ? '.' : static_cast<char>('0' + made.puzzle[cell]);
    puzzle.answer += static_cast<char>('0' + made.solution[cell]);
  }
  puzzle.rating = std::llround(made.guesses);
  return puzzle;
}

BuiltPuzzle made_maze(const PuzzlesBuild& build, std::uint64_t split, std::uint64_t number) {
  const auto made = make_maze(build.maze, build.seed, split, number);
  const auto text = [](const std::vector<std::uint8_t>& tokens) {
    std::string characters;
    for (const auto token : tokens) characters += "?# SGo"[token];
    return characters;
  };
  return {text(made.question), text(made.answer), made.steps};
}

Json settings_of(const PuzzlesBuild& build) {
  Json json = {{"kind", build.kind}, {"seed", build.seed}, {"train", build.train}, {"tests", build.tests}};
  if (build.kind == "sudoku") {
    json["climb_steps"] = build.climb;
    json["clues"] = build.clues;
  } else {
    json["side"] = build.maze.side;
    json["path"] = {build.maze.shortest, build.maze.longest};
  }
  return json;
}

/// The lines that are done, in a file that grows: settings first, then a puzzle a line.
class PartialBuild {
 public:
  PartialBuild(fs::path file, const std::string& settings) : file_(std::move(file)) {
    if (fs::exists(file_)) {
      read(settings);
    } else {
      write_atomically(file_, settings + "\n");
    }
    out_.open(file_, std::ios::app);
    if (!out_) throw file_error("write", file_, errno);
  }

  const std::vector<std::string>& lines() const { return lines_; }
  void add(const std::string& line) {
    lines_.push_back(line);
    out_ << line << std::flush;
    if (!out_) throw file_error("write", file_, errno);
  }
  void remove() {
    out_.close();
    fs::remove(file_);
  }

 private:
  /// A line that was cut off by a crash goes.
  void read(const std::string& settings) {
    std::string text = read_text(file_), whole;
    text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
    const auto head = text.find('\n');
    if (text.substr(0, head) != settings) {
      throw UserError("'" + file_.string() + "' is a build under other settings, " + text.substr(0, head) +
                      ": finish it with these, remove the file, or name another folder");
    }
    write_atomically(file_, text);
    for (auto first = head + 1; first < text.size();) {
      const auto end = text.find('\n', first) + 1;
      lines_.push_back(text.substr(first, end - first));
      first = end;
    }
  }

  fs::path file_;
  std::vector<std::string> lines_;
  std::ofstream out_;
};

/// Question and answer of a line, as tokens, to compare it with others up to symmetry.
PairKey class_of(const std::string& line, const PuzzleFamily& family) {
  const auto first = line.find(',') + 1, second = line.find(',', first) + 1, third = line.find(',', second);
  const auto tokens = [&](const std::string& text, bool answer) {
    std::vector<std::int32_t> field;
    for (const char c : text) field.push_back(family.token(c, answer, text.size()).value());
    return field;
  };
  return family.class_key(tokens(line.substr(first, second - first - 1), false),
                          tokens(line.substr(second, third - second), true));
}

class Builder {
 public:
  explicit Builder(const PuzzlesBuild& build)
      : build_(build),
        family_(build.kind == "sudoku" ? sudoku_family() : maze_family()),
        partial_(build.folder / "build.partial", settings_of(build).dump()) {}

  void run() {
    const auto all = build_.tests + build_.train;
    Progress progress({.what = "build", .unit = "puzzles", .total = all, .done_before = std::ssize(partial_.lines())});
    for (const auto& line : partial_.lines()) classes_.insert(class_of(line, family_));
    // Whether a number was left out, as another puzzle in other clothes, is found out again: it is a rare case, and the
    // numbers of the lines that are done are not kept.
    for (const std::uint64_t split : {0U, 1U}) {
      const auto wanted = split == 0 ? build_.tests : all;
      fill(split, split == 0 ? 0 : build_.tests, wanted, progress);
    }
    progress.finish();
    write();
  }

 private:
  /// Puzzles of a split until there are `wanted` lines in all, of which `before` are of the split before.
  void fill(std::uint64_t split, std::int64_t before, std::int64_t wanted, Progress& progress) {
    auto number = static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::ssize(partial_.lines()) - before));
    int misses = 0;
    while (std::ssize(partial_.lines()) < wanted) {
      for (const auto& puzzle : made(split, number)) {
        const auto line = puzzle.line(source());
        if (std::ssize(partial_.lines()) == wanted) break;
        if (classes_.insert(class_of(line, family_)).second) {
          partial_.add(line);
          misses = 0;
        } else if (++misses == kMostMisses) {
          refuse();
        }
      }
      number += static_cast<std::uint64_t>(build_.threads * kAtOnce);
      progress.update(std::ssize(partial_.lines()), "");
      if (stop_requested()) throw Stopped{stop_signal()};
    }
  }

  [[noreturn]] void refuse() const {
    throw UserError("--train, --tests: expected " + std::to_string(build_.tests + build_.train) +
                    " puzzles that differ under their symmetries, found " + std::to_string(partial_.lines().size()) +
                    " and none more in " + std::to_string(kMostMisses) + ": ask for fewer, or for larger ones");
  }

  /// kAtOnce puzzles for each thread, from number `first` on.
  std::vector<BuiltPuzzle> made(std::uint64_t split, std::uint64_t first) const {
    const auto threads = static_cast<std::size_t>(build_.threads), count = threads * kAtOnce;
    std::vector<BuiltPuzzle> puzzles(count);
    const auto make = [&](std::size_t thread) {
      for (auto i = thread; i < count; i += threads) {
        puzzles[i] = (build_.kind == "sudoku" ? made_sudoku : made_maze)(build_, split, first + i);
      }
    };
    std::vector<std::future<void>> others;
    for (std::size_t thread = 1; thread < threads; ++thread) {
      others.push_back(std::async(std::launch::async, make, thread));
    }
    make(0);
    for (auto& other : others) other.get();
    return puzzles;
  }

  std::string source() const { return build_.kind == "sudoku" ? "sudoku-climb" : "maze-unique"; }

  void write() {
    const auto& lines = partial_.lines();
    const auto write_split = [&](const std::string& name, std::int64_t first, std::int64_t past) {
      std::string text = "source,question,answer,rating\n";
      std::int64_t sum = 0;
      for (auto i = first; i < past; ++i) {
        const auto& line = lines[static_cast<std::size_t>(i)];
        text += line;
        sum += std::stoll(line.substr(line.rfind(',') + 1));
      }
      write_atomically(build_.folder / (name + ".csv"), text);
      const double mean = past > first ? static_cast<double>(sum) / static_cast<double>(past - first) : 0.0;
      std::printf("%s: %lld puzzles, mean rating %.2f\n", (build_.folder / (name + ".csv")).c_str(),
                  static_cast<long long>(past - first), mean);
      return mean;
    };
    auto json = settings_of(build_);
    json["source"] = source();
    json["made_by"] = std::string("dis ") + build_info::version;
    json["mean_rating_of_tests"] = write_split("test", 0, build_.tests);
    json["mean_rating"] = write_split("train", build_.tests, build_.tests + build_.train);
    write_json(build_.folder / "build.json", json);
    partial_.remove();
  }

  const PuzzlesBuild& build_;
  const PuzzleFamily& family_;
  PartialBuild partial_;
  std::unordered_set<PairKey> classes_;
};

}  // namespace

void build_puzzles(const PuzzlesBuild& build) {
  ensure_folder(build.folder);
  for (const char* name : {"train.csv", "train.csv.gz", "test.csv", "test.csv.gz"}) {
    if (fs::exists(build.folder / name)) {
      throw UserError("'" + (build.folder / name).string() + "' is there already; name another folder, or remove it");
    }
  }
  catch_stop_signals();
  Builder(build).run();
}

}  // namespace dis
