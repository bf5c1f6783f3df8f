// Targets that depend on the network: `confident`.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dis/model/loss_of.h"
#include "dis/model/supervision_step.h"
#include "dis/ops/reference.h"
#include "train/small_run.h"

namespace dis {
namespace {

RunConfig confident(Objective objective) {
  auto config = small_config();
  config.method.targets = TargetKind::confident;
  config.method.objective = objective;
  return config;
}

TEST(Confident, CellsTurnInTheOrderOfTheirLabelsProbability) {
  MethodConfig method;
  method.targets = TargetKind::confident;
  method.num_supervision = 4;
  const TargetBuilder builder(method, {9, 6, 1});
  ASSERT_TRUE(builder.generator().asks_network());
  EXPECT_THROW(builder.generator().frames(Draws(0, Purpose::targets, 0, 0), {}, RandomPuzzles(), {}), std::logic_error);
  // Cell 1 has no label and cell 2 does not differ; of the others 3 and 5 are equally sure, and the first goes first.
  const auto inputs = torch::tensor({1, 1, 1, 1, 1, 1}, at::kInt).view({1, 6});
  const auto labels = torch::tensor({5, kIgnore, 1, 6, 7, 8}, at::kInt).view({1, 6});
  const auto log_p = torch::tensor({-3.0, -0.1, -0.2, -1.0, -0.5, -1.0}, at::kDouble).view({1, 6});
  const std::vector<std::vector<int>> frames = {{1, kIgnore, 1, 1, 1, 1},
                                                {1, kIgnore, 1, 1, 7, 1},
                                                {1, kIgnore, 1, 6, 7, 1},
                                                {1, kIgnore, 1, 6, 7, 8},
                                                {5, kIgnore, 1, 6, 7, 8}};
  for (int s = 0; s <= 4; ++s) {
    const auto step = torch::tensor({s}, at::kInt);
    const auto frame = builder.generator().frame({inputs, labels, step, log_p}, step);
    EXPECT_TRUE(frame.equal(torch::tensor(frames[static_cast<std::size_t>(s)], at::kInt).view({1, 6}))) << s << frame;
  }
}

/// The frame of step `s` of one lane, by sorting: the cells' certainties come from the readout of y.
at::Tensor frame_by_hand(const SmallRun& run, const at::Tensor& y, const Batch& batch, std::int64_t lane,
                         std::int64_t s) {
  const auto cells = run.model.readout(y.narrow(0, lane, 1)).slice(1, run.model.shape().config.puzzle_emb_len)[0];
  std::vector<std::pair<double, std::int64_t>> differing;  // -log p, cell
  std::vector<std::int32_t> frame;
  for (std::int64_t cell = 0; cell < batch.length; ++cell) {
    const auto at = static_cast<std::size_t>(lane * batch.length + cell);
    const auto label = batch.labels[at];
    frame.push_back(label == kIgnore ? kIgnore : batch.inputs[at]);
    if (label == kIgnore || label == batch.inputs[at]) continue;
    const auto target = torch::tensor({label}, at::kInt).view({1, 1});
    differing.emplace_back(reference::cross_entropy(cells[cell].view({1, 1, -1}), target, Loss{}).item<double>(), cell);
  }
  std::ranges::stable_sort(differing);
  const auto shown = s * std::ssize(differing) / run.config.method.num_supervision;
  for (std::int64_t i = 0; i < shown; ++i) {
    const auto cell = differing[static_cast<std::size_t>(i)].second;
    frame[static_cast<std::size_t>(cell)] = batch.labels[static_cast<std::size_t>(lane * batch.length + cell)];
  }
  return torch::tensor(frame, at::kInt).unsqueeze(0);
}

TEST(Confident, LossesAreThoseOfTheFramesThatTheNetworkOrders) {
  for (const auto objective : {Objective::single, Objective::dual}) {
    SmallRun run(frozen(confident(objective)));
    const auto batch = draw_batch(run.stream, 0, 0, run.config.train.global_batch);
    const auto tokens = torch::tensor(batch.inputs, at::kInt).view({batch.lanes, -1});
    const auto rows = run.model.puzzle_embeddings(torch::tensor(batch.puzzle_ids, at::kInt));
    auto states = run.model.initial_states(batch.lanes);
    const auto cells_of = [&](const at::Tensor& y, std::int64_t lane) {
      return run.model.readout(y.narrow(0, lane, 1)).slice(1, run.model.shape().config.puzzle_emb_len);
    };
    bool differs = false;  // from the frames of `path`, which do not ask
    for (std::int64_t s = 1; s <= run.config.method.num_supervision; ++s) {
      const auto records = run.loop.run(1);
      const at::NoGradGuard no_grad;
      const auto number = at::full({batch.lanes}, s, at::kInt);
      const auto after = supervision_step(run.model, {tokens, rows, number}, states).states;
      for (std::int64_t lane = 0; lane < batch.lanes; ++lane) {
        const auto frame = frame_by_hand(run, states.y, batch, lane, s);
        auto loss = reference::cross_entropy(cells_of(after.y, lane), frame, Loss{}).item<double>();
        if (objective == Objective::dual) {
          const auto before = frame_by_hand(run, states.y, batch, lane, s - 1);
          loss += reference::cross_entropy(cells_of(states.y, lane), before, Loss{}).item<double>();
        }
        EXPECT_NEAR(records.loss[static_cast<std::size_t>(lane)], loss, 1e-5) << "step " << s << ", lane " << lane;
        differs = differs || !frame.equal(frame_by_hand(run, after.y, batch, lane, s));
      }
      states = after;
    }
    EXPECT_TRUE(differs) << "the order changes from step to step, or the test shows nothing";
  }
}

}  // namespace
}  // namespace dis
