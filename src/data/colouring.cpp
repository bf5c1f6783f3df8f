#include "dis/data/colouring.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "content_hash.h"
#include "dis/core/error.h"
#include "dis/data/boards/board_text.h"
#include "dis/data/shared_pairs.h"

namespace dis {
namespace {

/// Number of the pair (a, b), a < b, in the input of n vertices.
std::size_t pair_number(int n, int a, int b) { return static_cast<std::size_t>(a * (2 * n - a - 1) / 2 + b - a - 1); }

/// Tries every colour on `vertex` that no neighbour before it has, and goes on with the next one.
void colour_from(const Graph& graph, int vertex, int used, Colouring& colours, std::vector<Colouring>& found) {
  if (vertex == graph.vertices) {
    found.push_back(colours);
    return;
  }
  for (int colour = 0; colour <= std::min(used, kVertexColours - 1); ++colour) {
    bool free = true;
    for (int other = 0; other < vertex && free; ++other) {
      free = !graph.joins(other, vertex) || colours[static_cast<std::size_t>(other)] != colour;
    }
    if (!free) continue;
    colours[static_cast<std::size_t>(vertex)] = static_cast<std::int8_t>(colour);
    colour_from(graph, vertex + 1, std::max(used, colour + 1), colours, found);
  }
  colours[static_cast<std::size_t>(vertex)] = 0;
}

bool is_vertex_colour(std::int32_t token) { return token >= kFirstColour && token < kFirstColour + kVertexColours; }

/// Whether the ends of an edge have two different colours.
bool differ(std::int32_t a, std::int32_t b) { return is_vertex_colour(a) && is_vertex_colour(b) && a != b; }

/// The table of a graph: a line a vertex, its edges to those before it and its colour.
TextBlock table_of(int n, const DrawnExample& example) {
  TextBlock block{example.title, {}, 2 * n - 1};
  const auto colour_of = [&](int vertex) {
    return example.answer.empty() ? kNoEdge : example.answer[static_cast<std::size_t>(vertex)];
  };
  for (int vertex = 0; vertex < n; ++vertex) {
    std::string line;
    for (int other = 0; other < vertex; ++other) {
      const bool edge = example.input[pair_number(n, other, vertex)] == kEdge;
      const bool wrong = edge && !example.answer.empty() && !differ(colour_of(other), colour_of(vertex));
      line += edge ? (wrong ? "! " : "x ") : ". ";
    }
    const auto colour = colour_of(vertex);
    line += is_vertex_colour(colour) ? static_cast<char>('A' + colour - kFirstColour)
            : example.answer.empty() ? '-'
                                     : '?';
    line.resize(static_cast<std::size_t>(block.width), ' ');
    block.lines.push_back(std::move(line));
  }
  return block;
}

std::string split_text(const Json& split) {
  const auto& by = split["by_colourings"];
  std::ostringstream text;
  text << "  graphs            " << split["graphs"] << ", " << split["mean_edges"].get<double>()
       << " edges on average\n"
       << "  rows              " << split["rows"] << "\n"
       << "  by colourings     one: " << by["one"] << "  two or three: " << by["two_or_three"]
       << "  more: " << by["more"] << "\n";
  return text.str();
}

}  // namespace

bool Graph::joins(int a, int b) const { return (edges >> pair_number(vertices, a, b) & 1U) != 0; }

std::vector<Colouring> colourings_of(const Graph& graph) {
  std::vector<Colouring> found;
  Colouring colours{};
  colour_from(graph, 0, 0, colours, found);
  return found;
}

namespace {

/// Draws graphs that can be coloured, each only once.
class GraphDrawer {
 public:
  struct Drawn {
    std::uint64_t edges = 0;
    std::vector<Colouring> colourings;
    std::size_t chosen = 0;  // one of them
  };

  GraphDrawer(const DataConfig& config, std::uint64_t seed) : config_(config), seed_(seed) {}

  /// `count` graphs that were not drawn before. A graph is a function of (seed, purpose, its number among all drawn).
  std::vector<Drawn> graphs(Purpose purpose, std::int64_t count, const std::string& field) {
    std::vector<Drawn> found;
    std::int64_t misses = 0, rows = 0;
    for (std::uint64_t number = 0; std::cmp_less(found.size(), count); ++number) {
      Draws draws(seed_, purpose, 0, number);
      Graph graph{static_cast<int>(config_.vertices), 0};
      const auto pairs = graph.vertices * (graph.vertices - 1) / 2;
      for (int pair = 0; pair < pairs; ++pair) {
        if (draws.uniform() < config_.edge_probability) graph.edges |= std::uint64_t{1} << pair;
      }
      auto colourings = drawn_.contains(graph.edges) ? std::vector<Colouring>() : colourings_of(graph);
      if (!colourings.empty()) {
        drawn_.insert(graph.edges);
        const auto chosen = draws.below(static_cast<std::uint32_t>(colourings.size()));
        rows += std::ssize(colourings);
        if (purpose == Purpose::train_boards && rows > kMostRows) refuse_rows(std::ssize(found) + 1);
        found.push_back({graph.edges, std::move(colourings), chosen});
        misses = 0;
      } else if (++misses == kMostMisses) {
        refuse(field, std::ssize(found), count);
      }
    }
    return found;
  }

