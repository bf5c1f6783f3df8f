#include "dis/train/session.h"

#include "dis/config/fields.h"
#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/core/memory.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/boards/nqueens.h"
#include "dis/data/open_data.h"
#include "dis/train/trajectory_items.h"

namespace dis {
namespace {

std::shared_ptr<const Trajectories> trajectories(const RunConfig& config, const TrainingStream& data) {
  if (config.method.targets != TargetKind::trajectory) return nullptr;
  const auto read = [&](const TrajectoryItems& items) {
    auto found = std::make_shared<Trajectories>(config.method.trajectory_file, items, config.method.trajectory_missing);
    if (found->missing_count() > 0) {
      log_info(std::to_string(found->missing_count()) + " of " + std::to_string(items.count) +
               " training examples have no trajectory and are taught their label at every step");
    }
    return found;
  };
  if (const auto* boards = dynamic_cast<const NQueensData*>(&data)) return read(trajectory_items(*boards));
  if (const auto* arc = dynamic_cast<const ArcData*>(&data)) return read(trajectory_items(*arc));
  throw UserError("method.targets = trajectory needs data.kind = nqueens or arc, found " + to_string(config.data.kind));
}

}  // namespace

RunConfig without_trajectories(RunConfig config) {
  if (config.method.targets == TargetKind::trajectory) config.method.targets = TargetKind::label;
  return config;
}

ModelShape model_shape(const RunConfig& config, const DataShape& data, const TargetBuilder& targets) {
  ModelShape shape;
  shape.config = config.model;
  if (shape.config.puzzle_emb_ndim == 0) shape.config.puzzle_emb_ndim = shape.config.hidden_size;
  shape.vocabulary = targets.vocabulary();
  shape.answers = data.vocabulary;
  shape.length = data.length;
  shape.identifiers = data.identifiers;
  shape.supervision = config.method.num_supervision;
  shape.time = config.method.time;
  shape.random_start = config.method.start == Start::random;
  shape.damping = config.method.damping;
  shape.most_steps = config.eval.steps;
  shape.halting = config.method.algorithm != Algorithm::dis;
  shape.hierarchical = config.method.algorithm == Algorithm::hrm;
  return shape;
}

std::shared_ptr<const Ranks> join_ranks(const RunConfig& config, const std::string& build) {
  const auto place = find_place();
  auto ranks = std::make_shared<const Ranks>(place, config.dist, set_up_compute(config.compute, place).device);
  std::vector<std::pair<std::string, std::string>> texts{{"the build", build}};
  for (const auto& section : sections()) {
    for (const auto& field : section.fields) {
      if (field.path != "compute.threads") texts.emplace_back(field.path, field.get(config).dump());
    }
  }
  require_same(*ranks, texts);
  return ranks;
}

void check_shares(const RunConfig& config, const Ranks& ranks, const std::string& name) {
  const auto batch = config.train.global_batch;
  const auto unit = ranks.size() * (config.dist.deterministic ? config.dist.chunk : 1);
  if (batch % unit != 0) {
    std::string message = name + " = " + std::to_string(batch);
    message += " cannot be shared evenly: it must be a multiple of the " + std::to_string(ranks.size()) + " ranks";
    if (config.dist.deterministic) message += " times dist.chunk = " + std::to_string(config.dist.chunk);
    message += ", as " + std::to_string((batch + unit - 1) / unit * unit);
    throw UserError(message);
  }
}

Session open_session(const RunConfig& config, std::shared_ptr<const Ranks> ranks) {
  const auto compute = set_up_compute(config.compute, ranks->place());
  Session s{config, compute, std::move(ranks), nullptr, nullptr, nullptr};
  const auto advice = kind_of(config.data).smaller(config.data);
  s.data = with_memory_advice("reading the data", advice, [&] { return open_data(config); });
  s.targets = std::make_unique<TargetBuilder>(config.method, s.data->shape(), trajectories(config, *s.data));
  return s;
}

Session make_session(const RunConfig& config, std::shared_ptr<const Ranks> ranks) {
  auto s = open_session(config, std::move(ranks));
  const auto seed = static_cast<std::uint64_t>(config.run.seed);
  with_memory_advice("building the network",
                     "use a smaller one (model.hidden_size), or fewer puzzle rows (data.augmentations)", [&] {
                       s.model = std::make_unique<Backbone>(model_shape(config, s.data->shape(), *s.targets), seed,
                                                            s.compute.device, s.compute.type);
                     });
  return s;
}

RunConfig run_config(const std::filesystem::path& run, const std::vector<std::string>& overrides) {
  const auto file = run / "config.json";
  if (!std::filesystem::exists(file) && std::filesystem::exists(run / ".lock")) {
    throw UserError("'" + run.string() +
                    "' holds a start that was broken off before its config.json was written: begin again with the same "
                    "command, without --resume");
  }
  if (!std::filesystem::exists(file)) {
    throw UserError("'" + run.string() +
                    "' is not a run folder: it has no config.json; expected a folder that `dis train "
                    "--run-dir` made");
  }
  return load_config(file, overrides);
}

}  // namespace dis
