#include "pickle.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "dis/core/error.h"

namespace dis {
namespace {

using Kind = Pickle::Kind;
using Id = Pickle::Id;
using Object = Pickle::Object;

/// Every byte of a pickle can make an object of about 80 bytes.
constexpr std::size_t kMostBytes = 4 << 20;
constexpr std::size_t kLongestName = 200;

/// Text out of an untrusted file, on one line and of bearable length.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestName)) out += c >= ' ' && c < 127 ? c : '?';
  return text.size() > kLongestName ? out + "..." : out;
}

/// The stack machine.
class Machine {
 public:
  Machine(std::string_view bytes, std::span<const std::string_view> globals, const std::string& where)
      : bytes_(bytes), globals_(globals), where_(where) {}

  std::pair<std::vector<Object>, Id> run() {
    while (step()) {
    }
    const Id root = pop();
    return {std::move(objects_), root};
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw UserError(where_ + ": its pickle is damaged at byte " + std::to_string(place_) + ": " + what);
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - place_) damaged("it ends in the middle of a value");
    const auto taken = bytes_.substr(place_, static_cast<std::size_t>(count));
    place_ += taken.size();
    return taken;
  }

  /// Little endian, without a sign.
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }

  std::string_view line() {
    const auto end = bytes_.find('\n', place_);
    if (end == std::string_view::npos) damaged("a name without an end");
    const auto text = take(end - place_);
    ++place_;
    return text;
  }

  void push(Object object) {
    objects_.push_back(std::move(object));
    stack_.push_back(static_cast<Id>(objects_.size() - 1));
  }
  void push_text(std::string_view text) { push({Kind::text, 0, std::string(text), {}}); }
  void push_integer(std::int64_t value) { push({Kind::integer, value, {}, {}}); }

  /// How many values lie above the last mark.
  std::size_t height() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  Id pop() {
    if (height() == 0) damaged("it takes more values than it has made");
    const Id top = stack_.back();
    stack_.pop_back();
    return top;
  }

  Id top() {
    if (height() == 0) damaged("it uses a value that it has not made");
    return stack_.back();
  }

  /// The topmost `count` values, the lowest first.
  std::vector<Id> pop_many(std::size_t count) {
    if (height() < count) damaged("it takes more values than it has made");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Id> values(first, stack_.end());
    stack_.erase(first, stack_.end());
    return values;
  }

  /// The values above the last mark, and the mark.
  std::vector<Id> pop_to_mark() {
    if (marks_.empty()) damaged("a mark is missing");
    auto values = pop_many(height());
    marks_.pop_back();
    return values;
  }

  void push_global(const std::string& name) {
    if (std::find(globals_.begin(), globals_.end(), name) == globals_.end()) {
      throw UserError(
          where_ + ": refused: its pickle asks for " + printable(name) +
          ", which would run code; expected nothing but tensors in plain containers. If you trust the file, load it in "
          "Python and save its state_dict() alone");
    }
    push({Kind::global, 0, name, {}});
  }

  /// Appends to the list, dictionary or called object on top.
  void extend(const std::vector<Id>& values, bool pairs) {
    auto& to = objects_[top()];
    if (pairs ? to.kind != Kind::dictionary && to.kind != Kind::call : to.kind != Kind::list) {
      damaged("it adds to something that is no container");
    }
    if (pairs && values.size() % 2 != 0) damaged("a key without a value");
    to.items.insert(to.items.end(), values.begin(), values.end());
  }

  void call() {
    const Id arguments = pop();
    const Id function = pop();
    if (objects_[function].kind != Kind::global || objects_[arguments].kind != Kind::tuple) {
      damaged("a call of something that is no function");
    }
    push({Kind::call, 0, {}, {function, arguments}});
  }

  void long_integer(std::uint64_t size) {
    if (size > sizeof(std::int64_t)) damaged("an integer of more than 64 bits");
    std::uint64_t value = number(static_cast<std::size_t>(size));
    const bool negative = size > 0 && (value >> (8 * size - 1) & 1) != 0;
    if (negative && size < sizeof(value)) value |= ~std::uint64_t{0} << (8 * size);
    push_integer(static_cast<std::int64_t>(value));
  }

  void recall(std::uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) damaged("it recalls a value that it has not kept");
    stack_.push_back(found->second);
  }

  /// Obeys one instruction; false after the last.
  bool step() {
    const auto code = static_cast<unsigned char>(take(1)[0]);
    switch (code) {
      case 0x80:  // PROTO
        if (const auto version = number(1); version > 5) damaged("protocol " + std::to_string(version));
        break;
      case 0x95:
        take(8);
        break;  // FRAME
      case '.':
        return false;  // STOP

      case 'N':
        push({});
        break;
      case 0x88:
        push({Kind::boolean, 1, {}, {}});
        break;
      case 0x89:
        push({Kind::boolean, 0, {}, {}});
        break;
      case 'J':
        push_integer(static_cast<std::int32_t>(number(4)));
        break;
      case 'K':
        push_integer(static_cast<std::int64_t>(number(1)));
        break;
      case 'M':
        push_integer(static_cast<std::int64_t>(number(2)));
        break;
      case 0x8a:
        long_integer(number(1));
        break;   // LONG1
      case 'G':  // BINFLOAT
        take(8);
        push({Kind::real, 0, {}, {}});
        break;
      case 'X':
        push_text(take(number(4)));
        break;  // BINUNICODE
      case 0x8c:
        push_text(take(number(1)));
        break;  // SHORT_BINUNICODE
      case 0x8d:
        push_text(take(number(8)));
        break;  // BINUNICODE8
      case 'U':
        push_text(take(number(1)));
        break;  // SHORT_BINSTRING
      case 'T':
        push_text(take(number(4)));
        break;  // BINSTRING

      case '(':
        marks_.push_back(stack_.size());
        break;
      case '0':
        pop();
        break;
      case '1':
        pop_to_mark();
        break;
      case '2':
        stack_.push_back(top());
        break;

      case ']':
        push({Kind::list, 0, {}, {}});
        break;
      case '}':
        push({Kind::dictionary, 0, {}, {}});
        break;
      case ')':
        push({Kind::tuple, 0, {}, {}});
        break;
      case 't':
        push({Kind::tuple, 0, {}, pop_to_mark()});
        break;
      case 0x85:
        push({Kind::tuple, 0, {}, pop_many(1)});
        break;
      case 0x86:
        push({Kind::tuple, 0, {}, pop_many(2)});
        break;
      case 0x87:
        push({Kind::tuple, 0, {}, pop_many(3)});
        break;
      case 'a':
        extend({pop()}, false);
        break;
      case 'e':
        extend(pop_to_mark(), false);
        break;
      case 's':
        extend(pop_many(2), true);
        break;
      case 'u':
        extend(pop_to_mark(), true);
        break;

      case 'q':
        memo_[number(1)] = top();
        break;
      case 'r':
        memo_[number(4)] = top();
        break;
      case 0x94: {  // MEMOIZE
        const auto slot = memo_.size();
        memo_[slot] = top();
        break;
      }
      case 'h':
        recall(number(1));
        break;
      case 'j':
        recall(number(4));
        break;

      case 'c':    // GLOBAL
      case 'i': {  // INST, which also calls it
        const std::string module(line());
        const auto name = module + "." + std::string(line());
        push_global(name);
        if (code == 'i') damaged("an instruction of old pickles (INST)");
        break;
      }
      case 0x93: {  // STACK_GLOBAL
        const Id name = pop();
        const Id module = pop();
        if (objects_[name].kind != Kind::text || objects_[module].kind != Kind::text) damaged("a name that is no text");
        push_global(objects_[module].text + "." + objects_[name].text);
        break;
      }
      case 'R':
        call();
        break;
      case 'Q':
        push({Kind::reference, 0, {}, {pop()}});
        break;
      case 'b':  // BUILD: attributes of an object; torch gives version numbers (_metadata) to the dictionary
        pop();
        top();
        break;
      default:
        --place_;
        damaged("instruction " + std::to_string(code) + ", which no dictionary of tensors needs");
    }
    return true;
  }

  std::string_view bytes_;
  std::span<const std::string_view> globals_;
  const std::string& where_;
  std::size_t place_ = 0;
  std::vector<Object> objects_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::unordered_map<std::uint64_t, Id> memo_;
};

}  // namespace

Pickle::Pickle(std::string_view bytes, std::span<const std::string_view> globals, const std::string& where) {
  if (bytes.size() > kMostBytes) {
    throw UserError(where + ": its pickle has " + std::to_string(bytes.size()) +
                    " bytes; expected the names and shapes of a dictionary of tensors, at most " +
                    std::to_string(kMostBytes));
  }
  auto [objects, root] = Machine(bytes, globals, where).run();
  objects_ = std::move(objects);
  root_ = root;
}

std::string describe(const Pickle& pickle, const Pickle::Object& object) {
  switch (object.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::real:
      return "a floating-point number";
    case Kind::text:
      return "the text '" + printable(object.text) + "'";
    case Kind::list:
      return "a list";
    case Kind::tuple:
      return "a tuple";
    case Kind::dictionary:
      return "a dictionary";
    case Kind::global:
      return "the type " + object.text;
    case Kind::call:
      return "an object of " + pickle.item(object, 0).text;
    case Kind::reference:
      break;
  }
  return "a storage";
}

}  // namespace dis
