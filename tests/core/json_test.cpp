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
