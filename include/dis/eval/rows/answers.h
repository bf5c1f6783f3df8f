// One answer to each row, as the settings of an evaluation say: the plain one, or the chosen of several rollouts.
#pragma once

#include <cstdint>
#include <vector>

#include "dis/eval/rows/decode.h"
#include "dis/eval/rows/rollouts.h"
#include "dis/train/session.h"

namespace dis {

struct RowAnswers {
  std::vector<std::int32_t> tokens;  ///< [rows, L]
  std::vector<float> halting;        ///< [rows] logit of the halting head; empty: of `commit` there is none
};

/// `decode`: decode_settings(session, eval). Boards are answered by the decoder `commit` unless eval.decoder = argmax.
RowAnswers answers_to(const Session& session, const EvalConfig& eval, const DecodeSettings& decode,
                      const AskedRows& rows);

/// How eval.commit_* have the decoder `commit` draw, K rollouts of each board.
CommitDraws commit_draws(const EvalConfig& eval, std::int64_t rollouts);

}  // namespace dis
