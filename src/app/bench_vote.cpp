#include "bench_vote.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "dis/core/cpus.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/core/random.h"
#include "dis/data/arc/arc_puzzles.h"
#include "dis/eval/votes/arc_vote.h"

namespace dis {
namespace {

struct VoteOptions {
  std::int64_t batch = 768, threads = 0;
  bool json = false;
};

// A whole evaluation of ARC-1 with 1000 augmentations, by a network whose answers differ a lot.
constexpr std::int64_t kTasks = 400;
constexpr std::int64_t kTests = 419;  // so 19 tasks have two
constexpr std::int64_t kPredictions = 385815;
constexpr std::int64_t kDistinct = 214477;
/// Sides of grids with the areas of ARC-1's answers: a tenth of them between one number and the next.
constexpr std::array<int, 11> kSides{1, 4, 6, 8, 10, 11, 13, 15, 19, 23, 30};

/// Part `part` of `total` in `parts` parts that differ by one at most.
std::int64_t share(std::int64_t total, std::int64_t parts, std::int64_t part) {
  return total * (part + 1) / parts - total * part / parts;
}

/// The predictions for one test input: distinct grids, and which of them each prediction is.
class MadeUpTest {
 public:
  explicit MadeUpTest(std::int64_t number)
      : number_(number), draws_(0, Purpose::bench, 1, static_cast<std::uint64_t>(number)) {
    const auto distinct = static_cast<std::uint32_t>(share(kDistinct, kTests, number));
    const auto predictions = static_cast<std::uint32_t>(share(kPredictions, kTests, number));
    const int side = kSides[draws_.below(kSides.size())];
    std::set<Grid> seen;
    while (grids_.size() < distinct) {
      Grid grid = random_grid(side);
      if (seen.insert(grid).second) grids_.push_back(std::move(grid));
    }
    for (std::uint32_t i = 0; i < distinct; ++i) choices_.push_back(i);
    while (choices_.size() < predictions) {
      const double u = draws_.uniform();
      choices_.push_back(static_cast<std::uint32_t>(u * u * u * distinct));  // some grids far more often than others
    }
    draws_.shuffle(std::span(choices_));
  }

  std::int64_t number() const { return number_; }
  std::size_t predictions() const { return choices_.size(); }
  const Grid& prediction(std::size_t i) const { return grids_[choices_[i]]; }

 private:
  Grid random_grid(int side) {
    if (draws_.below(400) == 0) return {};
    const auto near_side = [&] { return std::clamp(side + static_cast<int>(draws_.below(5)) - 2, 1, kLargestGrid); };
    Grid grid{near_side(), near_side(), {}};
    for (int i = 0; i < grid.rows * grid.columns; ++i) {
      grid.cells.push_back(static_cast<std::uint8_t>(draws_.below(4) == 0 ? draws_.below(kColours) : 0));
    }
    return grid;
  }

  std::int64_t number_;
  Draws draws_;
  std::vector<Grid> grids_;
  std::vector<std::uint32_t> choices_;
};

/// Hands out batches in the order of an evaluation: task after task, all test inputs of a puzzle one after the other.
class MadeUpPredictions {
 public:
  explicit MadeUpPredictions(std::int64_t batch) : batch_(static_cast<std::size_t>(batch)) {}

  /// False when there are no more.
  bool next(PredictionBatch& batch) {
    batch.first += static_cast<std::int64_t>(tests_.size());
    tests_.clear();
    augmentations_.clear();
    probabilities_.clear();
    tokens_.resize(batch_ * kField);
    while (tests_.size() < batch_ && next_row()) {
    }
    tokens_.resize(tests_.size() * kField);
    batch.tests = tests_;
    batch.augmentations = augmentations_;
    batch.probabilities = probabilities_;
    batch.tokens = tokens_;
    return !tests_.empty();
  }

 private:
  static constexpr std::size_t kField = kLargestGrid * kLargestGrid;

  bool next_row() {
    if (next_row_ == rows_.size() && !next_task()) return false;
    const auto [test, prediction] = rows_[next_row_++];
    Augmentation augmentation;
    augmentation.tid = static_cast<int>(draws_.below(kSymmetries));
    draws_.shuffle(std::span(augmentation.colours).subspan(1));
    write_field(test->prediction(prediction), augmentation, {}, kLargestGrid, std::uint8_t{0},
                std::span(tokens_).subspan(tests_.size() * kField, kField));
    tests_.push_back(test->number());
    augmentations_.push_back(augmentation);
    probabilities_.push_back(halting_probability(draws_.normal()));
    return true;
  }

