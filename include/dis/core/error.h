// Errors that a user can cause.
//
// `UserError` is the only exception type that stands for a mistake outside the program: a wrong configuration, a bad
// file, a full disk. Its message is one line: what is wrong, where (file, key), what was expected, what was found, how
// to mend it. The program prints it and ends with status 1. Any other exception is a bug of ours (status 3).
#pragma once

#include <stdexcept>
#include <string>

namespace dis {

class UserError : public std::runtime_error {
 public:
  /// What stands in a foreign file may be quoted: control characters, which would break the line or steer the terminal,
  /// are written as \n, \t or \x1b.
  explicit UserError(const std::string& message);
};

/// A signal asked the program to stop, all is saved and said: it ends with status 128 + signal, as shells expect.
struct Stopped {
  int signal;
};

/// A signal asked for a checkpoint while something was at work that goes on later where it is; for who writes it.
struct CheckpointWanted {};

/// Throws std::logic_error (a bug, status 3) naming `where` unless `condition` holds.
inline void ensure(bool condition, const char* where, const char* expectation) {
  if (!condition) throw std::logic_error(std::string("[") + where + "] expected " + expectation);
}

}  // namespace dis
