#include "dis/core/signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace dis {
namespace {

// Each in a process of its own: handlers are the process's.

TEST(SignalsDeathTest, TheFirstSignalIsOnlyNoted) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    EXPECT_EXIT(
        {
          catch_stop_signals();
          if (stop_requested() || stop_signal() != 0) std::exit(1);
          std::raise(signal);
          std::exit(stop_requested() && stop_signal() == signal ? 7 : 2);
        },
        testing::ExitedWithCode(7), "");
  }
}

TEST(SignalsDeathTest, ASecondInterruptEndsAtOnce) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        std::raise(SIGINT);
        std::raise(SIGINT);
        std::exit(1);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(SignalsDeathTest, ASecondTerminationDoesNot) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        std::raise(SIGTERM);
        std::raise(SIGTERM);
        std::exit(stop_requested() ? 7 : 1);
      },
      testing::ExitedWithCode(7), "");
}

TEST(SignalsDeathTest, ARequestForACheckpointIsTakenOnce) {
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    EXPECT_EXIT(
        {
          prepare_signals();
          if (checkpoint_requested()) std::exit(1);
          std::raise(signal);
          const bool noted = checkpoint_requested() && take_checkpoint_request() && !take_checkpoint_request();
          std::exit(noted && !stop_requested() ? 7 : 2);
        },
        testing::ExitedWithCode(7), "");
  }
}

TEST(SignalsDeathTest, WhatTheCallerSetAsideIsNotCaught) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2}) {
    EXPECT_EXIT(
        {
          std::signal(signal, SIG_IGN);
          prepare_signals();
          catch_stop_signals();
          std::raise(signal);
          std::exit(stop_requested() || checkpoint_requested() ? 1 : 7);
        },
        testing::ExitedWithCode(7), "");
  }
}

TEST(SignalsDeathTest, AStopThatHasComeStaysNotedWhereTheNextRunBegins) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        std::raise(SIGINT);
        catch_stop_signals();
        if (stop_signal() != SIGINT) std::exit(1);
        std::raise(SIGINT);  // the second: at once
        std::exit(2);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace dis
