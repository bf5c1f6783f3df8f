// A type has one definition: two of one name in one namespace, in different files, are undefined behaviour that no
// compiler sees.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace dis {
namespace {

namespace fs = std::filesystem;

/// "dis::cpu::AttentionShape" of every structure, class and enumeration that a source defines at the level of a named
/// namespace.
std::vector<std::string> types_of(const fs::path& file) {
  static const std::regex opens(R"(namespace ([\w:]+) \{.*)"), closes(R"(\}  // namespace (\S+).*)"),
      definition(R"((?:struct|class|enum class)(?: alignas\(.*\))? (\w+)(?: final)?(?: : .*)? \{.*)");
  std::vector<std::string> found, spaces;
  int unnamed = 0;
  std::ifstream in(file);
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (line == "namespace {") ++unnamed;
    if (line == "}  // namespace") --unnamed;
    if (std::regex_match(line, match, opens)) spaces.push_back(match[1]);
    if (std::regex_match(line, match, closes) && !spaces.empty()) spaces.pop_back();
    if (unnamed > 0 || !std::regex_match(line, match, definition)) continue;
    std::string name;
    for (const auto& space : spaces) name += space + "::";
    found.push_back(name + match[1].str());
  }
  return found;
}

TEST(Names, ATypeIsDefinedOnce) {
  std::map<std::string, fs::path> first;
  for (const char* folder : {"include", "src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(DIS_SOURCE_DIR) / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp" && extension != ".cuh" && extension != ".cu") continue;
      for (const auto& name : types_of(entry.path())) {
        const auto [other, unique] = first.emplace(name, entry.path());
        EXPECT_TRUE(unique) << name << " is defined in " << entry.path() << " and in " << other->second;
      }
    }
  }
  EXPECT_GT(first.size(), 150U);
  EXPECT_TRUE(first.contains("dis::RunConfig") && first.contains("dis::cpu::AttentionShape"));
}

}  // namespace
}  // namespace dis
