// How `dis predict --time-limit` shares its time between fit and vote.
//
// A first part of the fit, a twentieth of the time and at most a minute, shows how fast updates are. A vote is taken to
// cost what its arithmetic costs beside that of an update, and half as much again. The fit then gets as many updates
// as leave room for the vote and for writing; where that would be less than kFitShare of the time, the vote gets less,
// and goes evenly over the tasks. Deadlines hold beside: should the machine become slower, both parts end at theirs.
#pragma once

#include <cstdint>
#include <string>

#include "dis/train/plan.h"

namespace dis {

/// "11h30m", "90s", "2h": hours, minutes and seconds, in this order, each at most once. UserError: anything else, 0.
double parse_duration(const std::string& text);

class TimeShare {
 public:
  static constexpr double kFitShare = 0.6;  ///< of the time, which the fit gets at least if it wants it

  /// `start`: steady_seconds() when the program began.
  TimeShare(double seconds, double start) : seconds_(seconds), start_(start) {}

  /// When the first part of the fit ends, which begins `now`.
  double first_part(double now) const;
  /// When the fit must end: `plan` is that of the whole fit, of which `updates` took `spent` seconds.
  double end_of_fit(const TrainingPlan& plan, std::int64_t updates, double spent) const;
  /// When the vote must end.
  double end_of_vote() const;
  /// The updates in all that go into the time from `now` to `end`, with `made` of them made at `rate` a second.
  static std::int64_t updates_until(double end, double now, std::int64_t made, double rate);

 private:
  double seconds_, start_;
};

}  // namespace dis
