#include "app/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace dis {
namespace {

/// The whole of a file in memory; closes it.
std::string take_text(int& descriptor) {
  std::string text(static_cast<std::size_t>(::lseek(descriptor, 0, SEEK_END)), '\0');
  if (::pread(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) text = "(unreadable)";
  ::close(descriptor);
  descriptor = -1;
  return text;
}

}  // namespace

Program::Program(const Arguments& arguments, const std::vector<std::string>& more)
    : out_(::memfd_create("out", MFD_CLOEXEC)), err_(::memfd_create("err", MFD_CLOEXEC)) {
  std::vector<char*> words{const_cast<char*>(DIS_EXECUTABLE)};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  std::vector<char*> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("OMP_NUM_THREADS=")) variables.push_back(*entry);
  }
  for (const std::string& variable : more) variables.push_back(const_cast<char*>(variable.c_str()));
  variables.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out_, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err_, STDERR_FILENO);
  const int error = ::posix_spawn(&process_, DIS_EXECUTABLE, &files, nullptr, words.data(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw std::runtime_error(std::string("cannot start ") + DIS_EXECUTABLE + ": " + std::strerror(error));
}

Program::~Program() {
  if (running()) {
    send(SIGKILL);
    wait();
  }
  for (const int descriptor : {out_, err_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

bool Program::running() {
  if (process_ < 0) return false;
  if (::waitpid(process_, &ended_, WNOHANG) == 0) return true;
  process_ = -1;
  return false;
}

void Program::send(int signal) const {
  if (process_ > 0) ::kill(process_, signal);
}

Outcome Program::wait() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (running()) {
    if (std::chrono::steady_clock::now() > deadline) send(SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  Outcome outcome;
  if (WIFEXITED(ended_)) outcome.status = WEXITSTATUS(ended_);
  if (WIFSIGNALED(ended_)) outcome.signal = WTERMSIG(ended_);
  outcome.out = take_text(out_);
  outcome.err = take_text(err_);
  return outcome;
}

Outcome run_program(const Arguments& arguments) { return Program(arguments).wait(); }

std::vector<Outcome> run_programs(const std::vector<Arguments>& calls) {
  std::vector<Outcome> outcomes(calls.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < calls.size(); i = next++) outcomes[i] = run_program(calls[i]);
  };
  std::thread second(work);
  work();
  second.join();
  return outcomes;
}

Arguments operator+(const Arguments& first, const Arguments& second) {
  Arguments all = first;
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

Arguments set(const std::vector<std::string>& settings) {
  Arguments arguments;
  for (const std::string& setting : settings) {
    arguments.push_back("--set");
    arguments.push_back(setting);
  }
  return arguments;
}

}  // namespace dis
