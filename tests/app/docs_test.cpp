// What the documents say of the code is there: files, and functions in them.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = DIS_SOURCE_DIR;

/// All sources and headers of the program, by their path below the root.
const std::map<std::string, std::string>& sources() {
  static const auto all = [] {
    std::map<std::string, std::string> found;
    for (const char* folder : {"src", "include", "tests"}) {
      for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
        const auto type = entry.path().extension();
        if (type == ".h" || type == ".cpp" || type == ".cu" || type == ".cuh" || type == ".def") {
          found[entry.path().lexically_relative(kRoot).string()] = read_text(entry.path());
        }
      }
    }
    return found;
  }();
  return all;
}

/// "train/targets.h", or with its folder: paths of the files that it may mean.
std::vector<std::string> files_called(const std::string& name) {
  std::vector<std::string> found;
  for (const auto& [path, text] : sources()) {
    if (path == name || path.ends_with("/" + name)) found.push_back(path);
  }
  return found;
}

/// The file beside a header or a source: a function may be declared in one and be named by the other.
std::string with_its_source(const std::string& path) {
  const auto stem = fs::path(path).stem().string();
  std::string text;
  for (const auto& [other, content] : sources()) {
    if (fs::path(other).stem() == stem) text += content;
  }
  return text;
}

bool has_word(const std::string& text, const std::string& word) {
  return std::regex_search(text, std::regex("\\b" + word + "\\b"));
}

/// Every part of "Class::function".
bool has_name(const std::string& text, const std::string& name) {
  for (std::size_t at = 0; at < name.size();) {
    const auto end = std::min(name.find("::", at), name.size());
    if (!has_word(text, name.substr(at, end - at))) return false;
    at = end + 2;
  }
  return true;
}

bool anywhere(const std::string& name) {
  return std::ranges::any_of(sources(), [&](const auto& source) { return has_name(source.second, name); });
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found = {kRoot / "README.md", kRoot / "data/README.md"};
  for (const auto& entry : fs::directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

/// Calls f(match) for every match.
template <class F>
void for_each_match(const std::string& text, const std::string& pattern, F f) {
  const std::regex regex(pattern);
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) f(*match);
}

TEST(Docs, NameFilesAndFunctionsThatAreThere) {
  int files = 0, functions = 0;
  for (const auto& document : documents()) {
    SCOPED_TRACE(document.lexically_relative(kRoot).string());
    const auto text = read_text(document);
    for_each_match(text, "`([a-z_/0-9]+/[a-z_0-9]+\\.(?:h|cpp|cu|cuh|def))`", [&](const std::smatch& match) {
      EXPECT_FALSE(files_called(match[1]).empty()) << "there is no " << match[1];
      ++files;
    });
    // `file`: `function`, or several functions of one file
    for_each_match(text, "`([a-z_/0-9]+\\.(?:h|cpp|cu|cuh))`: ((?:(?:, | and )?`[A-Za-z_0-9:]+`)+)",
                   [&](const std::smatch& match) {
                     const auto paths = files_called(match[1]);
                     ASSERT_FALSE(paths.empty()) << "there is no " << match[1];
                     for_each_match(match[2], "`([A-Za-z_0-9:]+)`", [&](const std::smatch& name) {
                       EXPECT_TRUE(has_name(with_its_source(paths[0]), name[1])) << match[1] << " has no " << name[1];
                       ++functions;
                     });
                   });
    for_each_match(text, "`([A-Z][A-Za-z0-9]+::[a-z_0-9]+)`", [&](const std::smatch& match) {
      EXPECT_TRUE(anywhere(match[1])) << "the code has no " << match[1];
      ++functions;
    });
  }
  EXPECT_GT(files, 20);
  EXPECT_GT(functions, 20) << "the documents are written in another way now: mend the patterns";
}

}  // namespace
}  // namespace dis
