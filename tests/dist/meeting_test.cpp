// How ranks meet in a store that outlives them, with launchers that count differently.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "dis/dist/ranks.h"
#include "dist/rank_threads.h"

namespace dis {
namespace {

using std::chrono::milliseconds;

/// The store of a launcher, which starts ranks again and again.
class Launcher {
 public:
  Launcher() : port_(free_port()) {
    ::setenv("TORCH_FR_BUFFER_SIZE", "0", 1);  // rank_threads.h
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(port_);
    options.isServer = true;
    options.waitWorkers = false;
    store_ = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
  }

  c10d::TCPStore& store() { return *store_; }

  Place place(int rank, int size, int restart) const {
    Place place{rank, size, rank, size, "127.0.0.1", port_, true, restart};
    place.run = "job";
    place.origin = "RANK=" + std::to_string(rank) + " and WORLD_SIZE=" + std::to_string(size);
    return place;
  }

 private:
  int port_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
};

/// One rank of a start: it meets the others and sums with them.
struct Start {
  Place place;
  milliseconds delay{0};  ///< before it comes
  double timeout_s = 15.0;
};

struct Result {
  int restart = -1;
  std::string error;
};

std::vector<Result> run(const std::vector<Start>& starts) {
  std::vector<Result> results(starts.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    threads.emplace_back([&, i] {
      std::this_thread::sleep_for(starts[i].delay);
      try {
        at::set_num_threads(1);
        DistConfig config;
        config.timeout_s = starts[i].timeout_s;
        const Ranks ranks(starts[i].place, config, at::kCPU);
        const auto x = at::full({3}, 1.0 + ranks.rank());
        ranks.sum(x);
        EXPECT_EQ(x[0].item<double>(), ranks.size() * (ranks.size() + 1) / 2.0);
        results[i].restart = ranks.place().restart;
        ranks.barrier();  // it may hold the store
      } catch (const std::exception& error) {
        results[i].error = error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return results;
}

void expect_restart(const std::vector<Result>& results, int restart) {
  for (const auto& result : results) {
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.restart, restart);
  }
}

TEST(Meeting, OfRanksWhoseLaunchersCountDifferentRestarts) {
  for (const auto& [first, second] : {std::pair{1, 2}, {2, 1}, {0, 1}, {1, 0}, {0, 0}}) {
    SCOPED_TRACE(std::to_string(first) + " and " + std::to_string(second));
    const Launcher launcher;
    expect_restart(run({{launcher.place(0, 2, first)}, {launcher.place(1, 2, second)}}), std::max(first, second));
  }
}

TEST(Meeting, InAStoreThatRankZeroHolds) {
  for (const auto& [first, second] : {std::pair{0, 3}, {3, 0}, {0, 0}}) {
    const Launcher unused;
    const int port = free_port();
    std::vector<Start> starts;
    for (const auto& [rank, restart] : {std::pair{0, first}, {1, second}}) {
      auto place = unused.place(rank, 2, restart);
      place.agent_store = false;
      place.port = port;
      starts.push_back({place, milliseconds(30 * rank)});
    }
    expect_restart(run(starts), std::max(first, second));
  }
}

TEST(Meeting, AgainAndAgainInAStoreThatOutlivesTheRanks) {
  const Launcher launcher;
  // A machine that joins makes torchrun start all ranks anew without counting it.
  const std::vector<std::pair<int, int>> counts = {{0, 0}, {0, 0}, {1, 0}, {1, 1}};
  for (std::size_t start = 0; start < counts.size(); ++start) {
    SCOPED_TRACE("start " + std::to_string(start));
    const auto [first, second] = counts[start];
    const milliseconds late(start % 2 == 0 ? 0 : 300);
    expect_restart(run({{launcher.place(0, 2, first), late}, {launcher.place(1, 2, second), milliseconds(300) - late}}),
                   static_cast<int>(start));
  }
}

TEST(Meeting, GoesOnWithoutARankZeroThatDiedBeforeItBegan) {
  Launcher launcher;
  const std::string rounds = "dis/job/rounds";
  std::thread dead([&] {  // opens a round while rank 1 waits, and is gone
    std::this_thread::sleep_for(milliseconds(300));
    launcher.store().add(rounds, 1);
  });
  const auto results = run({{launcher.place(0, 2, 1), milliseconds(1000)}, {launcher.place(1, 2, 0)}});
  dead.join();
  expect_restart(results, 1);
  EXPECT_EQ(launcher.store().add(rounds, 0), 2);
}

TEST(Meeting, TakesNoRankThatIsGoneForOneThatLives) {
  Launcher launcher;
  const auto leave = [&](int round, int rank) {
    const std::string text = "gone 7";
    launcher.store().set("dis/job/arrived/" + std::to_string(round) + "/" + std::to_string(rank),
                         std::vector<std::uint8_t>(text.begin(), text.end()));
  };
  // What an earlier start left: both ranks of round 1.
  launcher.store().add("dis/job/rounds", 1);
  leave(1, 1);
  leave(1, 2);
  // A rank 1 that came to round 2 and was killed there, before its successor.
  std::thread killed([&] {
    std::this_thread::sleep_for(milliseconds(500));
    leave(2, 1);
  });
  const auto results = run({{launcher.place(0, 3, 0)},
                            {launcher.place(1, 3, 0), milliseconds(1000)},
                            {launcher.place(2, 3, 0), milliseconds(1500)}});
  killed.join();
  expect_restart(results, 1);
}

TEST(Meeting, NamesTheRanksThatDoNotComeAndTheVariablesThatMadeItWait) {
  const Launcher launcher;
  const auto missing = run({{launcher.place(0, 3, 0), {}, 1.5}, {launcher.place(1, 3, 0), {}, 1.5}});
  for (const int rank : {0, 1}) {
    const auto& error = missing[static_cast<std::size_t>(rank)].error;
    EXPECT_NE(error.find("rank 2 did not come within dist.timeout_s"), std::string::npos) << error;
    EXPECT_NE(error.find("RANK=" + std::to_string(rank) + " and WORLD_SIZE=3 say that there are 3 ranks"),
              std::string::npos)
        << error;
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }
  const Launcher other;
  const auto error = run({{other.place(1, 2, 0), {}, 1.0}})[0].error;
  EXPECT_NE(error.find("rank 0 did not come within dist.timeout_s"), std::string::npos) << error;
}

TEST(Meeting, OfASecondRankZeroEndsTheFirst) {
  const Launcher launcher;
  const auto results = run({{launcher.place(0, 2, 0), {}, 10.0},
                            {launcher.place(0, 2, 0), milliseconds(500)},
                            {launcher.place(1, 2, 0), milliseconds(1500)}});
  EXPECT_NE(results[0].error.find("another process is rank 0, too"), std::string::npos) << results[0].error;
  EXPECT_EQ(results[1].restart, 1);
  EXPECT_EQ(results[2].restart, 1);
}

}  // namespace
}  // namespace dis
