// What a UserError says, for tests of messages.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "dis/core/error.h"

/// The message of the dis::UserError that `action` throws; a failure of the test when it throws none.
template <class Action>
std::string user_error_of(Action&& action) {
  try {
    action();
  } catch (const dis::UserError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "a message is one line: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "expected a UserError";
  return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
