#include "dis/train/targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "dis/core/error.h"
#include "dis/core/safetensors.h"

namespace dis {
namespace {

using Tokens = std::vector<std::int32_t>;

/// Examples need a stream only where frames come from a file, which has its own tests.
class NoStream : public TrainingStream {
 public:
  DataShape shape() const override { return {}; }
  Origin example(std::uint64_t, std::uint64_t, std::span<std::int32_t>, std::span<std::int32_t>,
                 std::int32_t&) const override {
    throw std::logic_error("not for this test");
  }
  void augment(const Origin&, std::span<std::int32_t>) const override { throw std::logic_error("not for this test"); }
  std::string identifier(std::int64_t) const override { throw std::logic_error("not for this test"); }
};

struct Sample {
  Tokens input;
  Tokens label;
};

/// Random tokens of a vocabulary of 12, pads included in the input; every fifth cell or so has no label, and about a
/// third of the others equal the input.
Sample random_sample(std::uint64_t number, std::size_t length) {
  Draws draws(1, Purpose::test, 0, number);
  Sample sample{Tokens(length), Tokens(length)};
  for (std::size_t i = 0; i < length; ++i) {
    sample.input[i] = static_cast<std::int32_t>(draws.below(12));
    const bool same = draws.below(3) == 0 && sample.input[i] != 0;
    sample.label[i] = same ? sample.input[i] : 1 + static_cast<std::int32_t>(draws.below(11));
    if (draws.below(5) == 0) sample.label[i] = kIgnore;
  }
  return sample;
}

Tokens frames_of(const TargetBuilder& builder, const Sample& sample, std::int64_t N, std::uint64_t seed,
                 std::uint64_t position) {
  Tokens out(static_cast<std::size_t>(N + 1) * sample.input.size(), 12345);
  builder.frames(seed, position, {sample.input, sample.label, {}}, NoStream(), out);
  return out;
}

Tokens row(const Tokens& frames, std::size_t s, std::size_t length) {
  const auto begin = frames.begin() + static_cast<std::ptrdiff_t>(s * length);
  return {begin, begin + static_cast<std::ptrdiff_t>(length)};
}

/// Does `statistic` lie where a chi-square variable of `dof` degrees is to be expected, 3.3 standard deviations to
/// either side (Wilson and Hilferty's approximation)?
testing::AssertionResult is_chi_square(double statistic, double dof) {
  const double sigma = std::sqrt(2.0 / (9.0 * dof));
  const double z = (std::cbrt(statistic / dof) - (1.0 - 2.0 / (9.0 * dof))) / sigma;
  // With few degrees a small statistic is nothing to worry about.
  if (z < 3.3 && (dof < 10 || z > -3.3)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "chi-square " << statistic << " with " << dof << " degrees of freedom";
}

double chi_square(const std::vector<double>& counts, const std::vector<double>& shares) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += (counts[i] - total * shares[i]) * (counts[i] - total * shares[i]) / (total * shares[i]);
  }
  return sum;
}

TEST(CorruptionRate, FollowsTheSchedules) {
  EXPECT_DOUBLE_EQ(corruption_rate(Schedule::linear, 2, 6), 1.0 - 2.0 / 6.0);
  EXPECT_DOUBLE_EQ(corruption_rate(Schedule::linear, 5, 6), 1.0 / 6.0);
  EXPECT_DOUBLE_EQ(corruption_rate(Schedule::cosine, 3, 6), std::sqrt(0.5));
  EXPECT_DOUBLE_EQ(corruption_rate(Schedule::cosine, 4, 6), 0.5);
  for (const Schedule schedule : {Schedule::linear, Schedule::cosine}) {
    for (const int N : {1, 2, 6, 7, 1000}) {
      EXPECT_EQ(corruption_rate(schedule, 0, N), 1.0);
      EXPECT_EQ(corruption_rate(schedule, N, N), 0.0);
      for (int s = 1; s <= N; ++s) EXPECT_LT(corruption_rate(schedule, s, N), corruption_rate(schedule, s - 1, N));
    }
  }
  EXPECT_THROW(corruption_rate(Schedule::linear, 7, 6), std::logic_error);
}

// ---------------------------------------------------------------------------------------------------- mask, replace

constexpr std::size_t kLength = 40;
constexpr std::size_t kExamples = 600;
constexpr std::size_t kSteps = 6;

/// When the cells of many examples are hidden: number of the first step at which a cell shows its label.
struct Corruption {
  std::vector<std::vector<int>> shown_from;  // [examples] [L], -1: the cell has no label
  std::vector<Sample> samples;
  std::vector<Tokens> frames;
};

/// Draws the frames of kExamples examples and checks what must hold for each of them without exception.
Corruption corrupt(const MethodConfig& method) {
  const TargetBuilder builder(method, {12, kLength, 1});
  Corruption result;
  for (std::size_t e = 0; e < kExamples; ++e) {
    result.samples.push_back(random_sample(e, kLength));
    const Tokens& label = result.samples.back().label;
    result.frames.push_back(frames_of(builder, result.samples.back(), kSteps, 5, e));
    const Tokens& frames = result.frames.back();
    EXPECT_EQ(row(frames, kSteps, kLength), label) << "frame N is the label";
    std::vector<int> shown_from(kLength, -1);
    for (std::size_t cell = 0; cell < kLength; ++cell) {
      const std::int32_t hidden = frames[cell];
      int changes = 0;
      for (std::size_t s = 0; s <= kSteps; ++s) {
        const std::int32_t token = frames[s * kLength + cell];
        if (label[cell] == kIgnore) {
          EXPECT_EQ(token, kIgnore) << "a cell without a label is never touched";
          continue;
        }
        EXPECT_TRUE(token == hidden || token == label[cell]) << "step " << s << ": " << token;
        if (token == label[cell] && shown_from[cell] < 0) shown_from[cell] = static_cast<int>(s);
        if (s > 0 && token != frames[(s - 1) * kLength + cell]) ++changes;
      }
      EXPECT_LE(changes, 1) << "masks are nested: once shown, a cell stays";
    }
    result.shown_from.push_back(shown_from);
  }
  return result;
}

/// Is each cell hidden at step s with rate beta_s, independently of the others? `counted(e, cell)` picks the cells.
template <class Counted>
void check_rates(const Corruption& drawn, Schedule schedule, const Counted& counted) {
  std::vector<double> ends(kSteps);  // cells first shown at step 1..N
  std::vector<double> expected_ends(kSteps);
  for (std::size_t s = 1; s <= kSteps; ++s) {
    expected_ends[s - 1] = corruption_rate(schedule, static_cast<std::int64_t>(s) - 1, kSteps) -
                           corruption_rate(schedule, static_cast<std::int64_t>(s), kSteps);
  }
  for (std::size_t s = 1; s < kSteps; ++s) {
    const double beta = corruption_rate(schedule, static_cast<std::int64_t>(s), kSteps);
    double hidden = 0;
    double cells = 0;
    std::vector<double> hidden_by_cell(kLength);
    std::vector<double> cells_by_cell(kLength);
    double spread_over_examples = 0;
    for (std::size_t e = 0; e < kExamples; ++e) {
      double hidden_here = 0;
      double cells_here = 0;
      for (std::size_t cell = 0; cell < kLength; ++cell) {
        if (!counted(e, cell)) continue;
        ASSERT_GE(drawn.shown_from[e][cell], 1) << "frame 0 hides every cell";
        const bool is_hidden = drawn.shown_from[e][cell] > static_cast<int>(s);
        hidden_here += is_hidden;
        cells_here += 1;
        hidden_by_cell[cell] += is_hidden;
        cells_by_cell[cell] += 1;
        if (s == 1) ends[static_cast<std::size_t>(drawn.shown_from[e][cell]) - 1] += 1;
      }
      hidden += hidden_here;
      cells += cells_here;
      spread_over_examples += std::pow(hidden_here - beta * cells_here, 2) / (beta * (1 - beta) * cells_here);
    }
    EXPECT_TRUE(is_chi_square(chi_square({hidden, cells - hidden}, {beta, 1 - beta}), 1)) << "share at step " << s;
    EXPECT_TRUE(is_chi_square(spread_over_examples, kExamples)) << "from example to example at step " << s;
    double spread_over_cells = 0;
    for (std::size_t cell = 0; cell < kLength; ++cell) {
      spread_over_cells +=
          std::pow(hidden_by_cell[cell] - beta * cells_by_cell[cell], 2) / (beta * (1 - beta) * cells_by_cell[cell]);
    }
    EXPECT_TRUE(is_chi_square(spread_over_cells, kLength)) << "from cell to cell at step " << s;
  }
  EXPECT_TRUE(is_chi_square(chi_square(ends, expected_ends), kSteps - 1)) << "steps at which cells are first shown";
}

class Corrupted : public testing::TestWithParam<Schedule> {
 protected:
  static MethodConfig method(TargetKind targets, MaskedCells masked_cells) {
    MethodConfig config;
    config.targets = targets;
    config.masked_cells = masked_cells;
    config.schedule = GetParam();
    config.num_supervision = kSteps;
    return config;
  }
};

TEST_P(Corrupted, MaskHidesCellsWithRateBeta) {
  for (const MaskedCells masked_cells : {MaskedCells::ignore, MaskedCells::token}) {
    const Corruption drawn = corrupt(method(TargetKind::mask, masked_cells));
    const std::int32_t hidden = masked_cells == MaskedCells::token ? 12 : kIgnore;
    for (std::size_t e = 0; e < kExamples; ++e) {
      for (std::size_t cell = 0; cell < kLength; ++cell) {
        if (drawn.samples[e].label[cell] != kIgnore) {
          EXPECT_EQ(drawn.frames[e][cell], hidden) << "frame 0 hides every cell";
        }
      }
    }
    check_rates(drawn, GetParam(),
                [&](std::size_t e, std::size_t cell) { return drawn.samples[e].label[cell] != kIgnore; });
  }
}

TEST_P(Corrupted, ReplaceShowsUniformTokensWithRateBeta) {
  const Corruption drawn = corrupt(method(TargetKind::replace, MaskedCells::token));
  // A replacement that equals the label cannot be told from the label: rates are those of the other cells.
  check_rates(drawn, GetParam(), [&](std::size_t e, std::size_t cell) {
    return drawn.samples[e].label[cell] != kIgnore && drawn.frames[e][cell] != drawn.samples[e].label[cell];
  });
  std::vector<double> tokens(12);
  std::vector<double> visible(12);  // of these, the cells whose replacement is not the label
  std::vector<double> hidden_at_3(12);
  double equal = 0;
  double cells = 0;
  for (std::size_t e = 0; e < kExamples; ++e) {
    for (std::size_t cell = 0; cell < kLength; ++cell) {
      if (drawn.samples[e].label[cell] == kIgnore) continue;
      const std::int32_t replacement = drawn.frames[e][cell];
      ASSERT_TRUE(replacement >= 1 && replacement < 12) << "never the pad, never beyond the vocabulary";
      tokens[static_cast<std::size_t>(replacement)] += 1;
      equal += replacement == drawn.samples[e].label[cell];
      if (replacement != drawn.samples[e].label[cell]) {
        visible[static_cast<std::size_t>(replacement)] += 1;
        hidden_at_3[static_cast<std::size_t>(replacement)] += drawn.shown_from[e][cell] > 3;
      }
      cells += 1;
    }
  }
  const std::vector<double> counts(tokens.begin() + 1, tokens.end());
  double spread_over_tokens = 0;  // of the share of cells that are still hidden at step 3
  const double beta = corruption_rate(GetParam(), 3, kSteps);
  for (std::size_t token = 1; token < 12; ++token) {
    spread_over_tokens +=
        std::pow(hidden_at_3[token] - beta * visible[token], 2) / (beta * (1 - beta) * visible[token]);
  }
  EXPECT_TRUE(is_chi_square(spread_over_tokens, 11)) << "the replacement does not depend on when it is shown";
  EXPECT_TRUE(is_chi_square(chi_square(counts, std::vector<double>(11, 1.0 / 11.0)), 10));
  EXPECT_TRUE(is_chi_square(chi_square({equal, cells - equal}, {1.0 / 11.0, 10.0 / 11.0}), 1))
      << "the replacement does not depend on the label";
}

INSTANTIATE_TEST_SUITE_P(Schedules, Corrupted, testing::Values(Schedule::linear, Schedule::cosine),
                         [](const auto& test) { return test.param == Schedule::linear ? "linear" : "cosine"; });

TEST(TargetBuilder, OnlyAMaskTokenEnlargesTheVocabulary) {
  MethodConfig method;
  method.targets = TargetKind::mask;
  method.masked_cells = MaskedCells::token;
  EXPECT_EQ(TargetBuilder(method, {3, 64, 1}).vocabulary(), 4);
  EXPECT_EQ(TargetBuilder(method, {3, 64, 1}).mask_token(), 3) << "the last entry";
  method.masked_cells = MaskedCells::ignore;
  EXPECT_EQ(TargetBuilder(method, {3, 64, 1}).vocabulary(), 3);
  EXPECT_EQ(TargetBuilder(method, {3, 64, 1}).mask_token(), std::nullopt);
  method.masked_cells = MaskedCells::token;
  for (const TargetKind targets :
       {TargetKind::path, TargetKind::replace, TargetKind::programmatic, TargetKind::label}) {
    method.targets = targets;
    EXPECT_EQ(TargetBuilder(method, {3, 64, 1}).vocabulary(), 3);
    EXPECT_EQ(TargetBuilder(method, {3, 64, 1}).mask_token(), std::nullopt);
  }
}

// ------------------------------------------------------------------------------------------------------------- path

template <class T>
std::vector<T> golden(const std::string& name) {
  const SafetensorsFile file(DIS_SOURCE_DIR "/tests/data/golden/path_targets.safetensors");
  const auto bytes = file.data(file.at(name));
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(Path, EqualsTheAuthorsCode) {
  constexpr std::size_t kCases = 8;
  constexpr std::size_t kCells = 25;
  constexpr std::size_t kFrames = 7 * kCells;
  const auto inputs = golden<std::int32_t>("inputs");
  const auto labels = golden<std::int32_t>("labels");
  const auto scores = golden<float>("scores");
  const auto ranks = golden<std::int64_t>("rank");
  const auto frames = golden<std::int32_t>("frames");
  const auto valid = golden<std::int32_t>("valid");
  ASSERT_EQ(inputs.size(), kCases * kCells);
  ASSERT_EQ(frames.size(), kCases * kFrames);
  for (std::size_t b = 0; b < kCases; ++b) {
    const auto at = [&](const auto& values) { return values.begin() + static_cast<std::ptrdiff_t>(b * kCells); };
    const std::vector<double> by_score(at(scores), at(scores) + kCells);
    const std::vector<double> by_rank(at(ranks), at(ranks) + kCells);
    for (const auto& keys : {by_score, by_rank}) {
      Tokens out(kFrames);
      path_frames(std::span(inputs).subspan(b * kCells, kCells), std::span(labels).subspan(b * kCells, kCells), keys, 6,
                  PathCells::all, out);
      for (std::size_t i = 0; i < kFrames; ++i) {
        ASSERT_EQ(out[i], frames[b * kFrames + i])
            << "case " << b << ", frame " << i / kCells << ", cell " << i % kCells;
        ASSERT_EQ(out[i] != kIgnore, valid[b * kFrames + i] != 0) << "case " << b << ", frame " << i / kCells;
      }
    }
  }
}

TEST(Path, ShowsFloorOfSdOverNCellsInOneOrder) {
  for (const PathCells cells : {PathCells::all, PathCells::labelled}) {
    for (const std::size_t N : {1U, 5U, 6U, 64U}) {
      MethodConfig method;
      method.path_cells = cells;
      method.num_supervision = static_cast<std::int64_t>(N);
      const TargetBuilder builder(method, {12, kLength, 1});
      for (std::uint64_t e = 0; e < 20; ++e) {
        const Sample sample = random_sample(e, kLength);
        const Tokens frames = frames_of(builder, sample, method.num_supervision, 5, e);
        EXPECT_EQ(row(frames, N, kLength), sample.label);
        std::size_t differing = 0;
        for (std::size_t i = 0; i < kLength; ++i) {
          const bool left_out = cells == PathCells::labelled && sample.label[i] == kIgnore;
          differing += !left_out && sample.label[i] != sample.input[i];
        }
        for (std::size_t s = 0; s <= N; ++s) {
          std::size_t shown = 0;
          for (std::size_t i = 0; i < kLength; ++i) {
            const std::int32_t token = frames[s * kLength + i];
            if (cells == PathCells::labelled && sample.label[i] == kIgnore) {
              EXPECT_EQ(token, kIgnore) << "left out of every frame";
              continue;
            }
            EXPECT_TRUE(token == sample.input[i] || token == sample.label[i]);
            shown += sample.label[i] != sample.input[i] && token == sample.label[i];
            const bool shown_before = s > 0 && frames[(s - 1) * kLength + i] == sample.label[i];
            EXPECT_TRUE(!shown_before || token == sample.label[i]) << "a cell that shows its label keeps it";
          }
          EXPECT_EQ(shown, s * differing / N) << "step " << s << " of " << N;
        }
      }
    }
  }
}

TEST(Path, BreaksTiesByCell) {
  Tokens out(3 * 4);
  path_frames(Tokens{1, 1, 1, 1}, Tokens{2, 3, 1, 4}, std::vector<double>{0.5, 0.5, 0.5, 0.1}, 2, PathCells::all, out);
  EXPECT_EQ(row(out, 1, 4), (Tokens{1, 1, 1, 4}));
  path_frames(Tokens{1, 1, 1, 1}, Tokens{2, 3, 1, 1}, std::vector<double>(4, 0.5), 2, PathCells::all, out);
  EXPECT_EQ(row(out, 1, 4), (Tokens{2, 1, 1, 1}));
}

/// Counts how often each order of the cells 0..3 is drawn when frame s shows s of them.
template <class Frames>
void check_orders_uniform(const Frames& frames_at, const std::vector<std::size_t>& cells, std::size_t length) {
  std::map<std::vector<std::size_t>, double> orders;
  constexpr std::uint64_t kDrawn = 4800;
  for (std::uint64_t position = 0; position < kDrawn; ++position) {
    const Tokens frames = frames_at(position);
    std::vector<std::size_t> order;
    for (std::size_t s = 1; s <= cells.size(); ++s) {
      for (const std::size_t cell : cells) {
        if (frames[s * length + cell] != frames[(s - 1) * length + cell]) order.push_back(cell);
      }
    }
    ASSERT_EQ(order.size(), cells.size());
    orders[order] += 1;
  }
  ASSERT_EQ(orders.size(), 24U);
  std::vector<double> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  EXPECT_TRUE(is_chi_square(chi_square(counts, std::vector<double>(24, 1.0 / 24.0)), 23));
}

TEST(Path, DrawsEveryOrderEquallyOften) {
  MethodConfig method;
  method.num_supervision = 4;
  const TargetBuilder builder(method, {12, 6, 1});
  const Sample sample{{1, 2, 0, 4, 5, 6}, {7, 2, kIgnore, 8, 5, 9}};
  check_orders_uniform([&](std::uint64_t position) { return frames_of(builder, sample, 4, 8, position); }, {0, 2, 3, 5},
                       6);
}

TEST(Label, IsTheTargetOfEveryStep) {
  MethodConfig method;
  method.targets = TargetKind::label;
  const TargetBuilder builder(method, {12, kLength, 1});
  const Sample sample = random_sample(3, kLength);
  const Tokens frames = frames_of(builder, sample, 6, 1, 0);
  for (std::size_t s = 1; s <= 6; ++s) EXPECT_EQ(row(frames, s, kLength), sample.label);
  for (std::size_t i = 0; i < kLength; ++i) {
    EXPECT_EQ(frames[i], sample.label[i] == kIgnore ? kIgnore : sample.input[i]);
  }
}

TEST(Reverse, ShowsTheLabelFromItsLastCellToItsFirst) {
  MethodConfig method;
  method.targets = TargetKind::reverse;
  method.num_supervision = 4;
  ASSERT_EQ(method.path_cells, PathCells::all) << "a setting of `path`, which has no part in `reverse`";
  const TargetBuilder builder(method, {12, 7, 1});
  // Cell 1 does not differ and cells 3 and 6 have no label; the others are 0, 2, 4, 5.
  const Sample sample{{1, 2, 3, 4, 5, 6, 7}, {8, 2, 9, kIgnore, 10, 11, kIgnore}};
  const Tokens frames = frames_of(builder, sample, 4, 1, 0);
  EXPECT_EQ(row(frames, 0, 7), (Tokens{1, 2, 3, kIgnore, 5, 6, kIgnore}));
  EXPECT_EQ(row(frames, 1, 7), (Tokens{1, 2, 3, kIgnore, 5, 11, kIgnore}));
  EXPECT_EQ(row(frames, 2, 7), (Tokens{1, 2, 3, kIgnore, 10, 11, kIgnore}));
  EXPECT_EQ(row(frames, 3, 7), (Tokens{1, 2, 9, kIgnore, 10, 11, kIgnore}));
  EXPECT_EQ(row(frames, 4, 7), (Tokens{8, 2, 9, kIgnore, 10, 11, kIgnore}));
}

TEST(Reverse, DependsOnInputAndLabelOnly) {
  MethodConfig method;
  method.targets = TargetKind::reverse;
  for (const std::int64_t N : {1, 5, 6, 50}) {
    method.num_supervision = N;
    const TargetBuilder builder(method, {12, kLength, 1});
    const auto steps = static_cast<std::size_t>(N);
    for (std::uint64_t number = 0; number < 20; ++number) {
      const Sample sample = random_sample(number, kLength);
      const Tokens frames = frames_of(builder, sample, N, 1, 0);
      EXPECT_EQ(frames_of(builder, sample, N, 2, 17), frames) << "neither seed nor position matter";
      EXPECT_EQ(row(frames, steps, kLength), sample.label);
      std::size_t differing = 0;
      for (std::size_t i = 0; i < kLength; ++i) {
        differing += sample.label[i] != kIgnore && sample.label[i] != sample.input[i];
      }
      for (std::size_t s = 0; s <= steps; ++s) {
        std::size_t left = s * differing / steps;  // cells that show the label, counted from the end
        for (std::size_t i = kLength; i-- > 0;) {
          const bool turns = sample.label[i] != kIgnore && sample.label[i] != sample.input[i];
          const std::int32_t unturned = sample.label[i] == kIgnore ? kIgnore : sample.input[i];
          EXPECT_EQ(frames[s * kLength + i], turns && left > 0 ? sample.label[i] : unturned) << s << " of " << N;
          left -= turns && left > 0;
        }
      }
    }
  }
}

// ----------------------------------------------------------------------------------------------------- programmatic

/// The board whose row r has a queen in column `columns[r]`; rows not in `given` are empty in the input.
Sample board(const std::string& columns, const std::set<std::size_t>& given) {
  const std::size_t side = columns.size();
  Sample sample{Tokens(side * side, 1), Tokens(side * side, 1)};
  for (std::size_t r = 0; r < side; ++r) {
    const std::size_t cell = r * side + static_cast<std::size_t>(columns[r] - '0');
    sample.label[cell] = 2;
    if (given.contains(r)) sample.input[cell] = 2;
  }
  return sample;
}

std::vector<std::size_t> queens(const Tokens& frame) {
  std::vector<std::size_t> cells;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    if (frame[i] == 2) cells.push_back(i);
  }
  return cells;
}

MethodConfig programmatic(ProgrammaticOrder order, std::int64_t N) {
  MethodConfig method;
  method.targets = TargetKind::programmatic;
  method.programmatic_order = order;
  method.num_supervision = N;
  return method;
}

TEST(Programmatic, FramesAreConsistentBoards) {
  for (const ProgrammaticOrder order : {ProgrammaticOrder::nearest, ProgrammaticOrder::random}) {
    const TargetBuilder builder(programmatic(order, 6), {3, 64, 1});
    std::uint64_t position = 0;
    for (const std::string columns : {"30471625", "52064713", "62057413", "72051463"}) {
      for (std::uint32_t subset = 0; subset < 255; subset += 7) {
        std::set<std::size_t> given;
        for (std::size_t r = 0; r < 8; ++r) {
          if (subset >> r & 1) given.insert(r);
        }
        const Sample sample = board(columns, given);
        const Tokens frames = frames_of(builder, sample, 6, 2, position++);
        EXPECT_EQ(row(frames, 0, 64), sample.input);
        EXPECT_EQ(row(frames, 6, 64), sample.label);
        std::vector<std::size_t> before;
        for (std::size_t s = 0; s <= 6; ++s) {
          const auto placed = queens(row(frames, s, 64));
          EXPECT_EQ(placed.size(), given.size() + s * (8 - given.size()) / 6);
          EXPECT_TRUE(std::ranges::includes(placed, before)) << "a queen stays where it is";
          for (const std::size_t a : placed) {
            for (const std::size_t b : placed) {
              const auto rows = std::abs(static_cast<int>(a / 8) - static_cast<int>(b / 8));
              const auto columns_apart = std::abs(static_cast<int>(a % 8) - static_cast<int>(b % 8));
              EXPECT_TRUE(a == b || (rows != 0 && columns_apart != 0 && rows != columns_apart))
                  << a << " attacks " << b;
            }
          }
          before = placed;
        }
      }
    }
  }
}

/// Rows in the order in which their queens are placed, one per step.
std::vector<std::size_t> rows_in_order(const Sample& sample, std::size_t N) {
  const TargetBuilder builder(programmatic(ProgrammaticOrder::nearest, static_cast<std::int64_t>(N)), {3, 64, 1});
  const Tokens frames = frames_of(builder, sample, static_cast<std::int64_t>(N), 2, 0);
  std::vector<std::size_t> rows;
  for (std::size_t s = 1; s <= N; ++s) {
    for (std::size_t i = 0; i < 64; ++i) {
      if (frames[s * 64 + i] != frames[(s - 1) * 64 + i]) rows.push_back(i / 8);
    }
  }
  return rows;
}

TEST(Programmatic, NearestGrowsFromTheGivensOrTheCentre) {
  // Worked by hand: from the queen in row 2, column 4, each next queen is the one fewest king moves away from any.
  using Rows = std::vector<std::size_t>;
  EXPECT_EQ(rows_in_order(board("30471625", {2}), 7), (Rows{0, 1, 3, 5, 7, 4, 6}));
  EXPECT_EQ(rows_in_order(board("30471625", {}), 8), (Rows{2, 0, 1, 3, 5, 7, 4, 6})) << "row 2 is nearest the centre";
  EXPECT_EQ(rows_in_order(board("30471625", {7}), 7), (Rows{5, 3, 2, 0, 1, 4, 6}));
  // Orders that differ when rows and columns apart are added up, or when only one of them counts.
  EXPECT_EQ(rows_in_order(board("72051463", {1}), 7), (Rows{2, 4, 3, 5, 6, 7, 0}));
  EXPECT_EQ(rows_in_order(board("52064713", {3}), 7), (Rows{4, 5, 0, 1, 2, 6, 7}));
}

TEST(Programmatic, RandomDrawsEveryOrderEquallyOften) {
  const TargetBuilder builder(programmatic(ProgrammaticOrder::random, 4), {3, 16, 1});
  const Sample sample = board("1302", {});
  check_orders_uniform([&](std::uint64_t position) { return frames_of(builder, sample, 4, 8, position); },
                       {1, 7, 8, 14}, 16);
}

TEST(Programmatic, RefusesOtherDataAndWrongLabels) {
  const MethodConfig method = programmatic(ProgrammaticOrder::nearest, 6);
  EXPECT_THROW(TargetBuilder(method, {12, 64, 1}), UserError) << "not the tokens of a board";
  EXPECT_THROW(TargetBuilder(method, {3, 60, 1}), UserError) << "not a square";
  const TargetBuilder builder(method, {3, 16, 1});
  Sample attacked = board("1303", {0});
  Sample short_of_one = board("1302", {0});
  short_of_one.label[14] = 1;
  Sample given_lost = board("1302", {0});
  given_lost.input[0] = 2;
  Sample unlabelled = board("1302", {0});
  unlabelled.label[0] = kIgnore;
  for (const Sample& wrong : {attacked, short_of_one, given_lost, unlabelled}) {
    Tokens out(7 * 16);
    try {
      builder.frames(1, 0, {wrong.input, wrong.label, {31, 0}}, NoStream(), out);
      ADD_FAILURE() << "accepted";
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("training board 31 does not"), std::string::npos) << error.what();
    }
  }
}

