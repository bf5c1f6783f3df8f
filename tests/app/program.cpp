#include "app/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "dis/core/files.h"

namespace dis {
namespace {

/// The whole of a file in memory.
std::string text_of(int descriptor) {
  struct stat status {};
  ::fstat(descriptor, &status);  // a seek would move the program's place, too
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) text = "(unreadable)";
  return text;
}

/// Closes it, too.
std::string take_text(int& descriptor) {
  auto text = text_of(descriptor);
  ::close(descriptor);
  descriptor = -1;
  return text;
}

}  // namespace

Program::Program(const Arguments& arguments, const std::vector<std::string>& more, Output output)
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
  int unread[2] = {-1, -1};
  if (output == Output::unread && ::pipe2(unread, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  ::close(unread[0]);
  posix_spawn_file_actions_adddup2(&files, output == Output::kept ? out_ : unread[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output == Output::kept ? err_ : unread[1], STDERR_FILENO);
  const int error = ::posix_spawn(&process_, DIS_EXECUTABLE, &files, nullptr, words.data(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  ::close(unread[1]);
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

bool Program::catches(int signal) const {
  const auto status = read_text("/proc/" + std::to_string(process_) + "/status");
  const auto mask = std::stoull(status.substr(status.find("SigCgt:") + 7), nullptr, 16);
  return (mask >> (signal - 1) & 1) != 0;
}

std::string Program::err_so_far() const { return text_of(err_); }

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

SignalsSetAside::SignalsSetAside(std::vector<int> signals) : signals_(std::move(signals)) {
  for (const int signal : signals_) ::signal(signal, SIG_IGN);
}

SignalsSetAside::~SignalsSetAside() {
  for (const int signal : signals_) ::signal(signal, SIG_DFL);
}

Limit::Limit(int resource, std::size_t limit) : resource_(resource) {
  rlimit both{};
  ::getrlimit(static_cast<__rlimit_resource>(resource_), &both);
  before_ = both.rlim_cur;
  both.rlim_cur = limit;
  ::setrlimit(static_cast<__rlimit_resource>(resource_), &both);
}

Limit::~Limit() {
  rlimit both{};
  ::getrlimit(static_cast<__rlimit_resource>(resource_), &both);
  both.rlim_cur = before_;
  ::setrlimit(static_cast<__rlimit_resource>(resource_), &both);
}

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
