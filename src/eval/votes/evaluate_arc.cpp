// ARC tasks: the answers after each supervision step, and the vote over all augmentations.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <iterator>

#include "../kind_evaluation.h"
#include "dis/core/clock.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/sha256.h"
#include "dis/data/arc/arc_data.h"
#include "dis/eval/rows/test_rows.h"
#include "dis/eval/votes/arc_score.h"
#include "dis/eval/votes/arc_voting.h"
#include "dis/eval/votes/rescoring.h"
#include "dis/eval/votes/submission.h"

namespace dis {
namespace {

void add(Sha256& hash, const at::Tensor& floats) {
  if (!floats.defined()) return;
  const auto values = floats.cpu().contiguous();
  hash.update(std::as_bytes(std::span(values.data_ptr<float>(), static_cast<std::size_t>(values.numel()))));
}

/// What makes two evaluations the same one, so that votes of the one count in the other: weights, test inputs, puzzles,
/// and all that a prediction's rounding depends on.
std::string fingerprint_of(const Session& session, const ArcData& data, const EvalConfig& eval,
                           const ArcElection& election) {
  const auto& weights = session.model->weights();
  Sha256 hash;
  add(hash, weights.flat());
  add(hash, weights.master().puzzle);
  add(hash, weights.master().y_init);
  add(hash, weights.master().z_init);
  for (const auto& input : test_inputs(election.tasks)) hash.update(to_text(input.pair->input) + ";");
  for (std::size_t i = 0; i < election.rows.size(); ++i) {
    const auto name = data.identifier(data.identifier_of(election.rows[i]));
    hash.update(name + " " + std::to_string(data.identifier_of(election.rows[i])) + " " +
                std::to_string(election.tests[i]) + ";");
  }
  const auto config = to_json(session.config);
  Json what = {{"hash", hash.hex()},
               {"max_grid", data.puzzles().side()},
               {"model", config["model"]},
               {"method", config["method"]},
               {"dtype", session.compute.type == at::kBFloat16 ? "bfloat16" : "float32"},
               {"device", session.compute.device.str()},
               {"threads", at::get_num_threads()},
               {"batch", eval.batch}};
  if (eval.guidance != 1.0) what["guidance"] = eval.guidance;  // without it votes of before there was any still count
  if (eval.halting) what["halting"] = true;
  const EvalConfig plain;
  if (eval.rollouts != plain.rollouts || eval.steps != plain.steps || eval.noise != plain.noise ||
      eval.start != plain.start) {
    const auto all = config["eval"];
    for (const auto* name : {"rollouts", "steps", "noise", "noise_state", "noise_place", "start", "select"}) {
      what[name] = all[name];
    }
    what["seed"] = session.config.run.seed;
  }
  return json_text(what);
}

/// The base puzzles of the evaluated tasks, without any vote: answers against labels after each supervision step.
StepScores base_puzzle_scores(const Session& session, const EvalConfig& eval) {
  const auto all = test_rows(session, eval);
  RowBatch bases;
  for (std::int64_t i = 0; i < all->size(); ++i) {
    if (!all->original(i)) continue;
    const auto row = all->read(i, 1);
    bases.inputs.insert(bases.inputs.end(), row.inputs.begin(), row.inputs.end());
    bases.labels.insert(bases.labels.end(), row.labels.begin(), row.labels.end());
    bases.ids.push_back(row.ids.front());
  }
  const auto steps = evaluated_steps(session, eval);
  StepScores scores(*session.data, steps);
  scores.add(answer_rows(*session.model, decode_settings(session, eval), bases.inputs, bases.ids, steps), bases);
  return scores;
}

struct RankedVotes {
  VoteBook book;
  std::vector<RescoredTest> candidates;  ///< the first ones, as votes rank them
};

/// Votes, and asks for the candidates' log-probabilities if they are ranked by them: each gets half of the time.
RankedVotes vote_and_rank(const Session& session, const ArcData& data, const ArcElection& election,
                          const VotingSettings& settings) {
  constexpr std::int64_t kRescored = 20;  // candidates of a test input, at least
  const auto rank = settings.eval.rank;
  auto voting = settings;
  if (rank != CandidateRank::votes && voting.deadline > 0.0) {
    voting.deadline -= std::max(0.0, voting.deadline - steady_seconds()) / 2.0;
  }
  RankedVotes ranked{vote(session, data, election, voting), {}};
  ranked.candidates = first_candidates(ranked.book, std::max(kRescored, settings.eval.attempts));
  if (rank != CandidateRank::votes) {
    if (settings.partial && session.ranks->first()) settings.partial(ranked.book);
    rescore(session, data, election, settings, ranked.candidates);
    if (session.ranks->first()) rank_candidates(ranked.book, ranked.candidates, rank);  // who has all votes
  }
  return ranked;
}

/// The scores without the tasks whose answers training saw.
void add_unseen(Evaluation& evaluation, const ArcElection& election, const VoteBook& book, const SeenPairs& seen,
                std::uint64_t seed) {
  const auto split = split_seen(election.tasks, seen.pairs);
  evaluation.seen = split.pairs;
  if (split.seen.empty()) return;
  const auto score = score_arc(split.unseen, book, {.vote_counts = {}, .seed = seed});
  const auto all = to_json(score);
  evaluation.json["arc"]["unseen"] = {{"tasks", score.tasks}, {"left_out", split.seen}, {"pass_at", all.at("pass_at")}};
  if (score.tasks == 0 || score.pass_at.size() < 2) return;
  evaluation.report += "unseen (without the " + std::to_string(split.seen.size()) +
                       " tasks whose answers training saw): " + "pass@1 " + rate_text(score.pass_at[0].tasks) +
                       ", pass@2 " + rate_text(score.pass_at[1].tasks) + " of " + std::to_string(score.tasks) +
                       " tasks\n";
}

}  // namespace

Evaluation evaluate_arc(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  const auto& data = data_as<ArcData>(session);
  const auto seed = static_cast<std::uint64_t>(session.config.run.seed);
  auto election = plan_election(data.puzzles(), eval.tasks, eval.votes, seed);
  if (target.deadline > 0.0) vote_evenly(election, data.puzzles());
  const auto fingerprint = fingerprint_of(session, data, eval, election);
  // Named after it, so that another evaluation does not end the votes of this one.
  const auto votes_file = target.folder / (target.name + "-" + sha256_hex(fingerprint).substr(0, 8) + ".votes");
  const bool writes = session.ranks->first();
  const auto write = [&](const std::filesystem::path& file, const VoteBook& votes) {
    auto tasks = election.tasks;
    auto attempts = best_grids(votes, eval.attempts);
    if (eval.tasks == 0) {
      std::ranges::move(data.puzzles().left_out_tests(), std::back_inserter(tasks));
      attempts.resize(test_inputs(tasks).size());  // places without an answer
    }
    write_submission(file, tasks, attempts, eval.attempts);
  };
  VotingSettings settings{eval,
                          writes ? votes_file : std::filesystem::path(),
                          fingerprint,
                          target.interruptible,
                          target.while_training,
                          target.deadline};
  if (!target.partial.empty()) settings.partial = [&](const VoteBook& votes) { write(target.partial, votes); };
  const auto [book, candidates] = vote_and_rank(session, data, election, settings);
  ArcScoreSettings scored{.seed = seed};
  if (eval.rank != CandidateRank::votes) scored.vote_counts.clear();  // of fewer votes only their number is known
  const auto score = score_arc(election.tasks, book, scored);

  Evaluation evaluation;
  evaluation.json["arc"] = {{"test_set", data.puzzles().settings().test_set},
                            {"max_grid", data.puzzles().side()},
                            {"votes_per_test_input", eval.votes}};
  if (eval.rank != CandidateRank::votes) evaluation.json["arc"]["rank"] = to_string(eval.rank);
  evaluation.json["arc"].update(to_json(score));
  evaluation.report = report_text(score);
  if (target.seen_pairs) add_unseen(evaluation, election, book, *target.seen_pairs, seed);
  if (eval.per_step) {
    const auto scores = base_puzzle_scores(session, eval);
    evaluation.json.update(to_json(scores, true));
    evaluation.report += "\nThe base puzzles alone, without votes\n" + step_table(scores);
  }
  if (writes) {
    write_or_keep(target.folder / (target.name + "_tasks.csv"), table_csv(score));
    write(target.folder / (target.name + "_submission.json"), book);
    write_or_keep(target.folder / (target.name + "_candidates.json"),
                  json_file_text(candidates_json(election.tasks, book, candidates), -1));
  }
  evaluation.kept_votes = votes_file;
  if (!score.pass_at.empty()) {
    const auto pass2 = score.pass_at.at(1).tasks;
    evaluation.summary = "pass@2 " + rate_text(pass2) + " of " + std::to_string(score.tasks) + " tasks (" +
                         std::to_string(score.predictions) + " votes)";
    evaluation.score = pass2.value();
  }
  return evaluation;
}

}  // namespace dis
