#include "dis/eval/votes/arc_solution.h"

#include <algorithm>

#include "../kind_evaluation.h"
#include "dis/core/error.h"
#include "dis/eval/votes/arc_voting.h"
#include "dis/eval/votes/crop.h"

namespace dis {
namespace {

GridMark mark_of(const Grid& answer, const std::optional<Grid>& truth) {
  if (!truth) return GridMark::none;
  return answer == *truth ? GridMark::right : GridMark::wrong;
}

/// The answers of the base puzzle to one test input, one a supervision step.
std::vector<GridPanel> steps_of(const Session& session, const ArcData& data, const EvalConfig& eval,
                                const ArcTestRow& row, const std::optional<Grid>& truth) {
  const auto length = static_cast<std::size_t>(data.shape().length);
  std::vector<std::int32_t> input(length), label(length);
  data.test_fields(row, input, label);
  const auto answers = answer_rows(*session.model, decode_settings(session, eval), input, {data.identifier_of(row)},
                                   evaluated_steps(session, eval));
  std::vector<GridPanel> panels;
  for (std::size_t s = 0; s < answers.steps.size(); ++s) {
    const auto grid = crop_prediction(std::span<const std::int32_t>(answers.steps[s]), data.puzzles().side());
    panels.push_back({"step " + std::to_string(s + 1), grid, "", mark_of(grid, truth)});
  }
  return panels;
}

}  // namespace

GridScene solution_scene(const Session& session, const EvalConfig& eval, const std::string& id) {
  const auto* data = dynamic_cast<const ArcData*>(session.data.get());
  if (data == nullptr)
    throw UserError("pictures of solutions are for ARC, found data.kind = " + to_string(session.config.data.kind));
  const auto& groups = data->puzzles().groups();
  const auto found =
      std::ranges::find_if(groups, [&](const ArcGroup& g) { return g.task.id == id && !g.test_pairs.empty(); });
  if (found == groups.end()) {
    throw UserError("no task " + id + " in data.test_set = " + data->puzzles().settings().test_set +
                    " (with grids of up to " + std::to_string(data->puzzles().side()) + " rows and columns)");
  }
  const auto election = election_of(data->puzzles(), {found - groups.begin()}, eval.votes);
  const auto book = vote(session, *data, election, {.eval = eval});

  GridScene scene{"Task " + id, {}};
  for (int test = 0; test < std::ssize(found->test_pairs); ++test) {
    const auto& pair = found->task.pairs[static_cast<std::size_t>(found->test_pairs[static_cast<std::size_t>(test)])];
    const std::string name = found->test_pairs.size() > 1 ? "test input " + std::to_string(test + 1) : "test input";
    GridRow steps{name + ": the base puzzle, step by step", {{"input", pair.input}}};
    for (auto& panel : steps_of(session, *data, eval, {election.groups[0], found->first_puzzle, test}, pair.output)) {
      steps.panels.push_back(std::move(panel));
    }
    scene.rows.push_back(std::move(steps));
    GridRow votes{std::to_string(book.votes(test)) + " votes, " + std::to_string(book.distinct(test)) + " candidates",
                  {}};
    for (const auto& candidate : book.ranking(test, 2)) {
      votes.panels.push_back({"candidate " + std::to_string(votes.panels.size() + 1), candidate.grid,
                              std::to_string(candidate.votes) + " votes", mark_of(candidate.grid, pair.output)});
    }
    votes.panels.push_back({"truth", pair.output});
    scene.rows.push_back(std::move(votes));
  }
  return scene;
}

}  // namespace dis
