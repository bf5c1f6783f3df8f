#include "predict_time.h"

#include <algorithm>
#include <charconv>

#include "dis/core/error.h"

namespace dis {
namespace {

constexpr double kFirstShare = 0.05, kLongestFirst = 60.0;
constexpr double kVoteMargin = 1.5;                     // votes are cropped and counted, too
constexpr double kRateMargin = 0.95;                    // of the updates that fit in
constexpr double kEndShare = 0.03, kShortestEnd = 1.0;  // for opening the network and writing

}  // namespace

double parse_duration(const std::string& text) {
  constexpr std::string_view kUnits = "hms";
  constexpr double kSeconds[] = {3600.0, 60.0, 1.0};
  const char *at = text.data(), *const end = at + text.size();
  double seconds = 0.0;
  for (std::size_t next = 0; at < end;) {
    std::int64_t number = -1;
    const auto read = std::from_chars(at, end, number);
    const auto unit = read.ptr < end ? kUnits.find(*read.ptr, next) : std::string_view::npos;
    if (read.ec != std::errc() || number < 0 || number > 1'000'000 || unit == std::string_view::npos) {
      seconds = 0.0;
      break;
    }
    seconds += static_cast<double>(number) * kSeconds[unit];
    next = unit + 1;
    at = read.ptr + 1;
  }
  if (seconds > 0.0) return seconds;
  throw UserError("--time-limit: expected hours, minutes and seconds, as 11h30m, 45m or 90s, found \"" + text + "\"");
}

double TimeShare::first_part(double now) const { return now + std::min(kFirstShare * seconds_, kLongestFirst); }

double TimeShare::end_of_vote() const { return start_ + seconds_ - std::max(kEndShare * seconds_, kShortestEnd); }

double TimeShare::end_of_fit(const TrainingPlan& plan, std::int64_t updates, double spent) const {
  const auto flops = plan.training_flops * static_cast<double>(updates) / static_cast<double>(plan.updates);
  const auto vote = kVoteMargin * plan.evaluation_flops / flops * spent;
  return std::max(end_of_vote() - vote, start_ + kFitShare * seconds_);
}

std::int64_t TimeShare::updates_until(double end, double now, std::int64_t made, double rate) {
  return made + static_cast<std::int64_t>(kRateMargin * rate * std::max(0.0, end - now));
}

}  // namespace dis
