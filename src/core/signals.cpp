#include "dis/core/signals.h"

#include <atomic>
#include <csignal>

namespace dis {
namespace {

// Lock-free, so safe in a signal handler; and, unlike a sig_atomic_t, safe to read from any thread.
std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free);

void note(int signal) { received = signal; }

}  // namespace

void catch_stop_signals() {
  received = 0;
  struct sigaction action {};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);  // the next SIGINT meets the default handler
  sigaction(SIGINT, &action, nullptr);
}

bool stop_requested() { return received != 0; }

int stop_signal() { return received; }

}  // namespace dis
