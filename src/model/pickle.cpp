#include "pickle.h"

#include <algorithm>
#include <array>
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

  void protocol() {
    if (const auto version = number(1); version > 5) damaged("protocol " + std::to_string(version));
  }

  void real() {
    take(8);
    push({Kind::real, 0, {}, {}});
  }

  void memoize() {
    const auto slot = memo_.size();
    memo_[slot] = top();
  }

  void global_of_lines() {
    const std::string module(line());
    const auto name = module + "." + std::string(line());
    push_global(name);
  }

  /// Old pickles name what they call; what is allowed is not called like this.
  void call_of_lines() {
    global_of_lines();
    damaged("an instruction of old pickles (INST)");
  }

  void global_of_stack() {
    const Id name = pop();
    const Id module = pop();
    if (objects_[name].kind != Kind::text || objects_[module].kind != Kind::text) damaged("a name that is no text");
    push_global(objects_[module].text + "." + objects_[name].text);
  }

  /// Attributes of an object: torch gives version numbers (_metadata) to the dictionary.
  void build() {
    pop();
    top();
  }

  using Instruction = void (*)(Machine&);

  /// The part of the language that data need, by opcode, with the names of Python's pickletools.
  static std::array<Instruction, 256> language() {
    std::array<Instruction, 256> of{};
    of[0x80] = [](Machine& m) { m.protocol(); };  // PROTO
    of[0x95] = [](Machine& m) { m.take(8); };     // FRAME

    of['N'] = [](Machine& m) { m.push({}); };                                              // NONE
    of[0x88] = [](Machine& m) { m.push({Kind::boolean, 1, {}, {}}); };                     // NEWTRUE
    of[0x89] = [](Machine& m) { m.push({Kind::boolean, 0, {}, {}}); };                     // NEWFALSE
    of['J'] = [](Machine& m) { m.push_integer(static_cast<std::int32_t>(m.number(4))); };  // BININT
    of['K'] = [](Machine& m) { m.push_integer(static_cast<std::int64_t>(m.number(1))); };  // BININT1
    of['M'] = [](Machine& m) { m.push_integer(static_cast<std::int64_t>(m.number(2))); };  // BININT2
    of[0x8a] = [](Machine& m) { m.long_integer(m.number(1)); };                            // LONG1
    of['G'] = [](Machine& m) { m.real(); };                                                // BINFLOAT
    of['X'] = [](Machine& m) { m.push_text(m.take(m.number(4))); };                        // BINUNICODE
    of[0x8c] = [](Machine& m) { m.push_text(m.take(m.number(1))); };                       // SHORT_BINUNICODE
    of[0x8d] = [](Machine& m) { m.push_text(m.take(m.number(8))); };                       // BINUNICODE8
    of['U'] = [](Machine& m) { m.push_text(m.take(m.number(1))); };                        // SHORT_BINSTRING
    of['T'] = [](Machine& m) { m.push_text(m.take(m.number(4))); };                        // BINSTRING

    of['('] = [](Machine& m) { m.marks_.push_back(m.stack_.size()); };  // MARK
    of['0'] = [](Machine& m) { m.pop(); };                              // POP
    of['1'] = [](Machine& m) { m.pop_to_mark(); };                      // POP_MARK
    of['2'] = [](Machine& m) { m.stack_.push_back(m.top()); };          // DUP

    of[']'] = [](Machine& m) { m.push({Kind::list, 0, {}, {}}); };                // EMPTY_LIST
    of['}'] = [](Machine& m) { m.push({Kind::dictionary, 0, {}, {}}); };          // EMPTY_DICT
    of[')'] = [](Machine& m) { m.push({Kind::tuple, 0, {}, {}}); };               // EMPTY_TUPLE
    of['t'] = [](Machine& m) { m.push({Kind::tuple, 0, {}, m.pop_to_mark()}); };  // TUPLE
    of[0x85] = [](Machine& m) { m.push({Kind::tuple, 0, {}, m.pop_many(1)}); };   // TUPLE1
    of[0x86] = [](Machine& m) { m.push({Kind::tuple, 0, {}, m.pop_many(2)}); };   // TUPLE2
    of[0x87] = [](Machine& m) { m.push({Kind::tuple, 0, {}, m.pop_many(3)}); };   // TUPLE3
    of['a'] = [](Machine& m) { m.extend({m.pop()}, false); };                     // APPEND
    of['e'] = [](Machine& m) { m.extend(m.pop_to_mark(), false); };               // APPENDS
    of['s'] = [](Machine& m) { m.extend(m.pop_many(2), true); };                  // SETITEM
    of['u'] = [](Machine& m) { m.extend(m.pop_to_mark(), true); };                // SETITEMS

    of['q'] = [](Machine& m) { m.memo_[m.number(1)] = m.top(); };  // BINPUT
    of['r'] = [](Machine& m) { m.memo_[m.number(4)] = m.top(); };  // LONG_BINPUT
    of[0x94] = [](Machine& m) { m.memoize(); };                    // MEMOIZE
    of['h'] = [](Machine& m) { m.recall(m.number(1)); };           // BINGET
    of['j'] = [](Machine& m) { m.recall(m.number(4)); };           // LONG_BINGET

    of['c'] = [](Machine& m) { m.global_of_lines(); };                          // GLOBAL
    of['i'] = [](Machine& m) { m.call_of_lines(); };                            // INST
    of[0x93] = [](Machine& m) { m.global_of_stack(); };                         // STACK_GLOBAL
    of['R'] = [](Machine& m) { m.call(); };                                     // REDUCE
    of['Q'] = [](Machine& m) { m.push({Kind::reference, 0, {}, {m.pop()}}); };  // BINPERSID
    of['b'] = [](Machine& m) { m.build(); };                                    // BUILD
    return of;
  }

  /// Obeys one instruction; false after the last.
  bool step() {
    static const auto kLanguage = language();
    const auto code = static_cast<unsigned char>(take(1)[0]);
    if (code == '.') return false;  // STOP
    if (kLanguage[code] == nullptr) {
      --place_;
      damaged("instruction " + std::to_string(code) + ", which no dictionary of tensors needs");
    }
    kLanguage[code](*this);
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
