#include "puzzles_build.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "dis/app/build_info.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/parts.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/puzzles/puzzle_csv.h"
#include "dis/data/puzzles/puzzle_family.h"
#include "dis/data/puzzles/sudoku_climb.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr int kMostMisses = 5000;
constexpr int kAtOnce = 4;  // puzzles of a thread between two looks at signals

/// Tokens of puzzle_family.h.
struct MadePuzzle {
  std::vector<std::int32_t> question, answer;
  std::int64_t rating = 0;
};

/// What differs between the kinds of puzzles.
struct PuzzleMaker {
  std::string kind;    ///< of PuzzlesBuild
  std::string source;  ///< in the files
  const PuzzleFamily& (*family)();
  MadePuzzle (*make)(const PuzzlesBuild& build, std::uint64_t split, std::uint64_t number);
  Json (*settings)(const PuzzlesBuild& build);
};

std::uint64_t seed_of(const PuzzlesBuild& build) { return static_cast<std::uint64_t>(build.seed); }

MadePuzzle made_sudoku(const PuzzlesBuild& build, std::uint64_t split, std::uint64_t number) {
  auto made = climb_sudoku(seed_of(build), split, number, {build.climb, stop_requested});
  if (build.clues > 0) add_clues(made, static_cast<int>(build.clues), seed_of(build), split, number);
  const auto tokens = [](const SudokuGrid& grid) {
    std::vector<std::int32_t> field;
    for (const auto digit : grid) field.push_back(digit + 1);
    return field;
  };
  return {tokens(made.puzzle), tokens(made.solution), std::llround(made.guesses)};
}

MadePuzzle made_maze(const PuzzlesBuild& build, std::uint64_t split, std::uint64_t number) {
  auto made = make_maze(build.maze, seed_of(build), split, number);
  return {std::move(made.question), std::move(made.answer), made.steps};
}

const PuzzleMaker& maker_of(const std::string& kind) {
  static const std::array makers = {
      PuzzleMaker{"sudoku", "sudoku-climb", sudoku_family, made_sudoku,
                  [](const PuzzlesBuild& build) -> Json {
                    return {{"climb_steps", build.climb}, {"clues", build.clues}};
                  }},
      PuzzleMaker{"maze", "maze-unique", maze_family, made_maze,
                  [](const PuzzlesBuild& build) -> Json {
                    return {{"side", build.maze.side}, {"path", {build.maze.shortest, build.maze.longest}}};
                  }},
  };
  const auto found = std::ranges::find(makers, kind, &PuzzleMaker::kind);
  ensure(found != makers.end(), "build_puzzles", "sudoku or maze");
  return *found;
}

Json settings_of(const PuzzlesBuild& build) {
  Json json = {{"kind", build.kind}, {"seed", build.seed}, {"train", build.train}, {"tests", build.tests}};
  json.update(maker_of(build.kind).settings(build));
  return json;
}

/// A line of a CSV file.
std::string line_of(const MadePuzzle& puzzle, const PuzzleMaker& maker) {
  std::string line = maker.source;
  for (const auto* field : {&puzzle.question, &puzzle.answer}) {
    line += ',';
    for (const auto token : *field) line += maker.family().character(token, field->size());
  }
  return line + "," + std::to_string(puzzle.rating) + "\n";
}

/// A puzzle that is done: its number in its split, and its line.
struct DoneLine {
  std::uint64_t number = 0;
  std::string line;
};

/// What is done, in a file that grows: settings first, then "<number>,<line>" a puzzle.
class PartialBuild {
 public:
  PartialBuild(fs::path file, const std::string& settings) : file_(std::move(file)) {
    if (fs::exists(file_)) read(settings);
    if (lines_.empty()) write_atomically(file_, settings + "\n");
    out_.open(file_, std::ios::app);
    if (!out_) throw file_error("write", file_, errno);
  }

  const std::vector<DoneLine>& lines() const { return lines_; }
  void add(DoneLine line) {
    out_ << line.number << "," << line.line << std::flush;
    if (!out_) throw file_error("write", file_, errno);
    lines_.push_back(std::move(line));
  }
  void remove() {
    out_.close();
    fs::remove(file_);
  }
  UserError damaged(std::size_t line) const {
    return UserError("'" + file_.string() + "': line " + std::to_string(line + 2) +
                     " is damaged; remove the file, and the build begins again");
  }

 private:
  /// A line that was cut off by a crash goes. A build of which no puzzle is done is none.
  void read(const std::string& settings) {
    std::string text = read_text(file_);
    text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
    const auto head = text.find('\n');
    if (head == std::string::npos || head + 1 == text.size()) return;
    if (text.substr(0, head) != settings) {
      throw UserError("'" + file_.string() + "' is a build under other settings, " + text.substr(0, head) +
                      ": finish it with these, remove the file, or name another folder");
    }
    write_atomically(file_, text);
    for (auto first = head + 1; first < text.size();) {
      const auto end = text.find('\n', first) + 1;
      DoneLine line;
      const auto [rest, error] = std::from_chars(text.data() + first, text.data() + end, line.number);
      if (error != std::errc() || *rest != ',') throw damaged(lines_.size());
      line.line.assign(rest + 1, static_cast<const char*>(text.data()) + end);
      lines_.push_back(std::move(line));
      first = end;
    }
  }

  fs::path file_;
  std::vector<DoneLine> lines_;
  std::ofstream out_;
};

