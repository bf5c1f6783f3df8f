// What is generated from the table of fields is up to date.
#include <gtest/gtest.h>

#include "dis/config/fields.h"
#include "dis/config/schema.h"
#include "dis/core/files.h"
#include "dis/core/json.h"

namespace dis {
namespace {

TEST(GeneratedFiles, ReferencePageIsUpToDate) {
  EXPECT_EQ(read_text(DIS_SOURCE_DIR "/docs/config.md"), reference_page())
      << "run: dis config fields --markdown > docs/config.md";
}

TEST(GeneratedFiles, SchemaIsUpToDate) {
  EXPECT_EQ(read_text(DIS_SOURCE_DIR "/docs/config.schema.json"), schema().dump(2) + "\n")
      << "run: dis config schema > docs/config.schema.json";
}

TEST(GeneratedFiles, ReferencePageHasOneRowPerField) {
  const std::string page = reference_page();
  for (const Section& section : sections()) {
    for (const Field& field : section.fields) {
      const std::size_t row = page.find("\n| `" + field.path + "` |");
      EXPECT_NE(row, std::string::npos) << field.path;
      EXPECT_NE(page.find(field.help, row), std::string::npos) << field.path;
    }
  }
}

TEST(GeneratedFiles, SchemaDescribesEveryFieldAndNothingElse) {
  const Json top = schema();
  EXPECT_EQ(top["additionalProperties"], false);
  std::size_t described = 0;
  for (const Section& section : sections()) {
    const Json& place = section.name == "run" ? top : top["properties"][section.name];
    EXPECT_EQ(place["additionalProperties"], false) << section.name;
    for (const Field& field : section.fields) {
      ASSERT_TRUE(place["properties"].contains(field.key)) << field.path;
      const Json& found = place["properties"][field.key];
      EXPECT_EQ(found["default"], field.fallback) << field.path;
      if (field.kind == FieldKind::integer || field.kind == FieldKind::real) {
        EXPECT_EQ(found["minimum"], field.lowest) << field.path;
        EXPECT_EQ(found["maximum"], field.highest) << field.path;
      }
      if (field.kind == FieldKind::choice) {
        EXPECT_EQ(found["enum"].size(), field.choices.size()) << field.path;
      }
    }
    const bool top_level = section.name == "run";
    EXPECT_TRUE(top_level || place["properties"].size() == section.fields.size()) << section.name;
    described += top_level ? section.fields.size() : 1;
  }
  EXPECT_EQ(top["properties"].size(), described + 2) << "and $schema, extends";
}

}  // namespace
}  // namespace dis
