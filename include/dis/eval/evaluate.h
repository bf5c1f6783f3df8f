// Evaluation of a trained network on test boards: both decoders, every supervision step, as a table and as JSON.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/json.h"
#include "dis/eval/queens_score.h"
#include "dis/train/session.h"

namespace dis {

/// One decoder on one test set.
struct DecoderReport {
  std::string decoder;                ///< "argmax" or "commit"
  QueensScore score;                  ///< of the answers after the last supervision step
  std::vector<AnswerRates> per_step;  ///< [N_sup] the answer after step 1, 2, ...; empty if not asked for
};

struct TestReport {
  std::string test_set;
  std::string meaning;
  std::vector<DecoderReport> decoders;
};

/// Evaluates the session's network on all its test sets as `eval` says.
std::vector<TestReport> evaluate(const Session& session, const EvalConfig& eval);

/// The score that training watches: valid completions of the argmax on the first test set.
double score_of(const std::vector<TestReport>& reports);

/// {test set: {"meaning", decoder: score (queens_score.h) and "per_supervision_step"}}.
Json to_json(const std::vector<TestReport>& reports);

/// Writes <run>/eval/<checkpoint>.json: run, checkpoint, weights ("moving average" or "last"), dtype, test_sets;
/// returns what it wrote.
Json write_evaluation(const std::filesystem::path& run, const std::string& checkpoint, bool averaged,
                      const Session& session, const std::vector<TestReport>& reports);

std::string report_text(const std::vector<TestReport>& reports);

}  // namespace dis
