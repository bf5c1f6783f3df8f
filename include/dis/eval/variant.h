// Names of results under other settings than a network's own, so that these do not replace its scores.
#pragma once

#include <string>

#include "dis/config/config.h"
#include "dis/core/json.h"

namespace dis {

enum class ResultKind { evaluation, analysis };

/// The settings that a result depends on and that differ from the network's own.
struct ResultVariant {
  std::string name;                ///< behind the checkpoint's in the names of files: "-votes=100-halting"; "" for none
  Json settings = Json::object();  ///< {"eval.votes": 100, ...}
};

/// Of a result with `config`, of a network whose own configuration is `own`. What only says how the work is done
/// (eval.batch, threads, device) and what only training reads is left out, and so are paths: data are compared by their
/// content, and `other_data` names those that differ ("" where they are the same). The names are those of the fields,
/// those of other sections than eval in full; "-w1.5" stands for a guidance, "-halting" and "-all-steps" for the end of
/// a row. A value that no file name should have, and too long a name, are hashes.
ResultVariant variant_of(const RunConfig& config, const RunConfig& own, ResultKind kind,
                         const std::string& other_data = "");

/// The name alone, where the settings of evaluation are all that may differ.
std::string variant_name(const EvalConfig& eval, const EvalConfig& own);

/// 8 hexadecimal digits of all that variant_of compares: equal for results under the same settings.
std::string settings_hash(const RunConfig& config, ResultKind kind);

}  // namespace dis
