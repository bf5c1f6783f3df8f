#include "dis/data/boards/board_file.h"

#include <algorithm>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"

namespace dis {
namespace {

std::string times(int n) { return std::to_string(n) + " x " + std::to_string(n); }

std::string cell_name(int n, std::size_t cell) {
  const auto side = static_cast<std::size_t>(n);
  return "row " + std::to_string(cell / side) + ", column " + std::to_string(cell % side);
}

/// Reads one board; knows what every message has to name.
class BoardReader {
 public:
  BoardReader(int n, std::string place) : n_(n), place_(std::move(place)) {}

  CompactBoard read(const Json& entry) const {
    if (entry.is_string()) return compact(entry.get<std::string>());
    if (!entry.is_object()) {
      fail("expected an object with input and label, or a string such as \"30471625 xxxx.xxx\", found " +
           std::string(entry.type_name()));
    }
    const auto input = field(entry, "input");
    const auto label = field(entry, "label");
    for (std::size_t cell = 0; cell < input.size(); ++cell) {
      if (input[cell] == kQueenCell && label[cell] != kQueenCell) {
        fail("expected a label with every queen of the input, found none at " + cell_name(n_, cell));
      }
    }
    if (!is_valid_completion(input, label)) not_a_solution();
    CompactBoard board;
    board.solution = *placement_of(label);
    for (std::size_t cell = 0; cell < input.size(); ++cell) {
      if (input[cell] == kQueenCell) board.rows |= 1U << cell / static_cast<std::size_t>(n_);
    }
    return board;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw UserError(place_ + ": " + what); }
  [[noreturn]] void not_a_solution() const {
    fail("expected a label with " + std::to_string(n_) + " queens that do not attack one another, found another one");
  }

  std::vector<std::uint8_t> field(const Json& entry, const char* key) const {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_string()) fail(std::string("expected a string \"") + key + "\", found none");
    const auto text = found->get<std::string>();
    const auto cells = static_cast<std::size_t>(n_ * n_);
    if (text.size() != cells) {
      fail("expected " + std::string(key) + " of " + std::to_string(cells) + " characters (data.board_size " +
           times(n_) + "), found " + std::to_string(text.size()));
    }
    std::vector<std::uint8_t> tokens(cells);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      if (text[cell] != '1' && text[cell] != '2') {
        fail("expected 1 (empty) or 2 (queen), found " + Json(text.substr(cell, 1)).dump(-1, ' ', true, kReplace) +
             " at " + cell_name(n_, cell) + " of the " + key);
      }
      tokens[cell] = static_cast<std::uint8_t>(text[cell] - '0');
    }
    return tokens;
  }

  CompactBoard compact(const std::string& text) const {
    const auto side = static_cast<std::size_t>(n_);
    if (text.size() != 2 * side + 1 || text[side] != ' ') {
      fail("expected " + std::to_string(n_) + " columns, a space, " + std::to_string(n_) +
           " marks (x given, . not; data.board_size " + times(n_) + "), found " + std::to_string(text.size()) +
           " characters");
    }
    CompactBoard board;
    board.solution = Placement(n_);
    for (std::size_t row = 0; row < side; ++row) {
      const auto column = std::string("0123456789abcdef").find(text[row]);
      const char mark = text[side + 1 + row];
      if (column >= side || (mark != 'x' && mark != '.')) {
        fail("expected a column 0.." + std::to_string(n_ - 1) + " (a for 10) and a mark x or . for row " +
             std::to_string(row) + ", found something else");
      }
      board.solution.column[row] = static_cast<std::int8_t>(column);
      if (mark == 'x') board.rows |= 1U << row;
    }
    if (!is_peaceful(board.solution)) not_a_solution();
    return board;
  }

  static constexpr auto kReplace = Json::error_handler_t::replace;
  int n_;
  std::string place_;
};

std::string text_of(const std::vector<std::uint8_t>& tokens) {
  std::string text(tokens.size(), '0');
  std::transform(tokens.begin(), tokens.end(), text.begin(), [](auto token) { return static_cast<char>('0' + token); });
  return text;
}

}  // namespace

std::vector<CompactBoard> read_board_file(const std::filesystem::path& path, int n, const std::string& key) {
  const Json document = read_json(path);
  const std::string place = key + " " + path.string() + ": ";
  for (const char* list : {"boards", "test"}) {
    if (!document.is_object() || !document.contains(list)) continue;
    const Json& entries = document[list];
    if (!entries.is_array() || entries.empty()) {
      throw UserError(place + "expected at least one board in the list \"" + list + "\", found none");
    }
    std::vector<CompactBoard> boards;
    boards.reserve(entries.size());
    for (const Json& entry : entries) {
      boards.push_back(BoardReader(n, place + list + "[" + std::to_string(boards.size()) + "]").read(entry));
    }
    return boards;
  }
  throw UserError(place + "expected an object with a list \"boards\" or \"test\", found none (see data/README.md)");
}

void write_board_file(const std::filesystem::path& path, const Json& head, const std::string& list, std::int64_t count,
                      const std::function<Board(std::int64_t)>& board) {
  AtomicFile file(path);
  std::string text = "{\n";
  for (const auto& [key, value] : head.items()) text += " " + json_text(key) + ": " + json_text(value) + ",\n";
  text += " " + Json(list).dump() + ": [\n";
  for (std::int64_t i = 0; i < count; ++i) {
    const Board entry = board(i);
    text += "  {\"k\": " + std::to_string(entry.givens) + ", \"completions\": " + std::to_string(entry.completions) +
            ", \"input\": \"" + text_of(entry.input) + "\", \"label\": \"" + text_of(entry.label) + "\"}" +
            (i + 1 < count ? ",\n" : "\n");
    if (text.size() > (1U << 20)) {
      file.write(text);
      text.clear();
    }
  }
  file.write(text + " ]\n}\n");
  file.commit();
}

}  // namespace dis
