#include "settings.h"

#include <gtest/gtest.h>

#include <map>

#include "dis/core/error.h"

namespace dis::golden {
namespace {

const Names kDescriptions = {"name", "what", "made_by", "tolerance", "notes", "meaning", "tensors", "sensitivity"};

bool describes(const std::string& key, const Json& value) {
  if (kDescriptions.contains(key) || value.is_array()) return true;
  for (const char* start : {"seed", "smallest_", "largest_", "change_under_"}) {
    if (key.starts_with(start)) return true;
  }
  return value.is_string() && value.get<std::string>().find(' ') != std::string::npos;
}

/// The first word of a text, which may go on to explain itself.
std::string word_of(const Json& json, const std::string& key) {
  const auto text = json.at(key).get<std::string>();
  return text.substr(0, text.find_first_of(" ,:;"));
}

template <class Choice>
Choice choose(const std::string& key, const std::string& word, const std::map<std::string, Choice>& choices) {
  const auto found = choices.find(word);
  if (found == choices.end()) throw UserError("the golden case has " + key + " = " + word + ", which no check knows");
  return found->second;
}

template <class Choice>
void read_choice(const Json& json, const std::string& key, const std::map<std::string, Choice>& choices,
                 Choice& choice) {
  if (json.contains(key)) choice = choose(key, word_of(json, key), choices);
}

}  // namespace

void expect_no_other_settings(const Json& json, const Names& honoured) {
  for (const auto& [key, value] : json.items()) {
    EXPECT_TRUE(honoured.contains(key) || describes(key, value))
        << "the case states " << key << " = " << value.dump().substr(0, 80) << ", which its check does not honour";
  }
}

void expect_no_other_keys(const std::string& where, const Json& object, const Names& honoured) {
  for (const auto& [key, value] : object.items()) {
    EXPECT_TRUE(honoured.contains(key)) << "the case states " << where << "." << key << " = "
                                        << value.dump().substr(0, 80) << ", which its check does not honour";
  }
}

void expect_if_stated(const Json& object, const std::string& key, const Json& value) {
  if (!object.contains(key)) return;
  EXPECT_EQ(object.at(key), value) << key << ": the check can do nothing else";
}

void expect_network_settings(const Case& golden) {
  const auto& config = golden.json().at("config");
  expect_no_other_keys("config", config, {"hidden_size",    "L_layers",
                                          "H_layers",       "num_heads",
                                          "expansion",      "H_cycles",
                                          "L_cycles",       "puzzle_emb_ndim",
                                          "puzzle_emb_len", "rope_theta",
                                          "rms_norm_eps",   "vocab_size",
                                          "seq_len",        "num_puzzle_identifiers",
                                          "halt_max_steps", "mlp_t",
                                          "batch_size",     "pos_encodings",
                                          "forward_dtype",  "halt_exploration_prob",
                                          "no_ACT_continue"});
  const auto& inputs = golden.at("inputs");
  expect_if_stated(config, "batch_size", inputs.size(inputs.dim() - 2));
  expect_if_stated(config, "seq_len", inputs.size(inputs.dim() - 1));
  expect_if_stated(config, "forward_dtype", "float32");
  const auto shape = golden.shape();
  if (!shape.config.mlp_t) expect_if_stated(config, "pos_encodings", "rope");
  // TRM's one stack has L_layers; of HRM's two, both have as many here.
  if (shape.hierarchical) expect_if_stated(config, "H_layers", shape.config.num_layers);
  expect_if_stated(golden.json(), "puzzle_positions", shape.config.puzzle_emb_len);
}

void expect_optimiser_settings(const Case& golden) {
  const auto& hyper = golden.json().at("hyper");
  expect_no_other_keys("hyper", hyper,
                       {"lr", "lr_min_ratio", "lr_warmup_steps", "weight_decay", "beta1", "beta2", "adamw_eps",
                        "puzzle_emb_lr", "puzzle_emb_weight_decay", "total_steps", "global_batch_size"});
  expect_if_stated(hyper, "global_batch_size", golden.at("inputs").size(1));
}

Names method_settings() { return {"loss", "update", "step_weights", "objective"}; }

void read_method(const Json& json, MethodConfig& method) {
  read_choice<LossKind>(json, "loss", {{"stablemax", LossKind::stablemax}, {"softmax", LossKind::softmax}},
                        method.loss);
  read_choice<Update>(json, "update", {{"per_step", Update::per_step}, {"accumulated", Update::accumulated}},
                      method.update);
  read_choice<StepWeights>(json, "step_weights", {{"uniform", StepWeights::uniform}, {"linear", StepWeights::linear}},
                           method.step_weights);
  read_choice<Objective>(json, "objective", {{"single", Objective::single}, {"dual", Objective::dual}},
                         method.objective);
}

TimeEmbedding time_of(const Case& golden) {
  const bool table = golden.has("model.inner.timestep_embed.embedding_weight");
  auto time = table ? TimeEmbedding::integer : TimeEmbedding::none;
  read_choice<TimeEmbedding>(
      golden.json(), "time",
      {{"integer", TimeEmbedding::integer}, {"continuous", TimeEmbedding::continuous}, {"none", TimeEmbedding::none}},
      time);
  return time;
}

Feedback feedback_of(const std::string& name) {
  return choose<Feedback>("feedback", name, {{"prediction", Feedback::prediction}, {"input", Feedback::input}});
}

}  // namespace dis::golden
