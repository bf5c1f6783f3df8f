#include "dis/eval/votes/arc_voting.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "dis/core/clock.h"
#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/core/progress.h"
#include "dis/core/random.h"
#include "dis/core/signals.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/rows/answers.h"
#include "dis/eval/votes/vote_file.h"
#include "rows_asked.h"

namespace dis {
namespace {

constexpr std::uint64_t kSampleStep = std::uint64_t{1} << 46;  // of Purpose::votes, whose other steps are small

constexpr double kSecondsPerPartial = 20;

std::vector<double> probabilities(const std::vector<float>& logits) {
  std::vector<double> result;
  result.reserve(logits.size());
  for (const float logit : logits) result.push_back(halting_probability(logit));
  return result;
}

/// The votes of earlier sittings, if they are of this evaluation.
std::optional<VoteFile> open_votes(const VotingSettings& settings, VoteBook& book) {
  if (settings.file.empty()) return std::nullopt;
  const auto earlier = VoteFile::fingerprint_of(settings.file);
  if (earlier && *earlier != settings.fingerprint) {
    log_info("the votes in '" + settings.file.string() + "' are of another evaluation: begun anew");
    std::filesystem::remove(settings.file);
  }
  return std::make_optional<VoteFile>(settings.file, settings.fingerprint,
                                      [&](const Ballots& ballots) { book.add(ballots); });
}

/// Rank 0's number.
std::int64_t shared_number(const Ranks& ranks, std::int64_t mine) {
  const auto number = at::full({1}, mine, at::kLong);
  ranks.broadcast(number);
  return number.item<std::int64_t>();
}

}  // namespace

Rows make_rows(const ArcData& data, std::span<const ArcTestRow> rows) {
  const auto length = static_cast<std::size_t>(data.shape().length);
  Rows made{std::vector<std::int32_t>(rows.size() * length), {}, {}};
  std::vector<std::int32_t> label(length);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    data.test_fields(rows[i], std::span(made.inputs).subspan(i * length, length), label);
    made.ids.push_back(data.identifier_of(rows[i]));
    made.augmentations.push_back(data.puzzles().augmentation(rows[i].puzzle));
  }
  return made;
}

bool goes_on(const Session& session, const VotingSettings& settings, const RowsDone& rows) {
  const auto part = std::to_string(rows.done) + " of " + std::to_string(rows.total) + " puzzles";
  const bool late = settings.deadline > 0.0 && steady_seconds() > settings.deadline;
  if (session.ranks->any(late) && rows.done < rows.total) {
    log_info("the time is up: " + part + " have " + rows.what + ", about as many of each task");
    return false;
  }
  if (settings.interruptible && session.ranks->any(stop_requested())) {
    log_info("stopped by a signal after " + part + " have " + rows.what +
             (settings.file.empty() ? "" : "; the votes are kept, and count when the command goes on"));
    throw Stopped{ending_signal()};
  }
  if (settings.within_training && session.ranks->any(take_checkpoint_request())) throw CheckpointWanted{};
  return true;
}

ArcElection plan_election(const ArcPuzzles& puzzles, std::int64_t tasks, std::int64_t votes, std::uint64_t seed) {
  std::vector<std::int64_t> groups;
  for (std::size_t g = 0; g < puzzles.groups().size(); ++g) {
    if (!puzzles.groups()[g].test_pairs.empty()) groups.push_back(static_cast<std::int64_t>(g));
  }
  if (groups.empty()) {
    throw UserError("there is nothing to evaluate: no task of data.test_set = \"" + puzzles.settings().test_set +
                    "\" is left");
  }
  if (tasks > 0 && tasks < std::ssize(groups)) {
    Draws(seed, Purpose::votes, kSampleStep, 0).shuffle(std::span(groups));
    groups.resize(static_cast<std::size_t>(tasks));
    std::ranges::sort(groups);
  }
  return election_of(puzzles, std::move(groups), votes);
}

