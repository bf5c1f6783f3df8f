// The two ARC builds of the published models, whole: every array and text that an export writes has the hash of the
// official file. Rows are hashed as they are made; nothing is written.
//
// Needs the five ARC sets, in the form that scripts/fetch_arc writes, in $DIS_DATA_DIR; skipped where they are missing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include "dis/core/json.h"
#include "dis/core/sha256.h"
#include "dis/data/arc/arc_export.h"
#include "dis/data/arc/arc_puzzles.h"
#include "dis/data/arc/arc_task.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

fs::path arc_folder() {
  const char* environment = std::getenv("DIS_DATA_DIR");
  if (environment != nullptr && *environment != '\0') return environment;
  const auto fetched = fs::path(DIS_SOURCE_DIR) / "data/arc";  // where scripts/fetch_arc puts them
  return fs::exists(fetched) ? fetched : fs::path(DIS_SOURCE_DIR) / "../shared/data/arc";
}

/// What is known of a file that an export wrote.
struct Written {
  NpyType type = NpyType::u1;
  NpyShape shape;                   // empty: a text
  std::string hash;                 // of all its bytes, without the header of an array
  std::vector<std::string> blocks;  // of 500,000 rows each; of a matrix only, instead of `hash`
  std::string first_rows;           // of the first 1,000
  std::string text;                 // of a dataset.json
};

constexpr std::int64_t kBlockRows = 500'000;
constexpr std::int64_t kFirstRows = 1000;

/// Hashes a file; a matrix block by block.
class HashedFile : public ExportFile {
 public:
  HashedFile(Written& written, bool keep_text) : written_(written), keep_text_(keep_text) {
    if (written.shape.size() == 2) row_bytes_ = static_cast<std::size_t>(written.shape[1]) * npy_size(written.type);
  }

  void write(std::span<const std::byte> bytes) override {
    if (keep_text_) written_.text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (row_bytes_ > 0 && !bytes.empty()) {
      const std::size_t room = kBlockRows * row_bytes_ - in_block_;
      const auto part = bytes.first(std::min(bytes.size(), room));
      if (written_.blocks.empty() && in_block_ < kFirstRows * row_bytes_) {
        first_rows_.update(part.first(std::min(part.size(), kFirstRows * row_bytes_ - in_block_)));
      }
      hash_.update(part);
      in_block_ += part.size();
      if (part.size() == room) end_block();
      bytes = bytes.subspan(part.size());
    }
    hash_.update(bytes);
  }

  void commit() override {
    if (row_bytes_ == 0) {
      written_.hash = hash_.hex();
    } else {
      if (in_block_ > 0) end_block();
      written_.first_rows = first_rows_.hex();
    }
  }

 private:
  void end_block() {
    written_.blocks.push_back(hash_.hex());
    in_block_ = 0;
  }

  Written& written_;
  bool keep_text_;
  Sha256 hash_;
  Sha256 first_rows_;
  std::size_t row_bytes_ = 0;  // 0: not a matrix
  std::size_t in_block_ = 0;
};

class HashSink : public ExportSink {
 public:
  void expect(std::uint64_t) override {}
  std::unique_ptr<ExportFile> array(const std::string& path, NpyType type, const NpyShape& shape) override {
    Written& written = files[path];
    written.type = type;
    written.shape = shape;
    return std::make_unique<HashedFile>(written, false);
  }
  std::unique_ptr<ExportFile> text(const std::string& path) override {
    return std::make_unique<HashedFile>(files[path], path.ends_with("dataset.json"));
  }

  std::map<std::string, Written> files;
};

void expect_array(const Written& found, const Json& expected, const std::string& name) {
  EXPECT_EQ(found.shape, expected["shape"].get<NpyShape>()) << name;
  EXPECT_EQ(found.type, expected["dtype"] == "uint8" ? NpyType::u1 : NpyType::i4) << name;
  if (found.shape.size() == 1) {
    EXPECT_EQ(found.hash, expected["sha256"].get<std::string>()) << name;
    return;
  }
  EXPECT_EQ(found.first_rows, expected["sha256_first_1000_rows"].get<std::string>()) << name << ", first rows";
  ASSERT_EQ(expected["rows_per_block"].get<std::int64_t>(), kBlockRows);
  ASSERT_EQ(found.blocks.size(), expected["sha256_blocks"].size()) << name;
  for (std::size_t block = 0; block < found.blocks.size(); ++block) {
    EXPECT_EQ(found.blocks[block], expected["sha256_blocks"][block].get<std::string>())
        << name << ", rows from " << static_cast<std::int64_t>(block) * kBlockRows;
  }
}

class ArcBuild : public testing::TestWithParam<std::string> {};

TEST_P(ArcBuild, EveryFileHasTheOfficialHash) {
  const Json document = read_json(fs::path(DIS_SOURCE_DIR) / "tests" / "data" / "golden" / "arc_build.json");
  const Json& build = document["sets"][GetParam()];
  std::vector<ArcSubset> subsets;
  for (const Json& name : build["subsets"]) {
    const auto text = name.get<std::string>();
    if (!fs::exists(arc_folder() / ("arc-agi_" + text + "_challenges.json"))) {
      GTEST_SKIP() << "no set " << text << " in " << arc_folder() << "; set DIS_DATA_DIR";
    }
    subsets.push_back(read_arc_subset(arc_folder(), text));
  }
  const ArcPuzzles puzzles(std::move(subsets), {.augmentations = build["num_aug"].get<std::int64_t>(),
                                                .seed = build["seed"].get<std::uint32_t>(),
                                                .side = kLargestGrid,
                                                .test_set = build["test_set"].get<std::string>(),
                                                .frozen_translations = true});
  HashSink sink;
  export_arc(puzzles, sink);

  EXPECT_EQ(sink.files.size(), 14U);
  EXPECT_EQ(sink.files["identifiers.json"].hash, build["identifiers"]["sha256"].get<std::string>());
  EXPECT_EQ(sink.files["test_puzzles.json"].hash, build["test_puzzles"]["sha256_raw"].get<std::string>());
  for (const std::string split : {"train", "test"}) {
    EXPECT_EQ(parse_json(sink.files[split + "/dataset.json"].text, split), build[split]["dataset_json"]) << split;
    for (const auto& [name, expected] : build[split]["arrays"].items()) {
      expect_array(sink.files[split + "/all__" + name + ".npy"], expected, split + " " + name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Slow, ArcBuild, testing::Values("arc1", "arc2"), [](const auto& set) { return set.param; });

}  // namespace
}  // namespace dis
