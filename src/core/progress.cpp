#include "dis/core/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "dis/core/clock.h"
#include "dis/core/log.h"

namespace dis {
namespace {

constexpr double kSecondsPerRedraw = 0.1;
constexpr double kSecondsPerLine = 10;
constexpr double kRateSeconds = 30;
constexpr std::size_t kWidestBar = 30;
constexpr std::size_t kNarrowestBar = 5;
constexpr const char* kClearLine = "\r\033[K";

std::string two_units(std::int64_t high, const char* high_unit, std::int64_t low, const char* low_unit,
                      int low_digits) {
  std::string text = std::to_string(low);
  while (static_cast<int>(text.size()) < low_digits) text.insert(0, "0");
  return std::to_string(high) + " " + high_unit + " " + text + " " + low_unit;
}

std::string with_digits(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

bool environment_is(const char* name, std::string_view value) {
  const char* found = std::getenv(name);
  return found != nullptr && value == found;
}

}  // namespace

std::string format_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e15) return "?";
  if (seconds < 9.95) return with_digits(seconds, 1) + " s";
  const std::int64_t whole = std::llround(seconds);
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return two_units(whole / 60, "min", whole % 60, "s", 1);
  const std::int64_t minutes = std::llround(seconds / 60);
  if (minutes < 24 * 60) return two_units(minutes / 60, "h", minutes % 60, "min", 2);
  const std::int64_t hours = std::llround(seconds / 3600);
  return two_units(hours / 24, "d", hours % 24, "h", 2);
}

ProgressOutput ProgressOutput::standard_error() {
  ProgressOutput output;
  output.terminal = ::isatty(STDERR_FILENO) == 1 && !environment_is("CI", "true") && !environment_is("TERM", "dumb");
  output.columns = [] {
    struct winsize size {};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? int{size.ws_col} : 80;
  };
  output.write = [](const std::string& text) {
    if (!log_speaks()) return;
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
  };
  output.clock = steady_seconds;
  return output;
}

Progress::Progress(ProgressTask task, ProgressOutput output)
    : task_(std::move(task)), output_(std::move(output)), start_(output_.clock()), done_(task_.done_before) {
  shown_points_.emplace_back(start_, done_);
  if (output_.terminal) previous_guard_ = exchange_before_message([this] { clear(); });
}

Progress::~Progress() { close(); }

void Progress::update(std::int64_t done, const std::string& details) {
  done_ = done;
  details_ = details;
  const double interval = output_.terminal ? kSecondsPerRedraw : kSecondsPerLine;
  if (!shown_ || output_.clock() - shown_at_ >= interval) show(false);
}

void Progress::finish() {
  if (closed_) return;
  show(true);
  close();
}

void Progress::show(bool last) {
  shown_ = true;
  shown_at_ = output_.clock();
  // From the newest point that is old enough; all of it for the last line.
  while (!last && shown_points_.size() > 1 && shown_at_ - shown_points_[1].first >= kRateSeconds) {
    shown_points_.pop_front();
  }
  const auto [since, done_then] = last ? std::pair(start_, task_.done_before) : shown_points_.front();
  rate_ = shown_at_ > since ? static_cast<double>(done_ - done_then) / (shown_at_ - since) : 0.0;
  if (shown_points_.back().first + kRateSeconds / 30 <= shown_at_) shown_points_.emplace_back(shown_at_, done_);
  if (output_.terminal) {
    output_.write(kClearLine + line(last, output_.columns()));
    on_line_ = true;
  } else {
    output_.write(line(last, 0) + "\n");
  }
}

void Progress::clear() {
  if (on_line_.exchange(false)) output_.write(kClearLine);
}

void Progress::close() {
  if (std::exchange(closed_, true)) return;
  if (on_line_.exchange(false)) output_.write("\n");
  if (output_.terminal) exchange_before_message(std::move(previous_guard_));
}

/// One line without its end; `columns` 0: as long as it needs to be, without a bar.
std::string Progress::line(bool last, int columns) const {
  const double rate = rate_;
  const double share =
      task_.total > 0 ? std::clamp(static_cast<double>(done_) / static_cast<double>(task_.total), 0.0, 1.0) : 1.0;

  std::string tail = std::to_string(static_cast<int>(std::floor(100 * share))) + " %  " + std::to_string(done_) + "/" +
                     std::to_string(task_.total);
  if (!details_.empty()) tail += "  " + details_;
  const bool known = done_ > task_.done_before;  // nothing in the last half minute is a rate, too
  if (known) tail += "  " + with_digits(rate, rate < 10 ? 2 : rate < 100 ? 1 : 0) + " " + task_.unit + "/s";
  if (last) {
    tail += "  took " + format_duration(shown_at_ - start_);
  } else if (known) {
    tail +=
        "  " + format_duration(static_cast<double>(std::max<std::int64_t>(task_.total - done_, 0)) / rate) + " left";
  }
  if (columns == 0) return task_.what + "  " + tail;

  // The last column stays free: a terminal that wraps there would not redraw in place.
  const auto width = static_cast<std::size_t>(std::max(columns - 1, 1));
  const std::size_t fixed = task_.what.size() + tail.size() + 6;  // two gaps of two and the brackets
  std::string bar;
  if (fixed + kNarrowestBar <= width) {
    const std::size_t cells = std::min(width - fixed, kWidestBar);
    const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
    bar = "  [" + std::string(full, '#') + std::string(cells - full, '-') + "]";
  }
  return (task_.what + bar + "  " + tail).substr(0, width);
}

}  // namespace dis