// ------------------------------------------------------------------------------------------------------- every kind

TEST(TargetBuilder, FramesDependOnSeedAndPositionOnly) {
  const Sample sample = board("30471625", {});
  for (const TargetKind targets : {TargetKind::path, TargetKind::mask, TargetKind::replace, TargetKind::programmatic}) {
    MethodConfig method = programmatic(ProgrammaticOrder::random, 6);
    method.targets = targets;
    const TargetBuilder builder(method, {3, 64, 1});
    const Tokens frames = frames_of(builder, sample, 6, 1, 10);
    EXPECT_EQ(frames_of(builder, sample, 6, 1, 10), frames);
    EXPECT_NE(frames_of(builder, sample, 6, 1, 11), frames);
    EXPECT_NE(frames_of(builder, sample, 6, 2, 10), frames);
  }
}

TEST(TargetBuilder, BatchesHoldTheFramesOfTheirExamples) {
  Batch batch{3, kLength, {}, {}, Tokens(3), std::vector<Origin>(3)};
  for (std::uint64_t lane = 0; lane < 3; ++lane) {
    const Sample sample = random_sample(lane, kLength);
    batch.inputs.insert(batch.inputs.end(), sample.input.begin(), sample.input.end());
    batch.labels.insert(batch.labels.end(), sample.label.begin(), sample.label.end());
  }
  const TargetBuilder builder(MethodConfig{}, {12, kLength, 1});
  const Tokens all = builder.batch_frames(7, 100, batch, NoStream());
  ASSERT_EQ(all.size(), 3 * 7 * kLength);
  for (std::uint64_t lane = 0; lane < 3; ++lane) {
    EXPECT_EQ(row(all, lane, 7 * kLength), frames_of(builder, random_sample(lane, kLength), 6, 7, 100 + lane));
  }
}

}  // namespace
}  // namespace dis
