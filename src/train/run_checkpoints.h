// The checkpoints that a run writes and goes back to, of all ranks.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "dis/dist/ranks.h"
#include "dis/train/checkpoint.h"
#include "dis/train/training_loop.h"

namespace dis {

/// A loss, a weight or a moment is NaN or infinite: on every rank at once.
struct NonFinite {
  std::string what;
};

/// What a checkpoint is made of; the references must outlive whoever has this.
struct RunParts {
  const Ranks& ranks;
  Backbone& model;
  Optimiser& optimiser;
  TrainingLoop& loop;
};

class RunCheckpoints {
 public:
  RunCheckpoints(std::filesystem::path run, std::int64_t keep_last, const RunParts& parts)
      : run_(std::move(run)), keep_last_(keep_last), parts_(parts) {}

  /// On every rank: the latest one on disk is that of `state`; none if it has made no batch.
  void found(const RunState& state) {
    saved_at_ = state.batches > 0 ? state.updates : -1;
    owes_evaluation_ = false;
  }
  bool any() const { return saved_at_ >= 0; }
  bool has(std::int64_t updates) const { return saved_at_ == updates; }
  /// Whether the latest one says that its evaluation is missing.
  bool owes_evaluation() const { return owes_evaluation_; }

  /// The checkpoint of this update; of one that is there already what may have changed since: the evaluation. Throws
  /// NonFinite: then the latest one stays.
  void save(RunState& state);

  /// On rank 0: back to the latest one, past the batches that were made since. Returns its own state.
  RunState go_back(RunState& state);
  /// On rank 0: says on disk that the run went back, so that it goes on so even if it is killed now.
  void keep_going_back(const RunState& state) { update_checkpoint(run_, state, keep_last_); }

 private:
  void write(RunState& state);

  std::filesystem::path run_;
  std::int64_t keep_last_;
  RunParts parts_;
  std::int64_t saved_at_ = -1;
  bool owes_evaluation_ = false;
};

}  // namespace dis
