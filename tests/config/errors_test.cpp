// Wrong configurations: each is refused with one line that says where and what.
#include <gtest/gtest.h>

#include "config/temporary_files.h"
#include "dis/config/config.h"
#include "dis/core/error.h"
#include "dis/core/json.h"

namespace dis {
namespace {

struct Wrong {
  std::string text;                ///< the file bad.json; empty: no file
  std::vector<std::string> set;    ///< overrides
  std::vector<std::string> parts;  ///< what the message must contain
};

const std::vector<Wrong>& wrong_configs() {
  static const std::vector<Wrong> all = {
      // Not an object of settings.
      {"{\"seed\": }", {}, {"bad.json:1:"}},
      {" ", {}, {"bad.json"}},
      {"[1, 2]", {}, {"bad.json", "expected an object", "found array"}},
      {R"({"model": {"hidden_size": 64, "hidden_size": 128}})", {}, {"bad.json", "hidden_size", "twice"}},
      {R"({"seed": 1, "name": "x", "seed": 1})", {}, {"bad.json", "seed", "twice"}},
      {R"({"optim": {"lr": 1e999}})", {}, {"bad.json"}},
      // Unknown keys.
      {R"({"model": {"hiden_size": 64}})",
       {},
       {"bad.json", "unknown key \"model.hiden_size\"", "\"model.hidden_size\"?"}},
      {R"({"modell": {"hidden_size": 64}})", {}, {"unknown key \"modell\"", "did you mean \"model\"?"}},
      {R"({"lr": 0.1})", {}, {"unknown key \"lr\"", "did you mean \"optim.lr\" or \"predict.lr\"?"}},
      {R"({"train": {"lr": 0.1}})", {}, {"unknown key \"train.lr\"", "did you mean \"optim.lr\" or \"predict.lr\"?"}},
      {R"({"model.hidden_size": 64})", {}, {"unknown key \"model.hidden_size\"", "write \"model\": {\"hidden_size\""}},
      {R"({"run": {"seed": 1}})", {}, {"unknown key \"run\"", "top level", "seed, name"}},
      {R"({"eval": {"zzzzzzzzz": 1}})", {}, {"unknown key \"eval.zzzzzzzzz\"", "known are decoder, per_step"}},
      // Wrong types.
      {R"({"seed": "1"})", {}, {"seed: expected an integer", "found \"1\""}},
      {R"({"seed": 1.5})", {}, {"seed: expected an integer", "found 1.5"}},
      {R"({"seed": null})", {}, {"seed: expected an integer", "found null"}},
      {R"({"name": 3})", {}, {"name: expected a text", "found 3"}},
      {R"({"model": 3})", {}, {"model: expected an object", "found number"}},
      {R"({"model": {"puzzle_embedding": 1}})", {}, {"model.puzzle_embedding: expected true or false", "found 1"}},
      {R"({"optim": {"lr": true}})", {}, {"optim.lr: expected a number", "found true"}},
      {R"({"optim": {"lr": {"a": 1}}})", {}, {"optim.lr: expected a number", R"(found {"a":1})"}},
      {R"({"method": {"targets": 1}})", {}, {"method.targets: expected one of its choices", "path, mask", "found 1"}},
      {R"({"extends": 1})", {}, {"extends: expected a text", "found number"}},
      // Out of range.
      {R"({"model": {"hidden_size": 2}})", {}, {"model.hidden_size = 2 is out of range: allowed is 4 to 8192"}},
      {R"({"seed": -1})", {}, {"seed = -1 is out of range: allowed is 0 to 9007199254740991"}},
      {R"({"seed": 18446744073709551615})", {}, {"seed = 18446744073709551615 is out of range"}},
      {R"({"seed": 9007199254740992})", {}, {"seed = 9007199254740992 is out of range"}},
      {R"({"seed": 1e300})", {}, {"seed = 1e+300 is out of range"}},
      {R"({"optim": {"beta2": 1}})", {}, {"optim.beta2 = 1 is out of range: allowed is 0 to 0.999999"}},
      {R"({"data": {"board_size": 17}})", {}, {"data.board_size = 17 is out of range: allowed is 4 to 16"}},
      // Unknown choices.
      {R"({"method": {"targets": "pth"}})",
       {},
       {"method.targets = \"pth\" is not a choice: allowed are path, mask", "did you mean \"path\"?"}},
      {R"({"compute": {"dtype": "bf16"}})",
       {},
       {"compute.dtype = \"bf16\" is not a choice: allowed are automatic, float32"}},
      {R"({"data": {"split": "Boards"}})", {}, {"data.split = \"Boards\" is not a choice", "did you mean \"boards\"?"}},
      // Several at once.
      {R"({"seed": -1, "lr": 1, "model": {"hidden_size": 2}})", {}, {"seed = -1 is out of range", " (and 2 more)"}},
      // extends.
      {R"({"extends": "none.json"})", {}, {"bad.json", "\"none.json\"", "not a file"}},
      {R"({"extends": "bad.json"})", {}, {"\"extends\" goes in a circle", "bad.json -> "}},
      {R"({"extends": "."})", {}, {"\"extends\": \".\"", "not a file"}},
      {R"({"extends": ""})", {}, {"\"extends\": \"\"", "not a file"}},
      // Overrides.
      {"", {"seed"}, {"--set seed", "expected field=value"}},
      {"", {"=3"}, {"--set =3", "expected field=value"}},
      {"", {""}, {"expected field=value"}},
      {"", {"model=3"}, {"\"model\" is a section", "--set model.hidden_size=256"}},
      {"", {"seed="}, {"seed: expected an integer", "found \"\""}},
      {"", {"seed=abc"}, {"--set seed=abc", "seed: expected an integer", "found \"abc\""}},
      {"", {"seed=3x"}, {"expected an integer"}},
      {"", {"optim.lr=nan"}, {"optim.lr: expected a number", "found \"nan\""}},
      {"", {"optim.lr=inf"}, {"optim.lr: expected a number"}},
      {"", {"optim.lr=11"}, {"optim.lr = 11 is out of range: allowed is 0 to 10"}},
      {"", {"train.keep_best=yes"}, {"train.keep_best: expected true or false", "found \"yes\""}},
      {"", {"method.loss=softmx"}, {"method.loss = \"softmx\" is not a choice", "did you mean \"softmax\"?"}},
      {"", {"train.stepps=3"}, {"unknown key \"train.stepps\"", "did you mean \"train.steps\"?"}},
      {"", {"name=\xff"}, {"name is not valid UTF-8"}},
      // Settings that contradict each other.
      {R"({"model": {"hidden_size": 100}})",
       {},
       {"bad.json",
        "model.hidden_size = 100 must be a multiple of 2 x "
        "model.num_heads = 16, such as 96 or 112"}},
      {"", {"model.hidden_size=8"}, {"the defaults with --set", "such as 16"}},
      {"", {"model.puzzle_emb_len=0"}, {"model.puzzle_embedding = true needs model.puzzle_emb_len of at least 1"}},
      {"",
       {"model.puzzle_emb_ndim=4097"},
       {"model.puzzle_emb_ndim = 4097",
        "model.puzzle_emb_len x "
        "model.hidden_size = 4096"}},
      {"", {"data.min_givens=8"}, {"data.min_givens = 8 must be at most data.board_size - 1 = 7"}},
      {"", {"data.split=orbits", "data.board_size=6"}, {"data.split = orbits", "data.board_size = 6"}},
      {"", {"data.split=orbits", "data.board_size=4"}, {"data.split = orbits", "data.board_size = 4"}},
      {"", {"train.micro_batch=65"}, {"train.micro_batch = 65 must be at most train.global_batch = 64"}},
      {"", {"method.targets=trajectory"}, {"method.targets = trajectory needs method.trajectory_file"}},
      {"", {"method.trajectory_file=x.json"}, {"method.trajectory_file = \"x.json\"", "method.targets = path"}},
      {"",
       {"method.algorithm=trm", "method.time=none"},
       {"method.algorithm = trm needs method.targets = label, found path"}},
      {"",
       {"method.algorithm=hrm", "method.time=none", "method.targets=label", "method.lanes=staggered"},
       {"method.algorithm = hrm needs method.lanes = lockstep, found staggered"}},
      {"", {"compute.attention=cudnn"}, {"compute.attention = cudnn", "compute.deterministic = false, found true"}},
      {"", {"eval.halting=true"}, {"eval.halting = true needs", "method.algorithm = trm or hrm, found dis"}},
      {"", {"eval.steps=7"}, {"eval.steps = 7 is more than method.num_supervision = 6", "learned step table"}},
      {"", {"eval.rollouts=2"}, {"eval.rollouts = 2 are all the same without draws", "eval.noise"}},
      {"",
       {"eval.rollouts=2", "eval.noise=1", "eval.select=halting"},
       {"eval.select = halting needs a halting head that was trained", "found dis"}},
      {"",
       {"eval.rollouts=2", "eval.noise=1", "eval.select=rules", "data.kind=grids", "data.path=x"},
       {"eval.select = rules needs data whose rules are known", "data.rules"}},
      {"", {"data.split=solutions", "data.board_size=11"}, {"data.split = solutions", "up to 10, found 11"}},
      {"", {"data.split=solutions", "data.max_givens=8"}, {"data.max_givens = 8 must be from data.min_givens = 0 to"}},
      {"",
       {"data.split=solutions", "data.train_max_givens=2"},
       {"data.train_max_givens = 2 must be 0, or from data.max_givens = 3 to data.board_size - 1 = 7"}},
      {"", {"train.keep_best=true"}, {"train.keep_best = true needs train.eval_every"}},
      {"", {"model.gradient_passes=1"}, {"model.gradient_passes = 1 must be 0 or at least 2"}},
      {"", {"model.states=one", "model.gradient_passes=3"}, {"at most the 2 passes of a supervision step"}},
      {"",
       {"model.states=one", "method.algorithm=hrm", "method.time=none", "method.targets=label"},
       {"model.states = one needs method.algorithm = dis or trm, found hrm"}},
      {"", {"model.states=one", "eval.noise=1"}, {"eval.noise_state = latent", "eval.noise_state = answer"}},
      {"", {"train.keep_best=true", "data.min_givens=9"}, {"data.min_givens", " (and 1 more)"}},
  };
  return all;
}

using WrongConfigs = TemporaryFiles;

TEST_F(WrongConfigs, EachIsRefusedInOneLineThatSaysWhatAndWhere) {
  ASSERT_GE(wrong_configs().size(), 40U);
  for (const Wrong& wrong : wrong_configs()) {
    const std::filesystem::path path = wrong.text.empty() ? std::filesystem::path() : file("bad.json", wrong.text);
    const std::string given = wrong.text + (wrong.set.empty() ? "" : " --set " + wrong.set.front());
    try {
      load_config(path, wrong.set);
      ADD_FAILURE() << "accepted: " << given;
    } catch (const UserError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << given;
      for (const std::string& part : wrong.parts) {
        EXPECT_NE(message.find(part), std::string::npos)
            << given << "\n  gives: " << message << "\n  without: " << part;
      }
      const bool names_file = wrong.text.empty() || message.find("bad.json") != std::string::npos;
      EXPECT_TRUE(names_file) << message;
    }
  }
}

TEST_F(WrongConfigs, MistakeInABaseNamesTheBase) {
  file("base.json", R"({"seed": -1})");
  const auto top = file("top.json", R"({"extends": "base.json", "seed": 1})");
  try {
    load_config(top);
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("base.json: seed = -1"), std::string::npos) << error.what();
  }
}

TEST_F(WrongConfigs, CircleOfThreeIsToldInFull) {
  file("a.json", R"({"extends": "b.json"})");
  file("b.json", R"({"extends": "sub/../c.json"})");
  file("c.json", R"({"extends": "a.json"})");
  const auto top = file("top.json", R"({"extends": "a.json"})");
  try {
    load_config(top);
    FAIL() << "accepted";
  } catch (const UserError& error) {
    const std::string message = error.what();
    EXPECT_LT(message.find("b.json -> "), message.find("c.json -> ")) << message;
  }
}

TEST(WrongDocuments, ExtendsNeedsAFile) {
  EXPECT_THROW(parse_config(Json{{"extends", "x.json"}}, "document"), UserError);
}

TEST(AllowedTogether, CombinationsThatLookOddButAreNot) {
  EXPECT_NO_THROW(load_config("", {"method.lanes=staggered", "method.update=accumulated"}));
  EXPECT_NO_THROW(load_config("", {"data.split=authors", "data.board_size=5"}));
  EXPECT_NO_THROW(load_config("", {"model.puzzle_embedding=false", "model.puzzle_emb_len=0"}));
  EXPECT_NO_THROW(load_config("", {"method.targets=trajectory", "method.trajectory_file=x.json"}));
  EXPECT_NO_THROW(load_config("", {"train.keep_best=true", "train.eval_every=100"}));
  EXPECT_NO_THROW(load_config("", {"compute.attention=cudnn", "compute.deterministic=false"}));
  EXPECT_NO_THROW(load_config("", {"train.micro_batch=64"}));
  EXPECT_NO_THROW(load_config("", {"model.puzzle_emb_ndim=4096"}));
  EXPECT_NO_THROW(load_config("", {"data.min_givens=7"}));
}

}  // namespace
}  // namespace dis