 private:
  static constexpr std::int64_t kMostMisses = 200'000;  // a fraction of a second

  static constexpr std::int64_t kMostRows = 20'000'000;  // half a gigabyte

  [[noreturn]] void refuse_rows(std::int64_t graphs) const {
    throw UserError("data.train_graphs: expected at most " + std::to_string(kMostRows) +
                    " colourings in all, found more on the first " + std::to_string(graphs) +
                    " graphs with data.vertices = " + std::to_string(config_.vertices) +
                    " and data.edge_probability = " + Json(config_.edge_probability).dump() +
                    ": ask for fewer graphs, fewer vertices, or more edges");
  }

  [[noreturn]] void refuse(const std::string& field, std::int64_t found, std::int64_t count) const {
    throw UserError(field + ": expected " + std::to_string(count) +
                    " new graphs that three colours suffice for, found " + std::to_string(found) +
                    " with data.vertices = " + std::to_string(config_.vertices) +
                    " and data.edge_probability = " + Json(config_.edge_probability).dump() +
                    ": ask for fewer, or for another probability (test graphs are drawn first)");
  }

  const DataConfig& config_;
  std::uint64_t seed_;
  std::unordered_set<std::uint64_t> drawn_;
};

}  // namespace

// The purposes are those of boards: a run has one kind of data.
ColouringData::ColouringData(const DataConfig& config, std::uint64_t seed) : config_(config) {
  ensure(config.vertices > 2 && config.vertices <= kMostVertices, "ColouringData", "3 to kMostVertices vertices");
  GraphDrawer drawer(config, seed);
  for (const auto& graph : drawer.graphs(Purpose::test_boards, config.test_graphs, "data.test_graphs")) {
    tests_.push_back({graph.edges, graph.colourings[graph.chosen], static_cast<std::int32_t>(graph.colourings.size())});
  }
  for (const auto& graph : drawer.graphs(Purpose::train_boards, config.train_graphs, "data.train_graphs")) {
    for (const auto& colours : graph.colourings) {
      training_.push_back({graph.edges, colours, static_cast<std::int32_t>(graph.colourings.size())});
    }
  }
}

DataShape ColouringData::shape() const {
  return {.vocabulary = kFirstColour + kVertexColours,
          .length = config_.vertices * (config_.vertices - 1) / 2,
          .identifiers = 1};
}

void ColouringData::write(const Row& row, std::span<std::int32_t> input, std::span<std::int32_t> label) const {
  const auto cells = static_cast<std::size_t>(shape().length);
  ensure(input.size() == cells && label.size() == cells, "ColouringData::write", "fields of n (n - 1) / 2 cells");
  for (std::size_t pair = 0; pair < cells; ++pair) input[pair] = (row.edges >> pair & 1U) != 0 ? kEdge : kNoEdge;
  std::ranges::fill(label, kIgnore);
  for (std::size_t vertex = 0; std::cmp_less(vertex, config_.vertices); ++vertex) {
    label[vertex] = kFirstColour + row.colours[vertex];
  }
}

Origin ColouringData::example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                              std::span<std::int32_t> label, std::int32_t& puzzle_id) const {
  const auto rows = static_cast<std::uint64_t>(epoch_length());
  const auto row = permuted_index(seed, Purpose::order, position / rows, rows, position % rows);
  write(training_[row], input, label);
  puzzle_id = 0;
  return {.item = static_cast<std::int64_t>(row)};
}

std::string ColouringData::identifier(std::int64_t index) const {
  ensure(index == 0, "ColouringData::identifier", "the blank identifier 0, the only one");
  return "<blank>";
}

PairList ColouringData::pairs_of(const std::string& unit, const std::vector<Row>& rows) const {
  PairList list{{}, [unit](std::int64_t number) { return unit + " " + std::to_string(number); }};
  std::vector<std::int32_t> input(static_cast<std::size_t>(shape().length)), label(input.size());
  for (const auto& row : rows) {
    write(row, input, label);
    list.keys.push_back(row_pair_key(input, {}));
  }
  return list;
}

PairList ColouringData::trained_pairs() const { return pairs_of("training row", training_); }

