#include "dis/core/log.h"

#include <gtest/gtest.h>

#include <cctype>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

/// `text` with every digit as "0".
std::string without_digits(std::string text) {
  for (char& c : text) c = std::isdigit(static_cast<unsigned char>(c)) != 0 ? '0' : c;
  return text;
}

TEST(Log, LinesOnStandardError) {
  testing::internal::CaptureStderr();
  log_info("plain {} %v");
  log_warn("odd");
  log_error("bad");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "plain {} %v\nwarning: odd\nerror: bad\n");
}

TEST(Log, TheFileGetsTheTimeAndIsAppendedTo) {
  const TemporaryFolder folder;
  write_atomically(folder / "log.txt", std::string_view("before\n"));
  testing::internal::CaptureStderr();
  log_to_file(folder / "log.txt");
  log_info("one");
  log_warn("two");
  const std::string text = read_text(folder / "log.txt");  // lines are there at once
  log_close_file();
  log_info("three");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "one\nwarning: two\nthree\n");
  EXPECT_EQ(read_text(folder / "log.txt"), text);
  EXPECT_EQ(without_digits(text), "before\n0000-00-00 00:00:00.000 one\n0000-00-00 00:00:00.000 warning: two\n");
}

TEST(Log, AFileThatCannotBeOpenedIsTheUsersError) {
  EXPECT_TRUE(contains(user_error_of([] { log_to_file("/dev/null/log.txt"); }),
                       "cannot write the log file '/dev/null/log.txt'"));
}

TEST(Log, AFullDiskIsReportedOnceAndHarmsNothing) {
  testing::internal::CaptureStderr();
  log_to_file("/dev/full");
  log_info("one");
  log_info("two");
  log_close_file();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(contains(text, "one\n") && contains(text, "two\n")) << text;
  const auto first = text.find("warning: the log file: ");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("warning: the log file: ", first + 1), std::string::npos) << text;
}

TEST(Log, WhatComesBeforeAMessage) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(exchange_before_message([] { std::fputs("<", stderr); }));
  log_info("one");
  EXPECT_TRUE(exchange_before_message({}));
  log_info("two");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "<one\ntwo\n");
}

}  // namespace
}  // namespace dis