/// The puzzle of a line; none: the line is damaged.
std::optional<MadePuzzle> puzzle_of(std::string_view line, const PuzzleFamily& family) {
  const auto columns = split_puzzle_line(line.substr(0, line.find('\n')));
  if (!columns || columns->question.size() != columns->answer.size() || !family.has_size(columns->question.size()))
    return std::nullopt;
  const auto rating = rating_of(columns->rating);
  if (!rating) return std::nullopt;
  MadePuzzle puzzle{.question = {}, .answer = {}, .rating = *rating};
  for (const bool answer : {false, true}) {
    for (const char c : answer ? columns->answer : columns->question) {
      const auto token = family.token(c, answer, columns->question.size());
      if (!token) return std::nullopt;
      (answer ? puzzle.answer : puzzle.question).push_back(*token);
    }
  }
  return puzzle;
}

class Builder {
 public:
  explicit Builder(const PuzzlesBuild& build)
      : build_(build),
        maker_(maker_of(build.kind)),
        partial_(build.folder / "build.partial", settings_of(build).dump()) {}

  void run() {
    const auto all = build_.tests + build_.train;
    Progress progress({.what = "build", .unit = "puzzles", .total = all, .done_before = std::ssize(partial_.lines())});
    for (std::size_t i = 0; i < partial_.lines().size(); ++i) {
      const auto puzzle = puzzle_of(partial_.lines()[i].line, maker_.family());
      if (!puzzle) throw partial_.damaged(i);
      is_new(*puzzle);
    }
    fill(0, {0, build_.tests}, progress);
    fill(1, {build_.tests, all}, progress);
    progress.finish();
    write();
  }

 private:
  /// Places among all lines.
  struct Places {
    std::int64_t first, past;
  };

  /// Puzzles of a split, until its places are taken.
  void fill(std::uint64_t split, const Places& places, Progress& progress) {
    const auto& lines = partial_.lines();
    std::uint64_t number = 0;
    if (std::ssize(lines) > places.first) {
      const auto last = std::min(std::ssize(lines), places.past) - 1;
      number = lines[static_cast<std::size_t>(last)].number + 1;
    }
    int misses = 0;
    while (std::ssize(lines) < places.past) {
      const auto made = make(split, number);
      if (stop_requested()) throw Stopped{stop_signal()};  // a climb that was cut short is no puzzle
      for (const auto& [puzzle, error] : made) {
        if (std::ssize(lines) == places.past) break;
        if (error) std::rethrow_exception(error);
        const auto own = number++;
        if (is_new(puzzle)) {
          partial_.add({own, line_of(puzzle, maker_)});
          misses = 0;
        } else if (++misses == kMostMisses) {
          refuse();
        }
      }
      progress.update(std::ssize(lines), "");
    }
  }

  /// Whether no puzzle before is the same under some symmetry.
  bool is_new(const MadePuzzle& puzzle) {
    return classes_.insert(maker_.family().class_key(puzzle.question, puzzle.answer)).second;
  }

  [[noreturn]] void refuse() const {
    throw UserError("--train, --tests: expected " + std::to_string(build_.tests + build_.train) +
                    " puzzles that differ under their symmetries, found " + std::to_string(partial_.lines().size()) +
                    " and none more in " + std::to_string(kMostMisses) + ": ask for fewer, or for larger ones");
  }

  /// A puzzle, or why there is none.
  struct Made {
    MadePuzzle puzzle;
    std::exception_ptr error;
  };

  /// kAtOnce puzzles for each thread, from number `first` on.
  std::vector<Made> make(std::uint64_t split, std::uint64_t first) const {
    const auto threads = static_cast<std::size_t>(build_.threads), count = threads * kAtOnce;
    std::vector<Made> puzzles(count);
    in_parts(count, threads, [&](std::size_t begin, std::size_t past) {
      for (auto i = begin; i < past; ++i) {
        try {
          puzzles[i].puzzle = maker_.make(build_, split, first + i);
        } catch (const UserError&) {
          puzzles[i].error = std::current_exception();
        }
      }
    });
    return puzzles;
  }

  void write() {
    const auto& lines = partial_.lines();
    const auto write_split = [&](const std::string& name, std::int64_t first, std::int64_t past) {
      std::string text = std::string(kPuzzleColumns) + "\n";
      std::int64_t sum = 0;
      for (auto i = first; i < past; ++i) {
        const auto& line = lines[static_cast<std::size_t>(i)].line;
        text += line;
        sum += rating_of(split_puzzle_line(std::string_view(line).substr(0, line.size() - 1)).value().rating).value();
      }
      write_atomically(build_.folder / (name + ".csv"), text);
      const double mean = past > first ? static_cast<double>(sum) / static_cast<double>(past - first) : 0.0;
      std::printf("%s: %lld puzzles, mean rating %.2f\n", (build_.folder / (name + ".csv")).c_str(),
                  static_cast<long long>(past - first), mean);
      return mean;
    };
    auto json = settings_of(build_);
    json["source"] = maker_.source;
    json["made_by"] = std::string("dis ") + build_info::version;
    if (build_.tests > 0) json["mean_rating_of_tests"] = write_split("test", 0, build_.tests);
    json["mean_rating"] = write_split("train", build_.tests, build_.tests + build_.train);
    write_json(build_.folder / "build.json", json);
    partial_.remove();
  }

  const PuzzlesBuild& build_;
  const PuzzleMaker& maker_;
  PartialBuild partial_;
  std::unordered_set<PairKey> classes_;
};

}  // namespace

void build_puzzles(const PuzzlesBuild& build) {
  ensure_folder(build.folder);
  const bool goes_on = fs::exists(build.folder / "build.partial");
  for (const char* name : {"train.csv", "train.csv.gz", "test.csv", "test.csv.gz"}) {
    if (!goes_on && fs::exists(build.folder / name)) {
      throw UserError("'" + (build.folder / name).string() + "' is there already; name another folder, or remove it");
    }
  }
  catch_stop_signals();
  Builder(build).run();
}

}  // namespace dis
