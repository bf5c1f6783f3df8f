// Distances between words, seen through the messages that use them.
#include <gtest/gtest.h>

#include "dis/config/config.h"
#include "dis/core/error.h"

namespace dis {
namespace {

std::string message_of(const std::string& override_text) {
  RunConfig config;
  try {
    apply_override(config, override_text);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Suggest, NamesTheNearestKeyOrAllThatTie) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"model.hiden_size", "\"model.hidden_size\"?"},
      {"model.HIDDEN_SIZE", "\"model.hidden_size\"?"},
      {"model.hidden-size", "\"model.hidden_size\"?"},
      {"model.h_cycles", "\"model.H_cycles\"?"},
      {"modle.num_layers", "\"model.num_layers\"?"},
      {"optim.rl", "\"optim.lr\"?"},
      {"lr", "\"optim.lr\" or \"predict.lr\"?"},
      {"train.lr", "\"optim.lr\" or \"predict.lr\"?"},
      {"steps", "\"train.steps\" or \"eval.steps\" or \"predict.steps\"?"},
      {"model.layers", "\"model.num_layers\"?"},
      {"data.name", "\"name\" or \"optim.name\"?"},
      {"run.seed", "\"seed\"?"},
      {"optimm", "\"optim\"?"},
      {"dtype", "\"compute.dtype\"?"},
  };
  for (const auto& [key, expected] : cases) {
    EXPECT_NE(message_of(key + "=1").find("did you mean " + expected), std::string::npos)
        << key << " gives: " << message_of(key + "=1");
  }
}

TEST(Suggest, ListsTheKeysWhereNothingIsNear) {
  EXPECT_NE(message_of("model.xyzzyqw=1").find("known are hidden_size, num_layers, num_heads"), std::string::npos)
      << message_of("model.xyzzyqw=1");
  EXPECT_NE(message_of("xyzzyqw=1").find("known are seed, name, row, assumed, data, model"), std::string::npos)
      << message_of("xyzzyqw=1");
}

}  // namespace
}  // namespace dis