  bool next_task() {
    if (tasks_ == kTasks) return false;
    rows_.clear();
    next_row_ = 0;
    task_.clear();
    for (auto tests = share(kTests, kTasks, tasks_++); tests > 0; --tests) {
      task_.emplace_back(next_test_++);
    }
    const auto most = std::ranges::max(task_, {}, &MadeUpTest::predictions).predictions();
    for (std::size_t prediction = 0; prediction < most; ++prediction) {
      for (const auto& test : task_) {
        if (prediction < test.predictions()) rows_.emplace_back(&test, prediction);
      }
    }
    return true;
  }

  std::size_t batch_;
  Draws draws_{0, Purpose::bench, 2, 0};
  std::int64_t tasks_ = 0, next_test_ = 0;
  std::vector<MadeUpTest> task_;                                 // its test inputs
  std::vector<std::pair<const MadeUpTest*, std::size_t>> rows_;  // test input and prediction
  std::size_t next_row_ = 0;
  std::vector<std::int64_t> tests_;
  std::vector<Augmentation> augmentations_;
  std::vector<double> probabilities_;
  std::vector<std::uint8_t> tokens_;
};

/// Time between start() and stop(), summed up.
class Stopwatch {
 public:
  void start() {
    start_ = std::chrono::steady_clock::now();
    cpu_start_ = std::clock();
  }
  void stop() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    cpu_seconds_ += static_cast<double>(std::clock() - cpu_start_) / CLOCKS_PER_SEC;
  }
  double seconds() const { return seconds_; }
  double cpu_seconds() const { return cpu_seconds_; }  ///< of all threads

 private:
  std::chrono::steady_clock::time_point start_;
  std::clock_t cpu_start_ = 0;
  double seconds_ = 0.0, cpu_seconds_ = 0.0;
};

void run_vote_bench(const VoteOptions& options) {
  const auto threads = options.threads > 0 ? static_cast<int>(options.threads) : usable_threads();
  VoteBook book(kTests);
  MadeUpPredictions predictions(options.batch);
  Stopwatch watch;
  for (PredictionBatch batch; predictions.next(batch);) {
    watch.start();
    book.add(batch, threads);
    watch.stop();
  }
  std::int64_t ranked = 0;
  watch.start();
  for (std::int64_t test = 0; test < book.tests(); ++test) {
    ranked += static_cast<std::int64_t>(book.ranking(test).size());
  }
  watch.stop();
  ensure(book.votes() == kPredictions && book.distinct() == kDistinct && ranked == kDistinct, "bench vote",
         "the predictions that were made up");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const Json json = {{"predictions", book.votes()},
                     {"distinct_grids", book.distinct()},
                     {"test_inputs", book.tests()},
                     {"threads", threads},
                     {"seconds", watch.seconds()},
                     {"cpu_seconds", watch.cpu_seconds()},
                     {"peak_rss_mb", static_cast<double>(usage.ru_maxrss) / 1024.0}};
  if (options.json) {
    std::cout << json_text(json) << "\n";
    return;
  }
  std::printf(
      "%lld predictions of %lld distinct grids for %lld test inputs voted and ranked in %.3f s (%.3f s of processor "
      "time) with %d threads; peak memory of the process %.0f MB\n",
      static_cast<long long>(book.votes()), static_cast<long long>(book.distinct()),
      static_cast<long long>(book.tests()), watch.seconds(), watch.cpu_seconds(), threads,
      json["peak_rss_mb"].get<double>());
}

}  // namespace

void add_bench_vote(CLI::App& bench) {
  auto options = std::make_shared<VoteOptions>();
  CLI::App* vote = bench.add_subcommand(
      "vote", "Time the ARC vote of a whole evaluation on made-up predictions: crop, undo, count, rank all candidates");
  vote->add_option("--batch", options->batch, "Predictions handed over at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  vote->add_option("--threads", options->threads,
                   "At most, one for each 1024 predictions of a batch; 0: as many as this process may use")
      ->check(CLI::Range(0, 1024));
  vote->add_flag("--json", options->json, "Print the result as JSON");
  vote->footer("Example:\n  dis bench vote --threads 2 --json");
  vote->callback([options] { run_vote_bench(*options); });
}

}  // namespace dis
