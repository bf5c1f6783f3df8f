// The plan's FLOPs against those that the program does, counted from the shapes of its matrix products.
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <string_view>

#include "dis/train/plan.h"
#include "train/observed.h"
#include "train/small_run.h"

namespace dis {
namespace {

double counted = 0.0;

std::unique_ptr<at::ObserverContext> count_product(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  const auto inputs = call.inputs();
  const auto add = [&](const at::Tensor& a, const at::Tensor& b) {  // [.., m, k] x [.., k, n]
    counted += 2.0 * static_cast<double>(a.numel() * b.size(-1));
  };
  if (name == "aten::mm" || name == "aten::bmm") add(inputs[0].toTensor(), inputs[1].toTensor());
  if (name == "aten::addmm" || name == "aten::addmm_") add(inputs[1].toTensor(), inputs[2].toTensor());
  return nullptr;
}

/// FLOPs of the matrix products of a batch in which every lane does all its supervision steps.
double flops_of_batch(SmallRun& run) {
  const OneThread one;
  const ComposedOperations composed;  // whose calls can be observed
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(&count_product).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  counted = 0.0;
  run.loop.run(run.config.method.num_supervision);
  at::removeCallback(handle);
  return counted;
}

TEST(Flops, AreThoseOfThePlan) {
  for (const auto algorithm : {Algorithm::dis, Algorithm::trm, Algorithm::hrm}) {
    for (const bool mlp_t : {false, true}) {
      for (const auto& [T, n] : {std::pair{1, 2}, {3, 6}, {2, 2}}) {
        SCOPED_TRACE(to_string(algorithm) + (mlp_t ? ", mlp_t" : "") + ", T " + std::to_string(T) + ", n " +
                     std::to_string(n));
        auto config = algorithm == Algorithm::dis ? small_config() : small_baseline(algorithm);
        config.model.H_cycles = T;
        config.model.L_cycles = n;
        config.model.num_layers = 2;
        config.model.mlp_t = mlp_t;
        SmallRun run(frozen(config));
        const auto& shape = run.model.shape();
        const auto passes = passes_per_sample(shape);
        const auto N = static_cast<double>(shape.supervision), S = static_cast<double>(shape.positions()),
                   D = static_cast<double>(config.model.hidden_size),
                   lanes = static_cast<double>(config.train.global_batch);
        double wanted = flops_per_sample(shape, passes);
        // What the plan leaves out. The heads, forward and back:
        wanted += N * 3 * 2 * S * D * static_cast<double>(shape.vocabulary);
        if (shape.halting) wanted += N * 3 * 2 * D * 2;
        if (shape.hierarchical) wanted += N * 2 * D * 2;  // the continue head's target asks once more
        // A puzzle row's gradient is the sum over the lanes of its puzzle.
        wanted += N * 2 * lanes * static_cast<double>(config.model.puzzle_emb_ndim);
        EXPECT_EQ(flops_of_batch(run) / lanes, wanted);
      }
    }
  }
}

TEST(Flops, OfOneStateGrowWithThePassesThatCarryGradient) {
  std::vector<double> found;
  for (const std::int64_t with_gradient : {1, 2, 4}) {
    auto config = small_config();
    config.model.states = StateCount::one;
    config.model.H_cycles = 2;
    config.model.gradient_passes = with_gradient;
    SmallRun run(frozen(config));
    const auto& shape = run.model.shape();
    EXPECT_EQ(passes_per_sample(shape).forward, 4 * shape.supervision);
    EXPECT_EQ(passes_per_sample(shape).backward, with_gradient * shape.supervision);
    found.push_back(flops_of_batch(run) / static_cast<double>(config.train.global_batch) -
                    flops_per_sample(shape, passes_per_sample(shape)));
  }
  EXPECT_EQ(found[0], found[1]) << "the heads and the puzzle's gradient, which the plan leaves out";
  EXPECT_EQ(found[0], found[2]);
}

}  // namespace
}  // namespace dis
