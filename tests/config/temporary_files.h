// A folder of small files that is removed at the end of a test.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace dis {

class TemporaryFiles : public testing::Test {
 protected:
  TemporaryFiles() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::path(testing::TempDir()) / ("dis_config_" + std::to_string(getpid()) + "_" + test->name());
    std::filesystem::create_directories(folder_);
  }
  ~TemporaryFiles() override { std::filesystem::remove_all(folder_); }

  /// Writes a file and returns its path.
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace dis
