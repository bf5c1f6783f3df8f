// How the threads of LibTorch wait for each other.
//
// Threads that wait spin for some milliseconds by default, so that the next piece of work finds them awake. Beside
// other busy processes they take time from the very thread that they wait for: two threads on two cores then do little
// more than one. OpenMP's library reads what to do instead before main, so the program starts itself once more.
#pragma once

namespace dis {

/// Starts this program again with GOMP_SPINCOUNT=0 in its environment: threads that wait sleep. It returns, having done
/// nothing, where the user has said how threads are to wait or be bound, where there is one thread only, and where the
/// program cannot be started again.
void let_waiting_threads_sleep(char** argv);

}  // namespace dis
