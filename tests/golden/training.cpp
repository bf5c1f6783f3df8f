// Cases with recorded DIS training: the loss of every supervision step, the learning rates, the final weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dis/train/training_loop.h"
#include "golden_case.h"
#include "settings.h"

namespace dis::golden {
namespace {

void check_run(const Case& golden, const std::string& optimiser_name, const std::string& feedback) {
  const auto run = optimiser_name + "." + feedback;
  SCOPED_TRACE(run);
  const auto& hyper = golden.json().at("hyper");
  auto model = golden.network();
  const RecordedStream stream(golden);
  const auto N = model.shape().supervision;
  const auto batches = golden.at("inputs").size(0), lanes = golden.at("inputs").size(1);

  RunConfig config;
  auto& method = config.method;
  method.num_supervision = N;
  method.feedback = feedback_of(feedback);
  read_method(golden.json(), method);
  config.train.global_batch = lanes;
  Optimiser optimiser(optimiser_of(hyper, optimiser_name), hyper.at("total_steps").get<std::int64_t>(),
                      model.weights());

  // Frames 1..N are recorded; frame 0 is the input.
  const auto inputs = golden.at("inputs").to(at::kInt).unsqueeze(2);
  const auto frames = at::cat({inputs, golden.at("targets").to(at::kInt)}, 2).flatten(0, 1).contiguous();
  const FrameSource source = [&](std::uint64_t first, const Batch& batch) {
    const auto size = frames[0].numel();
    const auto* begin = frames.data_ptr<std::int32_t>() + static_cast<std::int64_t>(first) % frames.size(0) * size;
    return std::vector<std::int32_t>(begin, begin + batch.lanes * size);
  };
  const Ranks alone;
  TrainingLoop loop(config, alone, stream, {source, nullptr}, model, optimiser);
  std::vector<double> losses, rates;
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    for (std::int64_t s = 0; s < N; ++s) {
      const auto records = loop.run(1);
      double sum = 0.0;
      for (const double loss : records.loss) sum += loss;
      losses.push_back(sum / static_cast<double>(lanes));
      rates.push_back(optimiser.last_rate());
    }
  }
  expect_close(run + "/losses", at::tensor(losses), golden.at(run + "/losses"), golden.tolerance("losses"));
  if (method.update == Update::per_step) {
    expect_close("learning_rates", at::tensor(rates), golden.at("learning_rates"), {1e-9, 1e-6});
  }
  for (const auto& spec : model.weights().table()) {
    const auto name = run + "/final/" + spec.name;
    if (golden.has(name)) {
      expect_close(name, *model.weights().find(spec.name), golden.at(name), golden.tolerance("final_weights"));
    } else {
      EXPECT_TRUE(spec.name.ends_with("_init")) << "the golden case lacks " << name;
    }
  }
}

}  // namespace

void check_training(const Case& golden) {
  auto settings = method_settings();
  settings.insert({"config", "hyper", "optimisers", "time", "puzzle_positions"});
  expect_no_other_settings(golden.json(), settings);
  expect_network_settings(golden);
  expect_optimiser_settings(golden);
  std::set<std::pair<std::string, std::string>> runs;
  for (const auto& [name, tensor] : golden.tensors()) {
    const auto dot = name.find('.'), slash = name.find("/losses");
    if (slash != std::string::npos && dot < slash) {
      runs.emplace(name.substr(0, dot), name.substr(dot + 1, slash - dot - 1));
    }
  }
  ASSERT_FALSE(runs.empty());
  const auto stated = golden.json().value("optimisers", Json::object());
  for (const auto& [name, meaning] : stated.items()) {
    EXPECT_TRUE(std::ranges::any_of(runs, [&](const auto& run) { return run.first == name; }))
        << "the case states the optimiser " << name << ", but holds no losses of it";
  }
  for (const auto& [optimiser, feedback] : runs) check_run(golden, optimiser, feedback);
}

}  // namespace dis::golden
