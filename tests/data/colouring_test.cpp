// Graph colouring: graphs, their colourings against brute force, rows, and scores of answers made by hand.
#include "dis/data/colouring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "core/user_error.h"
#include "dis/data/boards/board_text.h"
#include "dis/data/open_data.h"
#include "dis/data/shared_pairs.h"

namespace dis {
namespace {

using Tokens = std::vector<std::int32_t>;

DataConfig graphs_config(int vertices = 8, std::int64_t train = 60, std::int64_t test = 20) {
  DataConfig config;
  config.kind = DataKind::colouring;
  config.vertices = vertices;
  config.train_graphs = train;
  config.test_graphs = test;
  return config;
}

/// All colourings, by trying each of the 3^n.
std::vector<Colouring> colourings_by_trial(const Graph& graph) {
  std::vector<Colouring> found;
  int trials = 1;
  for (int v = 0; v < graph.vertices; ++v) trials *= kVertexColours;
  for (int trial = 0; trial < trials; ++trial) {
    Colouring colours{};
    int rest = trial;
    for (int v = graph.vertices - 1; v >= 0; --v, rest /= kVertexColours) {
      colours[static_cast<std::size_t>(v)] = static_cast<std::int8_t>(rest % kVertexColours);
    }
    bool good = true;
    int used = 0;
    for (int v = 0; v < graph.vertices; ++v) {
      const int colour = colours[static_cast<std::size_t>(v)];
      good = good && colour <= used;  // a colour that comes new is the smallest one unused
      used = std::max(used, colour + 1);
      for (int w = 0; w < v; ++w) good = good && !(graph.joins(w, v) && colours[static_cast<std::size_t>(w)] == colour);
    }
    if (good) found.push_back(colours);
  }
  return found;
}

std::vector<Example> all_of(const ExampleList& list) {
  std::vector<Example> examples;
  for (std::int64_t i = 0; i < list.size; ++i) examples.push_back(list.at(i));
  return examples;
}

/// The graph that an input shows, read pair by pair.
Graph graph_of_input(const Tokens& input, int vertices) {
  Graph graph{vertices, 0};
  for (std::size_t pair = 0; pair < input.size(); ++pair) {
    EXPECT_TRUE(input[pair] == kEdge || input[pair] == kNoEdge);
    if (input[pair] == kEdge) graph.edges |= std::uint64_t{1} << pair;
  }
  return graph;
}

Tokens label_of(const Colouring& colours, int vertices, std::size_t length) {
  Tokens label(length, kIgnore);
  for (int v = 0; v < vertices; ++v) {
    label[static_cast<std::size_t>(v)] = kFirstColour + colours[static_cast<std::size_t>(v)];
  }
  return label;
}

TEST(Colourings, PairsStandRowByRow) {
  const Graph graph{4, 0b101001};  // (0,1) (0,2) (0,3) (1,2) (1,3) (2,3), from the lowest bit
  EXPECT_TRUE(graph.joins(0, 1) && graph.joins(1, 2) && graph.joins(2, 3));
  EXPECT_FALSE(graph.joins(0, 2) || graph.joins(0, 3) || graph.joins(1, 3));
}

TEST(Colourings, AreThoseOfBruteForceInItsOrder) {
  for (std::uint64_t edges = 0; edges < 1024; ++edges) {  // every graph of five vertices
    ASSERT_EQ(colourings_of({5, edges}), colourings_by_trial({5, edges})) << edges;
  }
  for (std::uint64_t number = 0; number < 20; ++number) {
    Draws draws(1, Purpose::test, 0, number);
    const Graph graph{8, (std::uint64_t{draws.next()} & draws.next()) >> 4};
    ASSERT_EQ(colourings_of(graph), colourings_by_trial(graph)) << graph.edges;
  }
  EXPECT_TRUE(colourings_of({4, 0b111111}).empty()) << "four vertices, each joined to all others";
  EXPECT_EQ(colourings_of({3, 0b111}).size(), 1U) << "a triangle: the names of the colours do not count";
}

TEST(ColouringData, RowsAreAllColouringsOfTheTrainingGraphsAndOneOfEachTestGraph) {
  for (const int n : {8, 10}) {
    const ColouringData data(graphs_config(n), 3);
    EXPECT_EQ(data.shape().length, n * (n - 1) / 2);
    EXPECT_EQ(data.shape().vocabulary, 6);
    const auto length = static_cast<std::size_t>(data.shape().length);
    std::map<Tokens, std::vector<Tokens>> training;
    for (const auto& row : all_of(*data.trained())) training[row.input].push_back(row.label);
    EXPECT_EQ(training.size(), 60U);
    for (const auto& [input, labels] : training) {
      std::vector<Tokens> expected;
      for (const auto& colours : colourings_of(graph_of_input(input, n))) {
        expected.push_back(label_of(colours, n, length));
      }
      EXPECT_EQ(labels, expected);
    }
    std::set<Tokens> tested;
    for (const auto& row : all_of(data.tests().front())) {
      EXPECT_FALSE(training.contains(row.input));
      EXPECT_TRUE(tested.insert(row.input).second) << "each graph once";
      const auto colourings = colourings_of(graph_of_input(row.input, n));
      EXPECT_EQ(row.one_answer, colourings.size() == 1);
      const auto is_label = [&](const Colouring& colours) { return label_of(colours, n, length) == row.label; };
      EXPECT_EQ(std::ranges::count_if(colourings, is_label), 1);
    }
    EXPECT_EQ(tested.size(), 20U);
    EXPECT_EQ(shared_pairs(data).tested, 20);
    EXPECT_EQ(shared_pairs(data).shared, 0);
  }
}

TEST(ColouringData, IsAFunctionOfTheSeedAndTheNumberOfAGraph) {
  const auto graphs = [](std::uint64_t seed, std::int64_t train, std::int64_t test) {
    const ColouringData data(graphs_config(8, train, test), seed);
    std::vector<Tokens> all;
    for (const auto& row : all_of(data.tests().front())) all.push_back(row.input);
    for (const auto& row : all_of(*data.trained())) all.push_back(row.label);
    return all;
  };
  const auto once = graphs(5, 30, 10);
  std::vector<Tokens> other_thread;
  std::thread([&] { other_thread = graphs(5, 30, 10); }).join();
  EXPECT_EQ(once, other_thread);
  EXPECT_NE(once, graphs(6, 30, 10));
  const auto more = graphs(5, 60, 10);
  EXPECT_TRUE(std::equal(once.begin(), once.end(), more.begin())) << "fewer graphs are the first of many";
}

TEST(ColouringData, AnEpochHasEveryRowOnceInAnOrderOfItsOwn) {
  const ColouringData data(graphs_config(8, 10, 5), 0);
  const auto rows = static_cast<std::uint64_t>(data.epoch_length());
  EXPECT_EQ(data.trained()->size, data.epoch_length());
  std::vector<std::vector<std::int64_t>> epochs(2);
  Tokens input(28), label(28);
  std::int32_t id = -1;
  for (std::uint64_t position = 0; position < 2 * rows; ++position) {
    const auto origin = data.example(7, position, input, label, id);
    epochs[position / rows].push_back(origin.item);
    const auto row = data.trained()->at(origin.item);
    ASSERT_EQ(input, row.input);
    ASSERT_EQ(label, row.label);
    ASSERT_EQ(id, 0);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  for (auto& epoch : epochs) {
    std::ranges::sort(epoch);
    for (std::size_t i = 0; i < epoch.size(); ++i) EXPECT_EQ(epoch[i], static_cast<std::int64_t>(i));
  }
}

TEST(ColouringData, EdgesComeWithTheirProbability) {
  RunConfig config;
  config.data = graphs_config(6, 1, 600);
  config.data.edge_probability = 0.3;  // of all graphs; those with many edges are left out, so there are fewer
  const auto info = ColouringData(config.data, 0).describe(config);
  const double mean = info["test"]["mean_edges"];
  EXPECT_GT(mean, 4.0);
  EXPECT_LT(mean, 5.2);  // 15 pairs; only distinct graphs are kept
}

TEST(ColouringData, SaysWhenThereAreNotSoManyGraphs) {
  const auto message = user_error_of([] { ColouringData(graphs_config(4, 60, 20), 0); });
  EXPECT_TRUE(contains(message, "data.train_graphs: expected 60 new graphs")) << message;
  EXPECT_TRUE(contains(message, "found 43")) << "all but K4 of the 64 graphs, without those for tests: " << message;
  EXPECT_TRUE(contains(message, "ask for fewer")) << message;
}

TEST(ColouringScore, CountsConflictsAndWhatIsNoColour) {
  const ColouringData data(graphs_config(4, 5, 5), 0);
  EXPECT_EQ(data.measures().front().key, "valid") << "what training watches";
  const Tokens path{2, 1, 1, 2, 1, 2};  // 0-1-2-3
  const Tokens label{3, 4, 3, 4, kIgnore, kIgnore};
  const auto score = [&](const Tokens& answer) {
    const auto counts = data.score({path, label, answer});
    EXPECT_EQ(counts.size(), 4U);
    EXPECT_EQ(counts[0].total, 1);
    EXPECT_EQ(counts[2].total, 4) << "cells with a label";
    return std::vector{counts[0].hits, counts[1].hits, counts[2].hits, counts[3].hits};
  };
  using Hits = std::vector<std::int64_t>;  // valid, exact, right cells, conflicts
  EXPECT_EQ(score({3, 4, 3, 4, 0, 0}), (Hits{1, 1, 4, 0}));
  EXPECT_EQ(score({3, 4, 3, 4, 5, 2}), (Hits{1, 1, 4, 0})) << "cells behind the vertices are not asked";
  EXPECT_EQ(score({4, 3, 4, 3, 0, 0}), (Hits{1, 0, 0, 0})) << "colours by other names";
  EXPECT_EQ(score({3, 4, 5, 3, 0, 0}), (Hits{1, 0, 2, 0})) << "another colouring";
  EXPECT_EQ(score({3, 3, 3, 4, 0, 0}), (Hits{0, 0, 3, 2}));
  EXPECT_EQ(score({3, 3, 3, 3, 0, 0}), (Hits{0, 0, 2, 3}));
  EXPECT_EQ(score({3, 1, 3, 4, 0, 0}), (Hits{0, 0, 3, 2})) << "no colour: both edges at it conflict";
  EXPECT_EQ(score({1, 2, 0, -7, 0, 0}), (Hits{0, 0, 0, 3}));
  const Tokens no_edges(6, kNoEdge);
  EXPECT_EQ(data.score({no_edges, label, Tokens{6, 3, 3, 3, 0, 0}})[0].hits, 0) << "no conflict, but no colour either";
  EXPECT_EQ(data.score({no_edges, label, Tokens{5, 3, 3, 3, 0, 0}})[0].hits, 1);
}

TEST(ColouringDrawing, ShowsEdgesColoursAndConflicts) {
  const ColouringData data(graphs_config(4, 5, 5), 0);
  const std::vector<DrawnExample> drawn = {{"givens", {2, 1, 1, 2, 1, 2}, {}},
                                           {"step 1", {2, 1, 1, 2, 1, 2}, {3, 4, 4, 1, 0, 0}}};
  EXPECT_EQ(data.draw(drawn, {})->text,
            "givens    step 1\n"
            "-         A\n"
            "x -       x B\n"
            ". x -     . ! B\n"
            ". . x -   . . ! ?\n");
}

}  // namespace
}  // namespace dis
