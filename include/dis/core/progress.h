// Progress of a long job on stderr: a bar that is redrawn in place on a terminal, a plain line now and then elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>

namespace dis {

/// "8.3 s", "42 s", "4 min 12 s", "1 h 03 min", "2 d 04 h"; "?" for a negative or non-finite number.
std::string format_duration(double seconds);

/// The job. Texts are ASCII.
struct ProgressTask {
  std::string what = "";         ///< the line's first word, "train"
  std::string unit = "";         ///< what is counted, in the plural: "updates"
  std::int64_t total = 0;        ///< all of it
  std::int64_t done_before = 0;  ///< what an earlier sitting did; it takes no part in the rate
};

/// Where the progress goes, and the clock that it goes by.
struct ProgressOutput {
  bool terminal = false;              ///< redraw in place
  std::function<int()> columns = {};  ///< width of the terminal
  std::function<void(const std::string&)> write = {};
  std::function<double()> clock = {};  ///< seconds from any origin, never backwards

  /// stderr and the steady clock. It counts as a terminal when it is one that can redraw (TERM is not "dumb") and the
  /// environment's CI is not "true".
  static ProgressOutput standard_error();
};

/// Messages of log.h may be written meanwhile: they go above the bar. Not for use from several threads.
class Progress {
 public:
  explicit Progress(ProgressTask task, ProgressOutput output = ProgressOutput::standard_error());
  ~Progress();  ///< ends the line; unlike finish() it says nothing
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of `total` are done (done_before included); `details`, as "loss 0.123", stand behind the count. Shown at
  /// the first call, and then at most ten times a second on a terminal, every ten seconds elsewhere. The rate, and with
  /// it the time left, is that of the last half minute.
  void update(std::int64_t done, const std::string& details);

  /// Shows the last state, with the time taken and the mean rate, and ends the line.
  void finish();

 private:
  void show(bool last);
  void clear();
  void close();
  std::string line(bool last, int columns) const;

  ProgressTask task_;
  ProgressOutput output_;
  std::function<void()> previous_guard_;
  double start_;
  double shown_at_ = 0;
  std::deque<std::pair<double, std::int64_t>> shown_points_;  // when so much was done, a second apart or more
  double rate_ = 0;
  std::int64_t done_;
  std::string details_;
  bool shown_ = false;
  bool closed_ = false;
  std::atomic<bool> on_line_ = false;  // the cursor stands behind the bar
};

}  // namespace dis
