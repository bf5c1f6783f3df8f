// Python pickles as data: reads what a pickle describes, and runs nothing.
//
// A pickle is a program for a small stack machine that may name any Python function and have it called. Here a name is
// only compared with a list, and a call only noted down, so a file can do no more than describe lists, tuples,
// dictionaries, texts and numbers. LibTorch has a reader too (torch::jit::Unpickler); it is not used, because it trusts
// the sizes that the pickle claims: a storage shorter than its tensor is read beyond its end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dis {

class Pickle {
 public:
  enum class Kind : std::uint8_t {
    none,
    boolean,     // number
    integer,     // number
    real,        // value not kept: nothing that is read needs one
    text,        // text
    list,        // items
    tuple,       // items
    dictionary,  // items: key, value, key, value, ...
    global,      // text: "module.name"
    call,        // items: the global, the tuple of its arguments, then key, value, ... set on the outcome
    reference    // items: what the pickle calls a persistent id
  };
  /// Objects refer to each other by number, so neither depth nor circles can harm.
  using Id = std::uint32_t;
  struct Object {
    Kind kind = Kind::none;
    std::int64_t number = 0;
    std::string text;
    std::vector<Id> items;
  };

  /// Reads the pickle `bytes` (protocols 2 to 5). UserError, which starts with `where`: it is torn, it uses a part of
  /// the language that data do not need, or it names a global that is not among `globals`; the message names that one.
  Pickle(std::string_view bytes, std::span<const std::string_view> globals, const std::string& where);

  const Object& operator[](Id id) const { return objects_[id]; }
  const Object& root() const { return objects_[root_]; }
  /// Item `index` of an object, which must have it.
  const Object& item(const Object& object, std::size_t index) const { return objects_[object.items.at(index)]; }

 private:
  std::vector<Object> objects_;
  Id root_ = 0;
};

/// What kind of thing an object is, for messages: "an integer", "a call of torch.device".
std::string describe(const Pickle& pickle, const Pickle::Object& object);

}  // namespace dis
