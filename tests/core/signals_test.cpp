#include "dis/core/signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace dis {
namespace {

// Each in a process of its own: handlers are the process's.

TEST(SignalsDeathTest, TheFirstSignalIsOnlyNoted) {
  for (const int signal : {SIGINT, SIGTERM}) {
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

}  // namespace
}  // namespace dis
