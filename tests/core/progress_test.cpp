#include "dis/core/progress.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/kept_variable.h"
#include "core/user_error.h"
#include "dis/core/log.h"

namespace dis {
namespace {

/// A terminal or a pipe of paper, and a clock that stands still until it is told to go.
struct Screen {
  bool terminal = true;
  int columns = 100;
  double now = 1000;
  std::vector<std::string> written{};

  ProgressOutput output() {
    return {terminal, [this] { return columns; }, [this](const std::string& text) { written.push_back(text); },
            [this] { return now; }};
  }
};

const std::string kClear = "\r\033[K";

TEST(FormatDuration, Units) {
  EXPECT_EQ(format_duration(0), "0.0 s");
  EXPECT_EQ(format_duration(8.3), "8.3 s");
  EXPECT_EQ(format_duration(9.94), "9.9 s");
  EXPECT_EQ(format_duration(9.96), "10 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1 min 0 s");
  EXPECT_EQ(format_duration(252), "4 min 12 s");
  EXPECT_EQ(format_duration(3599.4), "59 min 59 s");
  EXPECT_EQ(format_duration(3599.6), "1 h 00 min");
  EXPECT_EQ(format_duration(3780), "1 h 03 min");
  EXPECT_EQ(format_duration(24 * 3600 - 31), "23 h 59 min");
  EXPECT_EQ(format_duration(24 * 3600 - 29), "1 d 00 h");
  EXPECT_EQ(format_duration(52 * 3600), "2 d 04 h");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
}

TEST(Progress, RedrawsOneLineOnATerminal) {
  Screen screen;
  {
    Progress progress({"train", "updates", 200}, screen.output());
    progress.update(0, "");
    screen.now += 10;
    progress.update(50, "loss 0.5");
    screen.now += 30;
    progress.finish();
    progress.finish();
  }
  EXPECT_EQ(screen.written,
            (std::vector<std::string>{
                kClear + "train  [------------------------------]  0 %  0/200",
                kClear + "train  [#######-----------------------]  25 %  50/200  loss 0.5  5.00 updates/s  30 s left",
                kClear + "train  [#######-----------------------]  25 %  50/200  loss 0.5  1.25 updates/s  took 40 s",
                "\n"}));
}

TEST(Progress, AtMostTenRedrawsASecond) {
  Screen screen;
  Progress progress({"train", "updates", 1000}, screen.output());
  for (int i = 0; i < 1000; ++i) {
    progress.update(i, "");
    screen.now += 0.001;
  }
  EXPECT_EQ(screen.written.size(), 10U);
}

TEST(Progress, FitsAnyWidth) {
  Screen screen;
  Progress progress({"train", "updates", 200}, screen.output());
  for (screen.columns = 1; screen.columns < 120; ++screen.columns) {
    screen.now += 1;
    progress.update(120, "loss 0.123 exact 0.456");
    const std::string line = screen.written.back().substr(kClear.size());
    EXPECT_LE(line.size(), static_cast<std::size_t>(std::max(screen.columns - 1, 1)));
    if (screen.columns >= 95) {
      EXPECT_TRUE(contains(line, "[#") && contains(line, " left")) << line;
    }
  }
}

TEST(Progress, PlainLinesElsewhere) {
  Screen screen{.terminal = false};
  Progress progress({"train", "updates", 100}, screen.output());
  for (int i = 1; i <= 100; ++i) {
    screen.now += 0.25;
    progress.update(i, "loss 0.5");
  }
  progress.finish();
  EXPECT_EQ(screen.written, (std::vector<std::string>{"train  1 %  1/100  loss 0.5  4.00 updates/s  25 s left\n",
                                                      "train  41 %  41/100  loss 0.5  4.00 updates/s  15 s left\n",
                                                      "train  81 %  81/100  loss 0.5  4.00 updates/s  4.8 s left\n",
                                                      "train  100 %  100/100  loss 0.5  4.00 updates/s  took 25 s\n"}));
}

TEST(Progress, AResumedRunCountsOnlyItsOwnWorkInTheRate) {
  Screen screen{.terminal = false};
  Progress progress({"train", "updates", 1000, 900}, screen.output());
  screen.now += 10;
  progress.update(910, "");
  EXPECT_EQ(screen.written, std::vector<std::string>{"train  91 %  910/1000  1.00 updates/s  1 min 30 s left\n"});
}

TEST(Progress, ASlowdownShowsWithinAMinute) {
  Screen screen{.terminal = false};
  Progress progress({"train", "updates", 10000}, screen.output());
  const auto work = [&](int from, int to, double seconds_each) {
    for (int i = from; i < to; ++i) {
      screen.now += seconds_each;
      progress.update(i + 1, "");
    }
  };
  work(0, 3600, 1.0);
  EXPECT_TRUE(contains(screen.written.back(), "  1.00 updates/s  ")) << screen.written.back();
  work(3600, 3604, 10.0);
  EXPECT_TRUE(contains(screen.written.back(), "  0.10 updates/s  17 h 46 min left")) << screen.written.back();
  progress.finish();
  EXPECT_TRUE(contains(screen.written.back(), "  0.99 updates/s  took 1 h 01 min")) << screen.written.back();
}

TEST(Progress, AnAbandonedBarEndsItsLine) {
  Screen screen;
  { Progress progress({"train", "updates", 10}, screen.output()); }
  EXPECT_TRUE(screen.written.empty());
  {
    Progress progress({"train", "updates", 10}, screen.output());
    progress.update(1, "");
  }
  EXPECT_EQ(screen.written.back(), "\n");
  EXPECT_EQ(screen.written.size(), 2U);
}

TEST(Progress, MessagesGoAboveTheBar) {
  Screen screen;
  testing::internal::CaptureStderr();
  {
    Progress progress({"train", "updates", 10}, screen.output());
    log_info("before the bar");
    EXPECT_TRUE(screen.written.empty());
    progress.update(1, "");
    log_info("message");
    log_info("another");
    ASSERT_EQ(screen.written.size(), 2U);
    EXPECT_EQ(screen.written.back(), kClear);
    {
      Progress inner({"eval", "boards", 5}, screen.output());
      inner.update(1, "");
      log_info("inner");
      EXPECT_EQ(screen.written.size(), 4U);
    }
    screen.now += 1;
    progress.update(2, "");
    log_info("outer again");
    EXPECT_EQ(screen.written.size(), 6U);
  }
  log_info("after");
  EXPECT_EQ(screen.written.size(), 6U);
  testing::internal::GetCapturedStderr();
}

TEST(Progress, StandardErrorOfATestIsNoTerminalInContinuousIntegration) {
  const KeptVariable ci("CI");
  ci.set("true");
  EXPECT_FALSE(ProgressOutput::standard_error().terminal);
}

}  // namespace
}  // namespace dis
