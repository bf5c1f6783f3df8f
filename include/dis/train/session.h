// What training and evaluation of a configuration stand on: data, targets, network.
#pragma once

#include <filesystem>
#include <memory>

#include "dis/config/config.h"
#include "dis/data/dataset.h"
#include "dis/dist/ranks.h"
#include "dis/model/backbone.h"
#include "dis/train/compute.h"
#include "dis/train/targets.h"

namespace dis {

struct Session {
  RunConfig config;
  Compute compute;
  std::shared_ptr<const Ranks> ranks;  ///< never null
  std::unique_ptr<DataSet> data;
  std::unique_ptr<TargetBuilder> targets;
  std::unique_ptr<Backbone> model;
};

/// The data as what they are: for work that is for one kind only, as ArcData's votes.
template <class Data>
const Data& data_as(const Session& session) {
  return dynamic_cast<const Data&>(*session.data);
}

/// Joins the ranks that this process's launcher started; one process without a launcher. UserError: as of Ranks; the
/// ranks' configurations or builds differ.
std::shared_ptr<const Ranks> join_ranks(const RunConfig& config, const std::string& build);

/// UserError: train.global_batch, which the message calls `batch`, cannot be shared evenly among the ranks.
void check_shares(const RunConfig& config, const Ranks& ranks, const std::string& batch = "train.global_batch");

/// The same, taught the label where trajectories from a file were the targets: for work that needs none, and that the
/// file may be gone by. The vocabulary is the same.
RunConfig without_trajectories(RunConfig config);

/// Generates or reads the data and makes the network with its initial weights. UserError as of the parts.
Session make_session(const RunConfig& config, std::shared_ptr<const Ranks> ranks = std::make_shared<const Ranks>());
/// The same without the network.
Session open_session(const RunConfig& config, std::shared_ptr<const Ranks> ranks = std::make_shared<const Ranks>());

/// The network's sizes for data of this shape.
ModelShape model_shape(const RunConfig& config, const DataShape& data, const TargetBuilder& targets);

/// The complete configuration that a run folder holds. UserError: no such folder, or not a run.
RunConfig run_config(const std::filesystem::path& run, const std::vector<std::string>& overrides);

}  // namespace dis
