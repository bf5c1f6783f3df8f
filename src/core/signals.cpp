#include "dis/core/signals.h"

#include <atomic>
#include <csignal>

namespace dis {
namespace {

// Lock-free, so safe in a signal handler; and, unlike a sig_atomic_t, safe to read from any thread.
std::atomic<int> received{0};
std::atomic<bool> checkpoint_wanted{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void note(int signal) { received = signal; }
void note_checkpoint(int) { checkpoint_wanted = true; }

/// Unless the caller has set the signal aside.
void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

}  // namespace

void prepare_signals() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) handle(signal, SIG_IGN, 0);
  for (const int signal : {SIGUSR1, SIGUSR2}) handle(signal, note_checkpoint, SA_RESTART);
}

void catch_stop_signals() {
  if (received != 0) return;  // a second SIGINT is to end the program
  for (const int signal : {SIGTERM, SIGHUP, SIGXCPU}) handle(signal, note, SA_RESTART);
  handle(SIGINT, note, static_cast<int>(SA_RESTART | SA_RESETHAND));  // the next one meets the default handler
}

bool stop_requested() { return received != 0; }

int stop_signal() { return received; }

int ending_signal() { return stop_signal() != 0 ? stop_signal() : SIGTERM; }

bool checkpoint_requested() { return checkpoint_wanted; }

bool take_checkpoint_request() { return checkpoint_wanted.exchange(false); }

}  // namespace dis
