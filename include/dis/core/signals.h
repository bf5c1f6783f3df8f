// Requests to stop that come from outside (Ctrl-C, a batch system): noted, and obeyed at the next good moment.
#pragma once

namespace dis {

/// From now on SIGINT and SIGTERM only set a flag. A second SIGINT ends the program at once, by the default handler.
void catch_stop_signals();

/// Whether such a signal has come since catch_stop_signals().
bool stop_requested();

/// The last such signal (SIGINT or SIGTERM), 0 when none has come.
int stop_signal();

}  // namespace dis
