// Cases of single parts: the optimisers and schedules, the path targets and the loss against them.
#include <gtest/gtest.h>

#include <sstream>

#include "dis/model/loss_of.h"
#include "dis/model/reference.h"
#include "dis/ops/adam.h"
#include "dis/ops/cross_entropy.h"
#include "dis/ops/muon.h"
#include "dis/ops/sign_sgd.h"
#include "dis/train/schedule.h"
#include "dis/train/targets.h"
#include "golden_case.h"
#include "settings.h"

namespace dis::golden {

void check_optimisers(const Case& golden) {
  expect_no_other_settings(golden.json(), {"hyper", "schedule", "optimisers"});
  const auto& hyper = golden.json().at("hyper");
  expect_no_other_keys(
      "hyper", hyper,
      {"lr", "weight_decay", "beta1", "beta2", "adamw_eps", "ema_rate", "puzzle_lr", "puzzle_weight_decay"});
  expect_no_other_keys("schedule", golden.json().at("schedule"), {"base", "warmup", "total", "min_ratio"});
  const auto tolerance = golden.tolerance();
  const auto& grads = golden.at("grads");
  for (const auto& [name, form] : {std::pair{"adamw", AdamForm::adamw},
                                   {"adam_atan2", AdamForm::adam_atan2},
                                   {"adam_atan2_trm", AdamForm::adam_atan2_trm}}) {
    const std::string prefix = name;
    const auto stated = golden.json().value("optimisers", Json::object());
    EXPECT_TRUE(!stated.contains(name) || golden.has(prefix + "/p")) << "no numbers of the stated optimiser " << name;
    if (!golden.has(prefix + "/p")) continue;
    AdamSettings settings;
    settings.form = form;
    settings.lr = hyper.at("lr").get<double>();
    settings.weight_decay = hyper.at("weight_decay").get<double>();
    settings.beta1 = hyper.at("beta1").get<double>();
    settings.beta2 = hyper.at("beta2").get<double>();
    settings.epsilon = hyper.value("adamw_eps", settings.epsilon);
    settings.ema_rate = hyper.at("ema_rate").get<double>();
    const auto p = golden.at("start").clone();
    const AdamBuffers buffers{p,         at::zeros_like(p),  at::zeros_like(p), at::zeros_like(p),
                              p.clone(), p.to(at::kBFloat16)};
    for (std::int64_t t = 0; t < grads.size(0); ++t) {
      auto g = buffers.g;
      g.copy_(grads[t]);
      adam_update(buffers, form, adam_scalars(settings, t + 1));
      const auto at_step = " after step " + std::to_string(t + 1);
      expect_close(prefix + "/p" + at_step, p, golden.at(prefix + "/p")[t], tolerance);
      expect_close(prefix + "/ema" + at_step, buffers.ema, golden.at(prefix + "/ema")[t], tolerance);
      EXPECT_TRUE(buffers.copy.equal(p.to(at::kBFloat16))) << prefix << at_step;
    }
  }
  const auto rows = golden.at("sparse/start").clone();
  for (std::int64_t t = 0; t < golden.at("sparse/ids").size(0); ++t) {
    sparse_sign_sgd(rows, golden.at("sparse/ids")[t].to(at::kInt), golden.at("sparse/grads")[t],
                    sign_sgd_rates(hyper.at("puzzle_lr").get<double>(), hyper.at("puzzle_weight_decay").get<double>()));
    expect_close("sparse/rows after step " + std::to_string(t + 1), rows, golden.at("sparse/rows")[t], tolerance);
  }
  const auto& schedule = golden.json().at("schedule");
  OptimConfig optim;
  optim.warmup_steps = schedule.at("warmup").get<std::int64_t>();
  optim.lr_min_ratio = schedule.at("min_ratio").get<double>();
  std::vector<double> rates;
  for (std::int64_t step = 1; step <= golden.at("schedule/lr").numel(); ++step) {
    rates.push_back(schedule.at("base").get<double>() *
                    learning_rate_factor(optim, step, schedule.at("total").get<std::int64_t>()));
  }
  expect_close("schedule/lr", at::tensor(rates), golden.at("schedule/lr"), {1e-9, 1e-6});
}

void check_muon(const Case& golden) {
  expect_no_other_settings(golden.json(), {"hyper"});
  const auto& hyper = golden.json().at("hyper");
  expect_no_other_keys("hyper", hyper,
                       {"lr", "weight_decay", "momentum", "nesterov", "ns_steps", "matched_adamw_rms", "adjust_lr_fn"});
  OptimConfig config;
  // The official code calls "keller" what brings matrices to one norm.
  config.muon_form = hyper.contains("adjust_lr_fn") ? MuonForm::normed : MuonForm::urm;
  EXPECT_EQ(hyper.value("adjust_lr_fn", "keller"), "keller");
  EXPECT_EQ(hyper.value("matched_adamw_rms", 0.2), 0.2);
  EXPECT_TRUE(hyper.at("nesterov").get<bool>());
  config.muon_momentum = hyper.at("momentum").get<double>();
  config.muon_steps = hyper.at("ns_steps").get<std::int64_t>();
  const auto scalars = muon_scalars(hyper.at("lr").get<double>(), hyper.at("weight_decay").get<double>());
  const auto name = [](char what, int matrix, int step) {
    std::ostringstream text;
    text << what << matrix << '/' << step;
    return text.str();
  };
  for (int matrix = 0; golden.has(name('p', matrix, 0)); ++matrix) {
    const auto p = golden.at(name('p', matrix, 0)).clone(), m = at::zeros_like(p);
    for (int step = 1; golden.has(name('g', matrix, step)); ++step) {
      muon_update(p, golden.at(name('g', matrix, step)), m, config, scalars);
      expect_close(name('p', matrix, step), p, golden.at(name('p', matrix, step)), golden.tolerance());
    }
  }
}

void check_conv_swiglu(const Case& golden) {
  expect_no_other_settings(golden.json(), {"config"});
  expect_no_other_keys("config", golden.json().at("config"), {"hidden_size", "expansion", "kernel"});
  expect_if_stated(golden.json().at("config"), "kernel", 2);
  const auto leaf = [&](const std::string& name) { return golden.at(name).clone().requires_grad_(); };
  const std::vector<std::string> names = {"gate_up_proj.weight", "dwconv.weight", "dwconv.bias", "down_proj.weight"};
  HalfWeights weights;
  for (const auto& name : names) weights.push_back(leaf("weights." + name));
  ModelShape shape;
  shape.config.hidden_size = golden.json().at("config").at("hidden_size").get<std::int64_t>();
  shape.config.expansion = golden.json().at("config").at("expansion").get<double>();
  EXPECT_EQ(weights[3].sizes(), (std::vector<std::int64_t>{shape.config.hidden_size, shape.inner()}));
  const auto x = leaf("x");
  const auto y = reference::conv_swiglu(x, weights);
  expect_close("y", y.detach(), golden.at("y"), golden.tolerance());
  y.backward(golden.at("upstream"));
  expect_close("grad.x", x.grad(), golden.at("grad.x"), golden.tolerance());
  for (std::size_t i = 0; i < names.size(); ++i) {
    expect_close("grad." + names[i], weights[i].grad(), golden.at("grad." + names[i]), golden.tolerance());
  }
}

void check_path_targets(const Case& golden) {
  expect_no_other_settings(golden.json(), {"N", "loss", "path_cells"});
  expect_if_stated(golden.json(), "path_cells", "all");
  const auto N = golden.json().at("N").get<std::int64_t>();
  const auto inputs = golden.at("inputs").to(at::kInt).contiguous();
  const auto labels = golden.at("labels").to(at::kInt).contiguous();
  const auto scores = golden.at("scores").to(at::kDouble).contiguous();
  const auto& logits = golden.at("logits");
  const auto rows = static_cast<std::size_t>(inputs.size(0)), length = static_cast<std::size_t>(inputs.size(1));
  auto frames = at::empty({inputs.size(0), N + 1, inputs.size(1)}, at::kInt);
  const auto size = static_cast<std::size_t>(N + 1) * length;
  for (std::size_t row = 0; row < rows; ++row) {
    path_frames({inputs.data_ptr<std::int32_t>() + row * length, length},
                {labels.data_ptr<std::int32_t>() + row * length, length},
                {scores.data_ptr<double>() + row * length, length}, N, PathCells::all,
                {frames.data_ptr<std::int32_t>() + row * size, size});
  }
  const auto valid = golden.at("valid").to(at::kBool);
  EXPECT_TRUE((frames >= 0).equal(valid));
  EXPECT_TRUE(frames.masked_select(valid).equal(golden.at("frames").to(at::kInt).masked_select(valid)));
  MethodConfig method;
  read_method(golden.json(), method);
  for (std::int64_t s = 1; s <= N; ++s) {
    const auto ce = cross_entropy(logits, frames.select(1, s).contiguous(), {}, loss_of(method), logits.size(2));
    expect_close("losses of frame " + std::to_string(s), ce.loss, golden.at("losses")[s - 1], golden.tolerance());
  }
}

}  // namespace dis::golden
