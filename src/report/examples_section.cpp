// Rows as they are solved, step by step: boards and grids, drawn small.
#include <algorithm>
#include <charconv>
#include <map>

#include "sections.h"

namespace dis {
namespace {

constexpr int kNone = -1;  // a cell without a label
constexpr std::string_view kDigits = "0123456789ABCDEFG";
constexpr std::size_t kMostCharacters = 1'500'000;  // of all drawings, so that a page stays below 3 MB

std::vector<int> tokens_of(const std::string& text) {
  std::vector<int> tokens;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    int token = kNone;
    if (*at == '-') {
      ++at;
    } else {
      const auto read = std::from_chars(at, end, token);
      if (read.ptr == at) break;
      at = read.ptr;
    }
    tokens.push_back(token);
    while (at < end && *at == ' ') ++at;
  }
  return tokens;
}

/// How the fields of a data set look.
struct DrawnField {
  std::string kind;  ///< "nqueens", "arc", ...
  std::int64_t rows = 1, columns = 1;
};

/// Runs of cells as rectangles of one path.
template <class F>
std::string path_of(const DrawnField& field, F chosen) {
  std::string path;
  for (std::int64_t row = 0; row < field.rows; ++row) {
    for (std::int64_t column = 0; column < field.columns; ++column) {
      if (!chosen(static_cast<std::size_t>(row * field.columns + column))) continue;
      auto end = column + 1;
      while (end < field.columns && chosen(static_cast<std::size_t>(row * field.columns + end))) ++end;
      path += "M" + std::to_string(column) + " " + std::to_string(row) + "h" + std::to_string(end - column) + "v1h-" +
              std::to_string(end - column) + "z";
      column = end;
    }
  }
  return path;
}

/// A path of the cells that `chosen` takes; nothing when there are none.
template <class F>
std::string shape(const DrawnField& field, const std::string& name, F chosen) {
  const auto path = path_of(field, chosen);
  return path.empty() ? "" : "<path class=\"" + name + "\" d=\"" + path + "\"/>";
}

/// A chequered board with the queens that were given and those that were placed.
std::string queens(const DrawnField& field, const std::vector<int>& tokens, const std::vector<int>& input) {
  const auto row = [&](std::size_t cell) { return static_cast<std::int64_t>(cell) / field.columns; };
  const auto column = [&](std::size_t cell) { return static_cast<std::int64_t>(cell) % field.columns; };
  auto svg = shape(field, "dark", [&](std::size_t cell) { return (row(cell) + column(cell)) % 2 == 1; });
  for (std::size_t cell = 0; cell < tokens.size(); ++cell) {
    if (tokens[cell] != 2) continue;
    svg += std::string("<circle class=\"") + (input[cell] == 2 ? "given" : "queen") + "\" cx=\"" +
           std::to_string(column(cell)) + ".5\" cy=\"" + std::to_string(row(cell)) + ".5\" r=\".32\"/>";
  }
  return svg;
}

/// The digits in the cells that `chosen` takes.
template <class F>
std::string digits(const DrawnField& field, const std::vector<int>& tokens, const char* name, F chosen) {
  std::string text;
  for (std::size_t cell = 0; cell < tokens.size(); ++cell) {
    if (tokens[cell] < 2 || !chosen(cell)) continue;
    const auto number = static_cast<std::int64_t>(cell);
    text += "<text x=\"" + std::to_string(number % field.columns) + ".5\" y=\"" +
            std::to_string(number / field.columns) + ".75\">" +
            kDigits[static_cast<std::size_t>(tokens[cell] - 1) % kDigits.size()] + "</text>";
  }
  return text.empty() ? "" : std::string("<g class=\"") + name + "\">" + text + "</g>";
}

/// Lines between the boxes, the digits that were given and those that were found.
std::string sudoku(const DrawnField& field, const std::vector<int>& tokens, const std::vector<int>& input) {
  std::string lines;
  std::int64_t box = 1;
  while (box * box < field.rows) ++box;
  for (std::int64_t at = box; at < field.rows; at += box) {
    lines += "M0 " + std::to_string(at) + "H" + std::to_string(field.columns) + "M" + std::to_string(at) + " 0V" +
             std::to_string(field.rows);
  }
  return "<path class=\"boxes\" d=\"" + lines + "\"/>" +
         digits(field, tokens, "given", [&](std::size_t cell) { return input[cell] >= 2; }) +
         digits(field, tokens, "found", [&](std::size_t cell) { return input[cell] < 2; });
}

/// The classes of a maze's tokens: walls, the open ground, start, goal, path.
std::string maze_class(int token) {
  static const std::map<int, std::string> known = {{1, "wall"}, {3, "start"}, {4, "goal"}, {5, "path"}};
  const auto found = known.find(token);
  return found == known.end() ? "" : found->second;
}

/// How a kind of data looks.
struct Look {
  /// The class of a token above 0; "" for the ground.
  std::string (*class_of)(int token) = [](int token) { return "s" + std::to_string(token % 10); };
  /// What stands on the cells.
  std::string (*figures)(const DrawnField& field, const std::vector<int>& tokens, const std::vector<int>& input) =
      [](const DrawnField&, const std::vector<int>&, const std::vector<int>&) { return std::string(); };
};

/// Shades, but for kinds that people know by their pictures: ARC by its colours and end markers, boards by queens,
/// Sudokus by digits, mazes by walls and paths.
Look look_of(const std::string& kind) {
  static const std::map<std::string, Look> known = {
      {"arc", {.class_of = [](int token) { return token == 1 ? "end" : "a" + std::to_string(token - 2); }}},
      {"nqueens", {.class_of = [](int) { return std::string(); }, .figures = queens}},
      {"sudoku", {.class_of = [](int) { return std::string(); }, .figures = sudoku}},
      {"maze", {.class_of = maze_class}},
  };
  const auto found = known.find(kind);
  return found == known.end() ? Look() : found->second;
}

/// A field. With a label, wrong cells are framed, and cells that have none, and so are not judged, are faint.
std::string drawing(const DrawnField& field, const std::vector<int>& tokens, const std::vector<int>* label,
                    const std::vector<int>& input, const std::string& title) {
  std::string svg = "<svg class=\"field " + field.kind + "\" role=\"img\" aria-label=\"" + xml_escaped(title) +
                    "\" viewBox=\"-.05 -.05 " + std::to_string(field.columns) + ".1 " + std::to_string(field.rows) +
                    ".1\">" + shape(field, "ground", [](std::size_t) { return true; });
  const auto look = look_of(field.kind);
  const int highest = tokens.empty() ? 0 : std::ranges::max(tokens);
  for (int token = 1; token <= highest; ++token) {
    const auto name = look.class_of(token);
    if (!name.empty()) svg += shape(field, name, [&](std::size_t cell) { return tokens[cell] == token; });
  }
  svg += look.figures(field, tokens, input);
  if (label != nullptr) {
    const auto wrong = [&](std::size_t cell) { return (*label)[cell] >= 0 && tokens[cell] != (*label)[cell]; };
    svg += shape(field, "faint", [&](std::size_t cell) { return (*label)[cell] < 0; }) + shape(field, "halo", wrong) +
           shape(field, "wrong", wrong);
  }
  return svg + "</svg>";
}

std::int64_t wrong_cells(const std::vector<int>& answer, const std::vector<int>& label) {
  std::int64_t wrong = 0;
  for (std::size_t cell = 0; cell < label.size(); ++cell) {
    if (label[cell] >= 0 && answer[cell] != label[cell]) ++wrong;
  }
  return wrong;
}

std::string panel(const std::string& title, const std::string& svg, const std::string& caption) {
  return "<div class=\"panel\"><div>" + xml_escaped(title) + "</div>" + svg + "<div class=\"small\">" +
         xml_escaped(caption) + "</div></div>\n";
}

/// Steps to draw, from 0: those with another answer than the one before, as many as there are colours at most, and the
/// last one.
std::vector<std::size_t> changed_steps(const Json& answers) {
  std::vector<std::size_t> changed;
  for (std::size_t s = 0; s < answers.size(); ++s) {
    if (s == 0 || s + 1 == answers.size() || answers[s] != answers[s - 1]) changed.push_back(s);
  }
  std::vector<std::size_t> shown;
  for (const auto i : shown_steps(changed.size())) shown.push_back(changed[i]);
  return shown;
}

std::string example(const DrawnField& field, const Json& row, bool open) {
  const auto label = tokens_of(row.at("label").get<std::string>());
  const auto input = tokens_of(row.at("input").get<std::string>());
  const auto size = static_cast<std::size_t>(field.rows * field.columns);
  if (label.size() != size || input.size() != size) return "";
  std::string content = "<div class=\"panels\">" + panel("input", drawing(field, input, nullptr, input, "input"), "");
  const auto& answers = row.at("answers");
  std::int64_t wrong = 0;
  for (const auto s : changed_steps(answers)) {
    const auto answer = tokens_of(answers[s].get<std::string>());
    if (answer.size() != size) return "";
    wrong = wrong_cells(answer, label);
    const auto count = std::to_string(wrong) + (wrong == 1 ? " cell wrong" : " cells wrong");
    const auto title = "step " + std::to_string(s + 1);
    const auto margin = row.at("margin").at(s).get<double>();
    content += panel(title, drawing(field, answer, &label, input, title + ", " + count),
                     count + (s > 0 ? ", margin " + short_number(margin) : ""));
  }
  content += panel("answer", drawing(field, label, nullptr, input, "answer"), "") + "</div>";
  const bool exact = row.at("exact").get<bool>();
  return details(row.at("name").get<std::string>() + ": " +
                     (exact ? "solved" : std::to_string(wrong) + (wrong == 1 ? " cell wrong" : " cells wrong")),
                 content, open);
}

}  // namespace