PairList ColouringData::tested_pairs() const { return pairs_of("graph", tests_); }

std::vector<ContentHash> ColouringData::content() const {
  const auto hash_of = [](const std::vector<Row>& rows) {
    Sha256 hash;
    for (const auto& row : rows) {
      hash.update(std::as_bytes(std::span(&row.edges, 1)));
      hash.update(std::as_bytes(std::span(row.colours)));
    }
    return short_hash(hash);
  };
  return {{"graphs", hash_of(training_), hash_of(tests_), false}};
}

ExampleList ColouringData::list_of(const std::string& name, const std::string& unit,
                                   const std::vector<Row>& rows) const {
  const auto at = [this, &rows](std::int64_t number) {
    const auto& row = rows.at(static_cast<std::size_t>(number));
    const auto length = static_cast<std::size_t>(shape().length);
    Example example{.input = std::vector<std::int32_t>(length),
                    .label = std::vector<std::int32_t>(length),
                    .one_answer = row.colourings == 1,
                    .note = std::to_string(row.colourings)};
    write(row, example.input, example.label);
    return example;
  };
  return {name, unit, std::ssize(rows), at};
}

std::optional<ExampleList> ColouringData::trained() const { return list_of("training", "row", training_); }

std::vector<ExampleList> ColouringData::tests() const { return {list_of("test", "graph", tests_)}; }

std::vector<Measure> ColouringData::measures() const {
  std::vector<Measure> all{{"valid", "valid", Measure::Kind::share}};
  std::ranges::move(DataSet::measures(), std::back_inserter(all));
  all.push_back({"conflicts", "conflicts", Measure::Kind::amount});
  return all;
}

std::vector<MeasureCount> ColouringData::score(const AnsweredRow& row) const {
  const auto& [input, label, answer, test] = row;
  const auto n = static_cast<int>(config_.vertices);
  const auto against_label = DataSet::score(row);  // compares the lengths, too
  std::int64_t conflicts = 0;
  for (int a = 0; a < n; ++a) {
    for (int b = a + 1; b < n; ++b) {
      const bool fine = input[pair_number(n, a, b)] != kEdge ||
                        differ(answer[static_cast<std::size_t>(a)], answer[static_cast<std::size_t>(b)]);
      conflicts += fine ? 0 : 1;
    }
  }
  const bool coloured = std::ranges::all_of(answer.first(static_cast<std::size_t>(n)), is_vertex_colour);
  return {{conflicts == 0 && coloured ? 1 : 0, 1}, against_label.at(0), against_label.at(1), {conflicts, 1}};
}

std::optional<bool> ColouringData::obeys_rules(std::span<const std::int32_t> input,
                                               std::span<const std::int32_t> answer) const {
  return score({input, input, answer}).front().hits == 1;
}

Json ColouringData::describe(const RunConfig& config) const {
  const auto counts = [](const std::vector<Row>& rows) {
    std::int64_t graphs = 0, edges = 0, one = 0, few = 0, more = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i > 0 && rows[i].edges == rows[i - 1].edges) continue;
      ++graphs;
      edges += std::popcount(rows[i].edges);
      ++(rows[i].colourings == 1 ? one : rows[i].colourings <= 3 ? few : more);
    }
    return Json{{"graphs", graphs},
                {"rows", rows.size()},
                {"mean_edges", static_cast<double>(edges) / static_cast<double>(graphs)},
                {"by_colourings", {{"one", one}, {"two_or_three", few}, {"more", more}}}};
  };
  return {{"kind", to_string(config.data.kind)},
          {"vertices", config_.vertices},
          {"edge_probability", config_.edge_probability},
          {"seed", config.run.seed},
          {"training", counts(training_)},
          {"test", counts(tests_)},
          {"trained_test_pairs", to_json(shared_pairs(*this))}};
}

std::string ColouringData::description_text(const Json& description) const {
  return "Graphs of " + description["vertices"].dump() + " vertices, edges with probability " +
         description["edge_probability"].dump() + ", seed " + description["seed"].dump() + "\n\ntraining\n" +
         split_text(description["training"]) + "\ntest\n" + split_text(description["test"]) +
         leak_check_text(description["trained_test_pairs"]);
}

std::optional<Drawing> ColouringData::draw(std::span<const DrawnExample> examples, const TextStyle& style) const {
  std::vector<TextBlock> blocks;
  for (const auto& example : examples) blocks.push_back(table_of(static_cast<int>(config_.vertices), example));
  return Drawing{
      "a line a vertex, A B C: its colour, x: an edge to one before it, !: one whose ends do not differ; "
      "#number: colourings",
      side_by_side(blocks, style.width)};
}

}  // namespace dis