ArcElection election_of(const ArcPuzzles& puzzles, std::vector<std::int64_t> groups, std::int64_t votes) {
  ArcElection election;
  election.groups = std::move(groups);
  for (const auto g : election.groups) {
    const auto& group = puzzles.groups()[static_cast<std::size_t>(g)];
    election.tasks.push_back(group.task);
    const auto count = votes > 0 ? std::min(votes, group.puzzles) : group.puzzles;
    for (std::int64_t puzzle = 0; puzzle < count; ++puzzle) {
      for (int test = 0; test < std::ssize(group.test_pairs); ++test) {
        election.rows.push_back({g, group.first_puzzle + puzzle, test});
        election.tests.push_back(election.test_inputs + test);
      }
    }
    election.test_inputs += std::ssize(group.test_pairs);
  }
  return election;
}

void vote_evenly(ArcElection& election, const ArcPuzzles& puzzles) {
  std::vector<std::size_t> order(election.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto nth = [&](std::size_t row) {
    const auto& asked = election.rows[row];
    return asked.puzzle - puzzles.groups()[static_cast<std::size_t>(asked.group)].first_puzzle;
  };
  std::ranges::stable_sort(order, {}, nth);
  auto rows = election.rows;
  auto tests = election.tests;
  for (std::size_t i = 0; i < order.size(); ++i) {
    rows[i] = election.rows[order[i]];
    tests[i] = election.tests[order[i]];
  }
  election.rows = std::move(rows);
  election.tests = std::move(tests);
}

VoteBook vote(const Session& session, const ArcData& data, const ArcElection& election,
              const VotingSettings& settings) {
  VoteBook book(election.test_inputs);
  auto file = open_votes(settings, book);
  const auto recorded = shared_number(*session.ranks, file ? file->next_prediction() : 0);
  const auto total = std::ssize(election.rows);
  if (recorded > 0) log_info(std::to_string(recorded) + " of " + std::to_string(total) + " votes are there already");
  const auto decode = decode_settings(session, settings.eval);
  const int threads = at::get_num_threads();
  Progress progress({.what = "vote", .unit = "puzzles", .total = total, .done_before = recorded});
  Ballots ballots;
  double told = 0.0;  // when the votes so far were handed on
  // Batches begin at multiples of their size, in every sitting and for any number of ranks: a row's rounding depends on
  // its batch. Each rank answers one of `stride` rows; all count all votes, in the same order.
  const auto stride = settings.eval.batch * session.ranks->size();
  for (auto first = recorded / settings.eval.batch * settings.eval.batch; first < total; first += stride) {
    const auto count = std::min(stride, total - first);
    const auto from = static_cast<std::size_t>(first), size = static_cast<std::size_t>(count);
    const auto rows = make_rows(data, std::span(election.rows).subspan(from, size));
    const auto answers = answers_to(session, settings.eval, decode, {rows.inputs, rows.ids, first});
    const std::vector<std::uint8_t> tokens(answers.tokens.begin(), answers.tokens.end());
    const auto halting = probabilities(answers.halting);
    ballots.read({.first = first,
                  .side = data.puzzles().side(),
                  .tests = std::span(election.tests).subspan(from, size),
                  .augmentations = rows.augmentations,
                  .tokens = tokens,
                  .probabilities = halting},
                 threads);
    ballots.drop_before(recorded);
    if (file) file->append(ballots);
    book.add(ballots);
    progress.update(first + count, std::to_string(book.distinct()) + " candidates");
    if (settings.partial && session.ranks->first() && steady_seconds() - told > kSecondsPerPartial) {
      settings.partial(book);
      told = steady_seconds();
    }
    try {
      if (!goes_on(session, settings, {"voted", first + count, total})) break;
    } catch (...) {
      if (file) file->sync();
      throw;
    }
  }
  progress.finish();
  return book;
}

}  // namespace dis
