// Requests that come from outside (Ctrl-C, a batch system): noted, and obeyed at the next good moment.
//
// A signal that the caller has set aside (nohup, `trap '' INT`, a shell's background job) stays ignored.
#pragma once

namespace dis {

/// For the whole program, at its start. A write to a pipe that nobody reads, or beyond the size that `ulimit -f`
/// allows, fails like any other write instead of ending the program (SIGPIPE, SIGXFSZ). SIGUSR1 and SIGUSR2 are noted:
/// they ask for a checkpoint, and mean nothing to a command that has none to write.
void prepare_signals();

/// From now on SIGINT, SIGTERM, SIGHUP and SIGXCPU only set a flag. A second SIGINT ends the program at once, by the
/// default handler. A signal that has come before stays noted.
void catch_stop_signals();

/// Whether such a signal has come since catch_stop_signals().
bool stop_requested();

/// The last such signal, 0 when none has come.
int stop_signal();

/// With which signal the program ends once a stop was asked for: the last one, or SIGTERM where another rank got it.
int ending_signal();

/// Whether SIGUSR1 or SIGUSR2 has come since take_checkpoint_request() said so the last time.
bool checkpoint_requested();
bool take_checkpoint_request();

}  // namespace dis
