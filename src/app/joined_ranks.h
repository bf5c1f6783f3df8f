// What commands that run on several ranks have in common.
#pragma once

#include <memory>

#include "dis/app/build_info.h"
#include "dis/core/log.h"
#include "dis/train/session.h"

namespace dis {

/// Joins the ranks; those behind the first report errors only.
inline std::shared_ptr<const Ranks> join_ranks(const RunConfig& config) {
  if (find_place().rank > 0) log_errors_only();
  std::string build = build_info::version;
  for (const char* part : {build_info::torch, build_info::build_type, build_info::compiler}) {
    build += ' ';
    build += part;
  }
  return join_ranks(config, build);
}

/// Calls f; should it fail, the other ranks, who would wait in vain, learn why.
template <class F>
void with_last_words(const Ranks& ranks, F f) {
  try {
    f();
  } catch (const RankFailure&) {
    throw;
  } catch (const std::exception& error) {
    ranks.fail(error.what());
    throw;
  }
}

}  // namespace dis
