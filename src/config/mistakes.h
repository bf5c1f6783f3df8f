// The mistakes found in one place, told together in one line.
#pragma once

#include <string>
#include <utility>

#include "dis/core/error.h"

namespace dis {

class Mistakes {
 public:
  /// `source`: the file or option in which they are.
  explicit Mistakes(std::string source) : source_(std::move(source)) {}

  void add(const std::string& mistake) {
    if (count_++ == 0) first_ = mistake;
  }

  /// UserError "source: first mistake (and 2 more)".
  void throw_if_any() const {
    if (count_ == 0) return;
    const std::string more = count_ > 1 ? " (and " + std::to_string(count_ - 1) + " more)" : "";
    throw UserError(source_ + ": " + first_ + more);
  }

 private:
  std::string source_;
  std::string first_;
  int count_ = 0;
};

}  // namespace dis
