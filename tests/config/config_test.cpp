// Defaults, files, extends, overrides, round trip.
#include "dis/config/config.h"

#include <gtest/gtest.h>

#include "config/temporary_files.h"
#include "dis/config/fields.h"
#include "dis/core/json.h"

namespace dis {
namespace {

/// A configuration in which every field differs from its default, where it can.
RunConfig all_changed() {
  RunConfig config;
  for (const Section& section : sections()) {
    for (const Field& field : section.fields) {
      Json value;
      switch (field.kind) {
        case FieldKind::integer:
          value = field.fallback == field.highest ? field.lowest : field.highest;
          break;
        case FieldKind::real:
          value = field.lowest.get<double>() + (field.highest.get<double>() - field.lowest.get<double>()) / 3.0;
          break;
        case FieldKind::flag:
          value = !field.fallback.get<bool>();
          break;
        case FieldKind::text:
          value = "a \"quoted\" = text, \xC3\xA9";
          break;
        case FieldKind::choice:
          value = field.fallback == field.choices.front() ? field.choices.back() : field.choices.front();
          break;
      }
      EXPECT_EQ(value_problem(field, value), "") << field.path;
      field.set(field, config, value);
    }
  }
  return config;
}

TEST(Config, DefaultsAreTheDeclaredOnes) {
  const RunConfig config;
  EXPECT_EQ(config.run.seed, 0);
  EXPECT_EQ(config.model.hidden_size, 256);
  EXPECT_EQ(config.model.rms_norm_eps, 1e-5);
  EXPECT_TRUE(config.model.puzzle_embedding);
  EXPECT_EQ(config.method.targets, TargetKind::path);
  EXPECT_EQ(config.optim.name, OptimiserKind::adam_atan2);
  EXPECT_EQ(config, load_config(""));
  EXPECT_EQ(config, parse_config(Json::object(), "empty"));
}

TEST(Config, EveryDefaultIsAllowedAndRangesOfIntegersAreExactAsDoubles) {
  for (const Section& section : sections()) {
    for (const Field& field : section.fields) {
      EXPECT_EQ(value_problem(field, field.fallback), "") << field.path;
      if (field.kind != FieldKind::integer) continue;
      EXPECT_LT(field.highest, std::int64_t{1} << 53) << field.path;
      EXPECT_GT(field.lowest, -(std::int64_t{1} << 53)) << field.path;
    }
  }
}

TEST(Config, ChoicesAreSpelledAsTheirEnumerators) {
  EXPECT_EQ(to_string(Split::authors), "authors");
  EXPECT_EQ(to_string(Split::orbits), "orbits");
  EXPECT_EQ(to_string(OptimiserKind::adam_atan2_trm), "adam_atan2_trm");
  EXPECT_EQ(to_string(DeviceKind::automatic), "automatic");
}

TEST(Config, SectionsAndTopLevelFieldsAreRead) {
  const Json document = Json::parse(R"({"$schema": "x", "seed": 7, "name": "n", "model": {"hidden_size": 64,
      "rope_theta": 500}, "method": {"targets": "mask"}, "train": {"keep_best": true, "steps": 6e4}})");
  RunConfig expected;
  expected.run = {.seed = 7, .name = "n"};
  expected.model.hidden_size = 64;
  expected.model.rope_theta = 500.0;
  expected.method.targets = TargetKind::mask;
  expected.train.keep_best = true;
  expected.train.steps = 60000;
  EXPECT_EQ(parse_config(document, "test"), expected);
}

TEST(Config, EachFieldMattersToEquality) {
  const RunConfig changed = all_changed();
  for (const Section& section : sections()) {
    for (const Field& field : section.fields) {
      if (field.choices.size() == 1) continue;  // nothing else to set it to
      RunConfig config;
      field.set(field, config, field.get(changed));
      EXPECT_NE(config, RunConfig{}) << field.path;
    }
  }
}

TEST(Config, RoundTripIsExact) {
  const RunConfig changed = all_changed();
  EXPECT_EQ(parse_config(Json::parse(to_json(changed).dump()), "changed"), changed);
  RunConfig real;
  real.optim.lr = 0.1 + 0.2;
  real.optim.adamw_eps = 4.9406564584124654e-324;
  real.run.seed = 9007199254740991;
  EXPECT_EQ(parse_config(Json::parse(to_json(real).dump(2)), "real"), real);
}

