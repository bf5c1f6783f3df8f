#include "meeting.h"

#include <algorithm>
#include <optional>
#include <random>
#include <sstream>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <vector>

#include "dis/core/log.h"
#include "patience.h"

namespace dis {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kRounds = "rounds";
constexpr const char* kDidNotCome = " did not come within dist.timeout_s";

std::string identity() {
  std::random_device random;
  std::ostringstream text;
  for (int i = 0; i < 4; ++i) text << std::hex << random() << (i < 3 ? "-" : "");
  return text.str();
}

std::string arrival_key(std::int64_t round, int rank) {
  return "arrived/" + std::to_string(round) + "/" + std::to_string(rank);
}

std::string answer_key(std::int64_t round, const std::string& identity) {
  return "answer/" + std::to_string(round) + "/" + identity;
}

void leave(const StorePointer& store, const std::string& key, const std::string& text) {
  store->set(key, std::vector<std::uint8_t>(text.begin(), text.end()));
}

std::optional<std::string> find(const StorePointer& store, const std::string& key) {
  if (!store->check({key})) return std::nullopt;
  const auto value = store->get(key);
  return std::string(value.begin(), value.end());
}

std::vector<int> missing(const StorePointer& store, std::int64_t round, int size) {
  std::vector<int> ranks;
  for (int rank = 1; rank < size; ++rank) {
    if (!store->check({arrival_key(round, rank)})) ranks.push_back(rank);
  }
  return ranks;
}

/// "rank 3", "ranks 1, 2 and 3", or how many.
std::string list_of(const std::vector<int>& ranks) {
  constexpr std::size_t kMost = 8;
  if (ranks.size() > kMost)
    return std::to_string(ranks.size()) + " ranks (the first is " + std::to_string(ranks[0]) + ")";
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    text += std::to_string(ranks[i]);
  }
  return text;
}

/// Asks again and again: at first often, as most ranks come at once.
class Patience {
 public:
  explicit Patience(milliseconds most) : end_(Clock::now() + most) {}
  bool ended() const { return Clock::now() >= end_; }
  void pause() {
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(pause_ * 2, milliseconds(100));
  }

 private:
  Clock::time_point end_;
  milliseconds pause_{2};
};

struct Arrival {
  std::string identity;
  int restarts = 0;
};

class Host {
 public:
  Host(StorePointer store, const Place& place) : store_(std::move(store)), place_(place) {}

  Meeting open(milliseconds timeout) {
    round_ = store_->add(kRounds, 1);
    Patience patience(timeout);
    const auto notice = Clock::now() + std::min(timeout / 2, milliseconds(5000));
    for (bool told = false; !all_here(); patience.pause()) {
      if (store_->add(kRounds, 0) != round_) return refuse("another process is rank 0, too, and has begun anew");
      if (patience.ended()) return refuse(list_of(missing(store_, round_, place_.size)) + kDidNotCome);
      if (!told && Clock::now() >= notice) {
        told = true;
        log_info("waiting for " + list_of(missing(store_, round_, place_.size)) + " (" + place_.origin + ")");
      }
    }
    return begin();
  }

 private:
  bool all_here() const {
    std::vector<std::string> keys;
    for (int rank = 1; rank < place_.size; ++rank) keys.push_back(arrival_key(round_, rank));
    return keys.empty() || store_->check(keys);
  }

  std::vector<Arrival> arrivals() const {
    std::vector<Arrival> found;
    for (int rank = 1; rank < place_.size; ++rank) {
      const auto text = find(store_, arrival_key(round_, rank));
      if (!text) continue;
      auto& arrival = found.emplace_back();
      std::istringstream(*text) >> arrival.identity >> arrival.restarts;
    }
    return found;
  }

  Meeting begin() {
    const auto here = arrivals();
    int restarts = std::max(place_.restart, static_cast<int>(round_ - 1));
    for (const auto& arrival : here) restarts = std::max(restarts, arrival.restarts);
    for (const auto& arrival : here) {
      leave(store_, answer_key(round_, arrival.identity), "begin " + std::to_string(restarts));
    }
    return {"", static_cast<int>(round_), restarts, ""};
  }

  Meeting refuse(const std::string& problem) {
    for (const auto& arrival : arrivals()) leave(store_, answer_key(round_, arrival.identity), problem);
    // The store goes with this process where it holds it: the others get a moment to read why.
    if (place_.holds_store()) std::this_thread::sleep_for(milliseconds(500));
    return {"", static_cast<int>(round_), 0, problem};
  }

  StorePointer store_;
  const Place& place_;
  std::int64_t round_ = 0;
};

/// A rank behind the first.
Meeting attend(const StorePointer& store, const Place& place, milliseconds timeout) {
  const auto self = identity();
  std::int64_t joined = 0;
  for (Patience patience(timeout); !patience.ended(); patience.pause()) {
    const auto open = store->add(kRounds, 0);
    if (open > joined) {
      leave(store, arrival_key(open, place.rank), self + " " + std::to_string(place.restart));
      joined = open;
    }
    const auto answer = joined > 0 ? find(store, answer_key(joined, self)) : std::nullopt;
    if (!answer) continue;
    std::istringstream words(*answer);
    std::string word;
    int restarts = 0;
    if (words >> word >> restarts && word == "begin") return {"", static_cast<int>(joined), restarts, ""};
    return {"", static_cast<int>(joined), 0, *answer};
  }
  const auto others = missing(store, joined, place.size);
  return {"", 0, 0, (joined == 0 || others.empty() ? "rank 0" : list_of(others)) + kDidNotCome};
}

}  // namespace

Meeting meet(const StorePointer& store, const Place& place, milliseconds timeout) {
  const auto prefix = "dis" + (place.run.empty() ? "" : "/" + place.run);
  const StorePointer own = c10::make_intrusive<c10d::PrefixStore>(prefix, store);
  // The first waits less long: the others learn from it who is missing.
  const auto patience = place.rank == 0 ? timeout : timeout + milliseconds(2000);
  auto found = answer_within(patience + milliseconds(2000), [own, place, patience] {
    return place.rank == 0 ? Host(own, place).open(patience) : attend(own, place, patience);
  });
  if (!found) return {"", 0, 0, place.store_holder() + " is gone or does not answer"};
  found->prefix = prefix + "/" + std::to_string(found->number);
  return *found;
}

StorePointer of_round(const Meeting& meeting, const StorePointer& store) {
  return c10::make_intrusive<c10d::PrefixStore>(meeting.prefix, store);
}

}  // namespace dis
