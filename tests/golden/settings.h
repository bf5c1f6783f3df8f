// The settings that a case's JSON states. A check says which it honours, and fails on any other: one that is ignored
// would let it pass for what it did not check.
#pragma once

#include <set>
#include <string>

#include "dis/config/config.h"
#include "golden_case.h"

namespace dis::golden {

using Names = std::set<std::string>;

/// Fails the running test for every setting of the case's top level that is not in `honoured`. Text in several words,
/// lists, and names of what only describes a case (meaning, seed, sensitivity, ...) are no settings.
void expect_no_other_settings(const Json& json, const Names& honoured);

/// The same for an object of which every key is a setting, as "config" and "hyper".
void expect_no_other_keys(const std::string& where, const Json& object, const Names& honoured);

/// Fails the running test if `object` states another value than the only one that the check can honour.
void expect_if_stated(const Json& object, const std::string& key, const Json& value);

/// The network's "config" of a case [.., B, L], but for what concerns halting: its keys, and those of one value.
void expect_network_settings(const Case& golden);

/// The optimiser's "hyper" of a case with recorded training.
void expect_optimiser_settings(const Case& golden);

/// "loss", "update", "step_weights" and "objective", as far as they are stated (method_settings names them); a value is
/// the first word. UserError: an unknown value.
void read_method(const Json& json, MethodConfig& method);
Names method_settings();

/// "time" where it is stated, else what the weights say. UserError: an unknown value.
TimeEmbedding time_of(const Case& golden);

/// "prediction" or "input". UserError: neither.
Feedback feedback_of(const std::string& name);

}  // namespace dis::golden
