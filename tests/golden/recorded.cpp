// Recorded batches and settings as the training loops take them.
#include "dis/core/error.h"
#include "golden_case.h"

namespace dis::golden {

RecordedStream::RecordedStream(const Case& golden)
    : shape_{golden.shape().vocabulary, golden.shape().length, golden.shape().identifiers},
      inputs_(golden.at("inputs").to(at::kInt).flatten(0, 1).contiguous()),
      labels_(golden.at("labels").to(at::kInt).flatten(0, 1).contiguous()),
      ids_(golden.at("puzzle_identifiers").to(at::kInt).flatten().contiguous()) {}

Origin RecordedStream::example(std::uint64_t, std::uint64_t position, std::span<std::int32_t> input,
                               std::span<std::int32_t> label, std::int32_t& puzzle_id) const {
  const auto p = static_cast<std::int64_t>(position) % ids_.numel();  // the loop draws ahead
  std::copy_n(inputs_.data_ptr<std::int32_t>() + p * shape_.length, shape_.length, input.begin());
  std::copy_n(labels_.data_ptr<std::int32_t>() + p * shape_.length, shape_.length, label.begin());
  puzzle_id = ids_.data_ptr<std::int32_t>()[p];
  return {};
}

OptimConfig optimiser_of(const Json& hyper, const std::string& name) {
  OptimConfig optim;
  if (name == "adamw") {
    optim.name = OptimiserKind::adamw;
  } else if (name == "adam_atan2") {
    optim.name = OptimiserKind::adam_atan2;
  } else if (name == "adam_atan2_trm") {
    optim.name = OptimiserKind::adam_atan2_trm;
  } else {
    throw UserError("the golden case names an unknown optimiser: " + name);
  }
  optim.lr = hyper.at("lr").get<double>();
  optim.lr_min_ratio = hyper.at("lr_min_ratio").get<double>();
  optim.warmup_steps = hyper.at("lr_warmup_steps").get<std::int64_t>();
  optim.weight_decay = hyper.at("weight_decay").get<double>();
  optim.beta1 = hyper.at("beta1").get<double>();
  optim.beta2 = hyper.at("beta2").get<double>();
  optim.adamw_eps = hyper.value("adamw_eps", optim.adamw_eps);
  optim.puzzle_lr = hyper.at("puzzle_emb_lr").get<double>();
  optim.puzzle_weight_decay = hyper.at("puzzle_emb_weight_decay").get<double>();
  return optim;
}

}  // namespace dis::golden
