#include "dis/core/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

TEST(Json, RoundTripKeepsTheOrderOfKeysAndTheNumbers) {
  const TemporaryFolder folder;
  Json json = {{"zeta", 1}, {"alpha", {1.5, "text", nullptr, true}}, {"third", 0.1}};
  write_json(folder / "a.json", json);
  EXPECT_EQ(
      read_text(folder / "a.json"),
      "{\n  \"zeta\": 1,\n  \"alpha\": [\n    1.5,\n    \"text\",\n    null,\n    true\n  ],\n  \"third\": 0.1\n}\n");
  EXPECT_EQ(read_json(folder / "a.json"), json);
  write_json(folder / "a.json", json, -1);
  EXPECT_EQ(read_text(folder / "a.json"), "{\"zeta\":1,\"alpha\":[1.5,\"text\",null,true],\"third\":0.1}\n");
}

TEST(Json, ErrorsNameFileLineAndColumn) {
  const TemporaryFolder folder;
  write_atomically(folder / "a.json", std::string_view("{\n  \"a\": 1,\n  \"b\": oops\n}\n"));
  const std::string message = user_error_of([&] { read_json(folder / "a.json"); });
  EXPECT_TRUE(message.starts_with((folder / "a.json").string() + ":3:8: not valid JSON: syntax error")) << message;
  EXPECT_TRUE(contains(user_error_of([&] { read_json(folder / "absent.json"); }), "cannot read"));
}

TEST(Json, PlacesOfErrors) {
  EXPECT_TRUE(user_error_of([] { parse_json("", "f"); }).starts_with("f:1:1: not valid JSON: "));
  EXPECT_TRUE(user_error_of([] { parse_json("[1, 2", "f"); }).starts_with("f:1:6: "));
  EXPECT_TRUE(user_error_of([] { parse_json("{}\n{}", "f"); }).starts_with("f:2:1: "));
  EXPECT_TRUE(user_error_of([] { parse_json("{\"a\": 1,}", "f"); }).starts_with("f:1:9: "));
  EXPECT_TRUE(user_error_of([] { parse_json("// no\n1", "f"); }).starts_with("f:1:1: "));
  EXPECT_TRUE(user_error_of([] { parse_json("NaN", "f"); }).starts_with("f:1:1: "));
  EXPECT_TRUE(user_error_of([] { parse_json("[1e999]", "f"); }).starts_with("f: not valid JSON: number overflow"));
  EXPECT_TRUE(user_error_of([] { parse_json("\"\xff\"", "f"); }).starts_with("f:1:2: "));
}

TEST(Json, AKeyTwiceInOneObjectIsAnError) {
  EXPECT_EQ(user_error_of([] { parse_json(R"({"a": {"b": 1, "c": [{"x": 1}], "b": 2}})", "f"); }),
            "f: key \"b\" stands twice in one object; remove one of them");
  EXPECT_NO_THROW(parse_json(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})", "f"));
}

TEST(Json, DeepNestingIsRefused) {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  for (const auto& [open, close] : {std::pair<std::string, std::string>{"[", "]"}, {"{\"a\":", "}"}}) {
    EXPECT_NO_THROW(parse_json(nested(100, open, close), "f"));
    EXPECT_FALSE(try_parse_json(nested(100, open, close)).is_discarded());
    for (const std::size_t depth : {101U, 1'000'000U}) {
      EXPECT_EQ(user_error_of([&] { parse_json(nested(depth, open, close), "f"); }),
                "f: expected at most 100 lists and objects inside one another, found more; is this the right file?");
      EXPECT_TRUE(try_parse_json(nested(depth, open, close)).is_discarded());
    }
    std::string torn;
    for (int i = 0; i < 1'000'000; ++i) torn += open;
    EXPECT_TRUE(contains(user_error_of([&] { parse_json(torn, "f"); }), "inside one another"));
  }
}

TEST(Json, TornLinesAreDiscarded) {
  EXPECT_EQ(try_parse_json("{\"a\": [1]}")["a"][0], 1);
  for (const char* text : {"", "{\"a\": ", "\"\xff\"", "1e999"})
    EXPECT_TRUE(try_parse_json(text).is_discarded()) << text;
}

TEST(Json, MessagesAreShortLinesWhateverTheTextHolds) {
  const std::string torn = user_error_of([] { parse_json("[\"a\n" + std::string(100'000, '\xfe'), "f"); });
  EXPECT_LT(torn.size(), 400U);
  EXPECT_TRUE(is_utf8(torn));
  const std::string key = user_error_of([] { parse_json(R"({"a\n\u001b[m": 1, "a\n\u001b[m": 2})", "f"); });
  EXPECT_EQ(key, R"(f: key "a\n\u001b[m" stands twice in one object; remove one of them)");
  EXPECT_EQ(in_message("\xc3\xa9\xff"), "\"\\u00e9\\ufffd\"");
  EXPECT_EQ(in_message(std::string(200, 'x'), 10), "\"xxxxxxxxx...");
}

TEST(Json, TextsOfOtherEditorsAreRead) {
  const TemporaryFolder folder;
  const std::string_view json = "{\r\n  \"a\": 1\r\n}\r\n";
  write_atomically(folder / "a.json", std::string("\xef\xbb\xbf").append(json));
  EXPECT_EQ(read_json(folder / "a.json"), (Json{{"a", 1}}));
  EXPECT_EQ(read_text(folder / "a.json"), json);
  write_atomically(folder / "a.json", std::string_view("\xff\xfe{\0}\0", 6));
  EXPECT_TRUE(contains(user_error_of([&] { read_json(folder / "a.json"); }), "found UTF-16; save it as UTF-8"));
  write_atomically(folder / "a.json", std::string_view("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"));
  EXPECT_TRUE(contains(user_error_of([&] { read_json(folder / "a.json"); }), "found a Git LFS pointer to it"));
}

TEST(Json, NamesThatAreNotUtf8AreWritten) {
  const TemporaryFolder folder;
  const Json json = {{"path", "caf\xe9/\xc3\xa9"}};
  write_json(folder / "a.json", json, -1);
  EXPECT_EQ(read_text(folder / "a.json"), "{\"path\":\"caf\xef\xbf\xbd/\xc3\xa9\"}\n");
  EXPECT_EQ(json_text(json) + "\n", read_text(folder / "a.json"));
  EXPECT_EQ(utf8_name("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(utf8_name("caf\xe9"), "caf\\xE9");
}

TEST(Json, NumbersThatJsonDoesNotHave) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(number_or_text(0.25).dump(), "0.25");
  EXPECT_EQ(number_or_text(std::nan("")).dump(), "\"NaN\"");
  EXPECT_EQ(number_or_text(infinity).dump(), "\"Infinity\"");
  EXPECT_EQ(number_or_text(-infinity).dump(), "\"-Infinity\"");
  for (const double value : {0.1, -3e300, infinity, -infinity}) EXPECT_EQ(number_from(number_or_text(value)), value);
  EXPECT_TRUE(std::isnan(number_from(number_or_text(std::nan("")))));
  EXPECT_EQ(number_from(Json(3)), 3.0);
  EXPECT_TRUE(contains(user_error_of([] { number_from(Json(nullptr)); }), "found null"));
  EXPECT_TRUE(contains(user_error_of([] { number_from(Json("12")); }), "found \"12\""));
}

}  // namespace
}  // namespace dis