TEST(Config, JsonHasEveryFieldInTheOrderOfDeclaration) {
  const Json document = to_json(RunConfig{});
  std::vector<std::string> keys;
  for (const auto& [key, value] : document.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"seed", "name", "row", "assumed", "data", "model", "method", "train",
                                            "optim", "compute", "dist", "eval", "predict", "analyze"}));
  for (const Section& section : sections()) {
    if (section.name == "run") continue;
    ASSERT_EQ(document[section.name].size(), section.fields.size());
    std::size_t index = 0;
    for (const auto& [key, value] : document[section.name].items()) EXPECT_EQ(key, section.fields[index++].key);
  }
}

TEST(Config, OverridesAreReadByTheFieldsType) {
  const RunConfig config = load_config(
      "", {"model.hidden_size=128", "optim.lr=1e-3", "train.steps=1e5", "model.puzzle_embedding=false",
           "method.targets=mask", "name=7", "data.train_file=a=b \"c\"", "optim.ema_rate=.5", "seed=3", "seed=4"});
  EXPECT_EQ(config.model.hidden_size, 128);
  EXPECT_EQ(config.optim.lr, 1e-3);
  EXPECT_EQ(config.train.steps, 100000);
  EXPECT_FALSE(config.model.puzzle_embedding);
  EXPECT_EQ(config.method.targets, TargetKind::mask);
  EXPECT_EQ(config.run.name, "7");
  EXPECT_EQ(config.data.train_file, "a=b \"c\"");
  EXPECT_EQ(config.optim.ema_rate, 0.5);
  EXPECT_EQ(config.run.seed, 4);
}

using ConfigFiles = TemporaryFiles;

TEST_F(ConfigFiles, ExtendsMergesFieldByField) {
  file("base/root.json", R"({"seed": 1, "model": {"hidden_size": 512, "num_layers": 2}, "optim": {"lr": 0.5}})");
  file("base/middle.json", R"({"extends": "root.json", "seed": 2, "model": {"num_layers": 3}})");
  const auto top = file("top.json", R"({"model": {"num_heads": 4}, "extends": "base/middle.json"})");
  RunConfig expected;
  expected.run.seed = 2;
  expected.model.hidden_size = 512;
  expected.model.num_layers = 3;
  expected.model.num_heads = 4;
  expected.optim.lr = 0.5;
  EXPECT_EQ(load_config(top), expected);
  expected.run.seed = 9;
  EXPECT_EQ(load_config(top, {"seed=9"}), expected);
}

TEST(Config, FieldsThatMayChangeAreNamedInOneLine) {
  EXPECT_EQ(changeable_fields(),
            "name, row, assumed, train.steps, train.log_every, train.checkpoint_every, train.keep_last, "
            "train.keep_best, train.eval_every, compute.threads, "
            "eval.* (not guidance, halting), predict.*");
  EXPECT_FALSE(find_field("optim.lr")->may_change);
}

TEST_F(ConfigFiles, SettingsAreCheckedTogetherOnlyOnceAllAreKnown) {
  file("base.json", R"({"model": {"hidden_size": 12}})");  // 12 needs num_heads 1, 2, 3 or 6
  const auto top = file("top.json", R"({"extends": "base.json", "model": {"num_heads": 3}})");
  EXPECT_EQ(load_config(top).model.hidden_size, 12);
}

TEST_F(ConfigFiles, CompleteConfigurationLoadsToTheSame) {
  RunConfig config = load_config("", {"model.hidden_size=128", "optim.lr=0.30000000000000004", "name=again"});
  EXPECT_EQ(load_config(file("config.json", to_json(config).dump(2))), config);
}

TEST(Config, EveryShippedConfigurationLoads) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(DIS_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    const Json document = read_json(entry.path());
    if (document.contains("trajectories")) continue;  // a file that a configuration names
    ++count;
    EXPECT_NO_THROW(load_config(entry.path())) << entry.path();
    EXPECT_EQ(document.begin().key(), "$schema") << entry.path();
    EXPECT_TRUE(std::filesystem::exists(entry.path().parent_path() / document["$schema"].get<std::string>()))
        << entry.path();
  }
  EXPECT_GE(count, 20);
}

}  // namespace
}  // namespace dis
