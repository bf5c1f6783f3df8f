#include "dis/train/session.h"

#include "dis/core/error.h"

namespace dis {
namespace {

std::shared_ptr<const Trajectories> trajectories(const RunConfig& config, const NQueensData& data) {
  if (config.method.targets != TargetKind::trajectory) return nullptr;
  const auto read = [&](std::int64_t item, std::span<std::int32_t> input, std::span<std::int32_t> label) {
    const auto board = data.item(item);
    std::copy(board.input.begin(), board.input.end(), input.begin());
    std::copy(board.label.begin(), board.label.end(), label.begin());
  };
  return std::make_shared<Trajectories>(config.method.trajectory_file, data.shape(), data.items(), read);
}

}  // namespace

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
  return shape;
}

Session make_session(const RunConfig& config) {
  Session s{config, resolve_compute(config.compute), nullptr, nullptr, nullptr};
  const auto seed = static_cast<std::uint64_t>(config.run.seed);
  s.data = std::make_unique<NQueensData>(config.data, seed);
  s.targets = std::make_unique<TargetBuilder>(config.method, s.data->shape(), trajectories(config, *s.data));
  s.model = std::make_unique<Backbone>(model_shape(config, s.data->shape(), *s.targets), seed, s.compute.device,
                                       s.compute.type);
  return s;
}

RunConfig run_config(const std::filesystem::path& run, const std::vector<std::string>& overrides) {
  const auto file = run / "config.json";
  if (!std::filesystem::exists(file)) {
    throw UserError("'" + run.string() +
                    "' is not a run folder: it has no config.json; expected a folder that `dis train "
                    "--run-dir` made");
  }
  return load_config(file, overrides);
}

}  // namespace dis
