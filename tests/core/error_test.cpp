#include "dis/core/error.h"

#include <gtest/gtest.h>

namespace dis {
namespace {

TEST(UserError, IsOneLineWhateverItQuotes) {
  EXPECT_STREQ(UserError("key \"a\nb\tc\" is unknown").what(), "key \"a\\nb\\tc\" is unknown");
  EXPECT_STREQ(UserError(std::string("\x1b[2J\r\x7f", 6)).what(), "\\x1b[2J\\x0d\\x7f");
  EXPECT_STREQ(UserError(std::string("a\0b", 3)).what(), "a\\x00b");
  EXPECT_STREQ(UserError("next line \xC2\x85, caf\xC3\xA9 \xC2\xA7\xC2").what(),
               "next line \\x85, caf\xC3\xA9 \xC2\xA7\xC2");
}

}  // namespace
}  // namespace dis
