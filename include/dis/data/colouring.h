// Graph colouring: each vertex of a graph gets one of three colours, and no edge has two ends of one colour.
//
//   input   the pairs of vertices (0, 1), (0, 2), ..., (n - 2, n - 1): 1 no edge, 2 an edge. L = n (n - 1) / 2 cells
//   label   3 + the colour of vertex v in cell v, v = 0..n-1; the cells behind carry no loss
//
// The vocabulary is 6, with the pad 0. Colourings that differ in the names of the colours only are one colouring,
// written in the canonical form: vertex 0 has colour 0, and a colour that comes new is the smallest one unused.
//
// Graphs are Erdos-Renyi graphs: each edge is there with probability data.edge_probability. Kept are those that three
// colours suffice for, each once, and no training graph is a test graph (as inputs: one may be the other with its
// vertices renumbered). A training graph gives a row for each of its colourings; a test graph one row, whose label is
// one of them, each equally likely.
//
// Answers are scored by what colourings are for: "valid", the share of graphs with n colours and no conflict; then
// "exact" and "token_accuracy", against the one label; then "conflicts", the number of edges whose ends do not have two
// different colours. A cell that is no colour differs from none: all edges at it conflict.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/random.h"
#include "dis/data/dataset.h"

namespace dis {

inline constexpr int kMostVertices = 11;
inline constexpr int kVertexColours = 3;
inline constexpr std::int32_t kNoEdge = 1;
inline constexpr std::int32_t kEdge = 2;
inline constexpr std::int32_t kFirstColour = 3;  ///< token of colour 0

struct Graph {
  int vertices = 0;         ///< n, at most kMostVertices
  std::uint64_t edges = 0;  ///< bit i: pair i of the input is an edge

  /// Whether an edge joins a and b, a < b.
  bool joins(int a, int b) const;
};

/// Colours 0..kVertexColours-1 of the vertices; 0 behind the last one.
using Colouring = std::array<std::int8_t, kMostVertices>;

/// Every colouring of the graph in the canonical form, in ascending order; none where three colours do not suffice.
std::vector<Colouring> colourings_of(const Graph& graph);

class ColouringData : public DataSet {
 public:
  /// Draws all graphs. `seed` (run.seed) decides them: graph by graph, so that fewer are the first of many.
  /// UserError: there are not as many graphs as asked for.
  ColouringData(const DataConfig& config, std::uint64_t seed);

  DataShape shape() const override;
  /// Every row once an epoch. Origin::item is the number of the row; there is no augmentation.
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override;
  void augment(const Origin&, std::span<std::int32_t>) const override {}
  std::string identifier(std::int64_t index) const override;
  std::int64_t epoch_length() const override { return std::ssize(training_); }
  /// By the graphs alone: who has seen one colouring of a graph has seen an answer.
  PairList trained_pairs() const override;
  PairList tested_pairs() const override;
  std::vector<ContentHash> content() const override;

  std::optional<ExampleList> trained() const override;
  std::vector<ExampleList> tests() const override;
  std::vector<Measure> measures() const override;
  std::vector<MeasureCount> score(const AnsweredRow& row) const override;
  /// A colouring without conflicts.
  std::optional<bool> obeys_rules(std::span<const std::int32_t> input,
                                  std::span<const std::int32_t> answer) const override;
  /// {"kind", "vertices", "edge_probability", "seed", "training" and "test": {"graphs", "rows", "mean_edges",
  /// "by_colourings": {"one", "two_or_three", "more"}}, "trained_test_pairs": shared_pairs()}
  Json describe(const RunConfig& config) const override;
  std::string description_text(const Json& description) const override;
  /// As the lower half of a table of vertices against vertices, with the colours on the diagonal.
  std::optional<Drawing> draw(std::span<const DrawnExample> examples, const TextStyle& style) const override;

 private:
  struct Row {
    std::uint64_t edges = 0;
    Colouring colours{};
    std::int32_t colourings = 0;  // of the graph
  };

  Graph graph_of(const Row& row) const { return {static_cast<int>(config_.vertices), row.edges}; }
  void write(const Row& row, std::span<std::int32_t> input, std::span<std::int32_t> label) const;
  ExampleList list_of(const std::string& name, const std::string& unit, const std::vector<Row>& rows) const;
  PairList pairs_of(const std::string& unit, const std::vector<Row>& rows) const;

  DataConfig config_;
  std::vector<Row> training_;  // all colourings of a graph stand together
  std::vector<Row> tests_;
};

}  // namespace dis
