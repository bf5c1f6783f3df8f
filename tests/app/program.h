// Runs the program under test (the executable DIS_EXECUTABLE) as a user would: in a process of its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace dis {

using Arguments = std::vector<std::string>;

struct Outcome {
  int status = -1;  ///< exit status; -1 when a signal ended the process
  int signal = 0;   ///< the signal that ended it, or 0
  std::string out;
  std::string err;
};

/// Where its output goes: kept for the Outcome, or into pipes that nobody reads.
enum class Output { kept, unread };

/// A process in the background. It reads nothing, and OMP_NUM_THREADS is not set for it; `variables` ("NAME=value")
/// are.
class Program {
 public:
  explicit Program(const Arguments& arguments, const std::vector<std::string>& variables = {},
                   Output output = Output::kept);
  ~Program();  ///< kills it when it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool running();
  void send(int signal) const;
  /// Whether it has a handler for the signal by now.
  bool catches(int signal) const;
  /// What it has written to stderr so far.
  std::string err_so_far() const;
  /// Waits until it ends; a process that takes more than two minutes is killed.
  Outcome wait();

 private:
  pid_t process_ = -1;
  int out_ = -1;
  int err_ = -1;
  int ended_ = -1;  // what waitpid gave, once the process is gone
};

/// Runs it to its end.
Outcome run_program(const Arguments& arguments);

/// While it lives, programs are started with these signals set aside.
class SignalsSetAside {
 public:
  explicit SignalsSetAside(std::vector<int> signals);
  ~SignalsSetAside();
  SignalsSetAside(const SignalsSetAside&) = delete;
  SignalsSetAside& operator=(const SignalsSetAside&) = delete;

 private:
  std::vector<int> signals_;
};

/// While it lives, programs are started with this limit (RLIMIT_FSIZE: bytes of a file, ...).
class Limit {
 public:
  Limit(int resource, std::size_t limit);
  ~Limit();
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  int resource_;
  std::size_t before_;
};

/// Runs each to its end, two at a time; outcomes in the order of the calls.
std::vector<Outcome> run_programs(const std::vector<Arguments>& calls);

/// `first` and then `second`.
Arguments operator+(const Arguments& first, const Arguments& second);

/// --set for each of "field=value".
Arguments set(const std::vector<std::string>& settings);

}  // namespace dis