HtmlSection examples_section(const Runs& runs) {
  std::string content;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const auto& run = runs[r];
    if (!run.analysis) {
      content += paragraph(run.name + ": rows are kept by dis analyze --run " + run.path);
      continue;
    }
    const auto& data = run.analysis->at("data");
    const auto rules = run.config.data.rules;
    const DrawnField field{rules == Rules::unknown ? data.at("kind").get<std::string>() : to_string(rules),
                           data.at("rows").get<std::int64_t>(), data.at("columns").get<std::int64_t>()};
    content += "<h3>" + xml_escaped(run.name) + "</h3>\n" +
               paragraph(
                   "Steps that changed the answer, and the last one. Wrong cells are framed; cells without a label, "
                   "which are not "
                   "judged, are faint.");
    for (const bool exact : {false, true}) {
      std::string list;
      std::int64_t count = 0, left_out = 0;
      for (const auto& row : run.analysis->at("examples")) {
        if (row.at("exact").get<bool>() != exact) continue;
        ++count;
        if (list.size() > kMostCharacters / 2 / runs.size()) {
          ++left_out;
        } else {
          list += example(field, row, count == 1);
        }
      }
      if (left_out > 0) {
        list += paragraph(std::to_string(left_out) + " more are not drawn, to keep the page small: " + run.path +
                          "/analysis has them");
      }
      content += "<section class=\"examples\" id=\"" + std::string(exact ? "solved-" : "unsolved-") +
                 std::to_string(r) + "\"><h4>" + (exact ? "Solved" : "Not solved") + " (" + std::to_string(count) +
                 ")</h4>\n" + list + "</section>\n";
    }
  }
  return {"examples", "Step by step", content};
}

}  // namespace dis
