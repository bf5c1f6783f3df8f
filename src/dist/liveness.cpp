#include "liveness.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "patience.h"

namespace dis {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string key(const char* what, int rank) { return what + std::to_string(rank); }

std::string seconds(milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(time.count()) / 1000.0);
  return text;
}

}  // namespace

struct Liveness::Signs {
  StorePointer store;
  Place place;
  milliseconds timeout, interval;
  std::atomic<std::int64_t> operations = 0;
  std::mutex store_mutex, stop_mutex;
  std::condition_variable stop;
  bool stopping = false, stopped = false;

  /// Enough for a rank to find out that it has failed, and to miss several beats.
  milliseconds patience() const { return std::max(milliseconds(1000), 4 * interval); }

  void write(const std::string& name, const std::string& value) {
    const std::lock_guard lock(store_mutex);
    store->set(name, bytes(value));
  }

  std::optional<std::string> read(const std::string& name) {
    const std::lock_guard lock(store_mutex);
    if (!store->check({name})) return std::nullopt;
    const auto value = store->get(name);
    return std::string(value.begin(), value.end());
  }

  void beat() {
    try {
      std::unique_lock lock(stop_mutex);
      for (std::int64_t beats = 1; !stopping; ++beats) {
        lock.unlock();
        write(key("sign/", place.rank), std::to_string(beats) + " " + std::to_string(operations.load()));
        lock.lock();
        stop.wait_for(lock, interval, [this] { return stopping; });
      }
    } catch (const std::exception&) {  // the store is gone; the next operation fails and says so
    }
    const std::lock_guard lock(stop_mutex);
    stopped = true;
    stop.notify_all();
  }

  /// What a rank last said of itself.
  std::pair<std::int64_t, std::int64_t> beats_and_operations(int rank) {
    std::int64_t beats = 0, begun = 0;
    std::istringstream(read(key("sign/", rank)).value_or("0 0")) >> beats >> begun;
    return {beats, begun};
  }

  /// Empty: nothing points to a rank.
  std::string find_fault(const std::string& what) {
    std::vector<std::int64_t> beats_before;
    for (int rank = 0; rank < place.size; ++rank) beats_before.push_back(beats_and_operations(rank).first);
    const auto end = Clock::now() + patience();
    while (true) {
      if (const auto verdict = read("verdict")) return *verdict;
      for (int rank = 0; rank < place.size; ++rank) {
        if (rank == place.rank) continue;
        if (const auto message = read(key("error/", rank)))
          return "rank " + std::to_string(rank) + " ended: " + *message;
      }
      if (Clock::now() >= end) break;
      std::this_thread::sleep_for(milliseconds(50));
    }
    std::string silent;
    int slowest = -1;
    std::int64_t fewest = operations;
    for (int rank = 0; rank < place.size; ++rank) {
      if (rank == place.rank) continue;
      const auto [beats, begun] = beats_and_operations(rank);
      if (beats == beats_before[static_cast<std::size_t>(rank)]) {
        silent += silent.empty() ? "rank " : ", rank ";
        silent += std::to_string(rank);
      } else if (begun < fewest) {
        fewest = begun;
        slowest = rank;
      }
    }
    if (!silent.empty())
      return silent + ": no sign of life for " + seconds(patience()) + " (killed, stopped or cut off)";
    if (slowest < 0) return "";
    std::string text = "rank " + std::to_string(slowest);
    text += " lives, but has not come to " + what + " within dist.timeout_s = " + seconds(timeout);
    return text;
  }

  /// The store goes with rank 0 where it holds it: the others get a moment to read why.
  void wait_for_readers() {
    if (!place.holds_store()) return;
    const auto end = Clock::now() + milliseconds(2000);
    for (int rank = 1; rank < place.size; ++rank) {
      while (!read(key("heard/", rank)) && Clock::now() < end) std::this_thread::sleep_for(milliseconds(20));
    }
  }

  /// All say the same: one rank that ends because of another must not be taken for the cause.
  std::string agree(const std::string& reason) {
    const auto agreed = [&] {
      const std::lock_guard lock(store_mutex);
      return store->compareSet("verdict", {}, bytes(reason));
    }();
    write(key("heard/", place.rank), "");
    wait_for_readers();
    return {agreed.begin(), agreed.end()};
  }
};

Liveness::Liveness(StorePointer store, const Place& place, milliseconds timeout) : signs_(std::make_shared<Signs>()) {
  signs_->store = std::move(store);
  signs_->place = place;
  signs_->timeout = timeout;
  signs_->interval = std::clamp(timeout / 20, milliseconds(100), milliseconds(2000));
  std::thread([signs = signs_] { signs->beat(); }).detach();
}

Liveness::~Liveness() {
  std::unique_lock lock(signs_->stop_mutex);
  signs_->stopping = true;
  signs_->stop.notify_all();
  signs_->stop.wait_for(lock, milliseconds(500), [&] { return signs_->stopped; });
}

void Liveness::begin_operation() { ++signs_->operations; }

void Liveness::report(const std::string& message) noexcept {
  try {
    answer_within(signs_->patience() + milliseconds(2500), [signs = signs_, message] {
      signs->write(key("error/", signs->place.rank), message);
      signs->wait_for_readers();
      return std::string();
    });
  } catch (...) {  // the others will see that this rank is gone
  }
}

void Liveness::announce(int number) {
  answer_within(signs_->patience(), [signs = signs_, number] {
    signs->write(key("done/", number), "");
    return std::string();
  });
}

std::string Liveness::await(int number) {
  const std::string done = "done", failed = "rank 0 ended: ";
  std::string last;
  auto since = Clock::now();
  while (true) {
    const auto answer = answer_within(signs_->patience() + milliseconds(4000), [signs = signs_, number, done, failed] {
      if (signs->read(key("done/", number))) return done;
      if (const auto error = signs->read("error/0")) return failed + *error;
      return std::to_string(signs->beats_and_operations(0).first);
    });
    if (answer == done) return {};
    if (!answer || answer->starts_with(failed)) return explain("a checkpoint", "rank 0 does not answer");
    if (*answer != last) {
      last = *answer;
      since = Clock::now();
    } else if (Clock::now() - since > signs_->timeout) {
      return explain("a checkpoint", "rank 0 gives no sign of life");
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
}

std::string Liveness::explain(const std::string& what, const std::string& error) {
  const auto reason = answer_within(signs_->patience() + milliseconds(4000), [signs = signs_, what] {
    const auto found = signs->find_fault(what);
    return found.empty() ? found : signs->agree(found);
  });
  if (!reason) return signs_->place.store_holder() + " is gone or does not answer";
  return reason->empty() ? what + " between the ranks failed: " + error : *reason;
}

}  // namespace dis
