// Where a rollout left its siblings: the rollouts of a row begin alike, and at some step one of them takes another way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/train/session.h"

namespace dis {

struct SiblingAnalysis {
  std::int64_t rollouts = 0, rows = 0;
  std::int64_t agreed = 0;           ///< rows whose rollouts all end with one answer
  std::vector<std::int64_t> left;    ///< [D] rollouts that left the row's most frequent last answer at step s
  std::vector<std::int64_t> better;  ///< [D] those of them that are right where that answer is wrong
  std::vector<std::int64_t> worse;   ///< [D] and the other way round
};

/// The step at which a rollout left: the first after which no labelled answer of it is again one that a rollout of the
/// majority had after the same step. `answers` [D, K, L] after steps 1..D, `label` [L]; `majority` [K]: which rollouts
/// end with the most frequent answer. 1..D.
std::int64_t leaving_step(const std::vector<std::vector<std::int32_t>>& answers, std::int64_t rollout,
                          const std::vector<bool>& majority, const std::vector<std::int32_t>& label);

/// Of the rows that config.eval chooses, with config.eval.rollouts of each.
SiblingAnalysis analyze_siblings(const Session& session);

/// {"rollouts", "rows", "agreed": rate, "steps": [{"step", "left", "better", "worse"}]}
Json to_json(const SiblingAnalysis& siblings);
std::string siblings_text(const SiblingAnalysis& siblings);

}  // namespace dis
