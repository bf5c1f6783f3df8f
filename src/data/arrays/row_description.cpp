// Rows of tokens for people and for tests, and written again.
#include <sstream>

#include "dis/data/arc/arc_data.h"
#include "dis/data/arrays/puzzle_rows.h"
#include "dis/data/arrays/rows_export.h"
#include "dis/data/identifiers.h"
#include "dis/data/shared_pairs.h"

namespace dis {
namespace {

Json split_json(const RowSplit& split) {
  return {{"groups", split.groups()}, {"puzzles", split.puzzles()}, {"examples", split.examples()}};
}

}  // namespace

std::vector<ExampleList> PuzzleRows::tests() const {
  if (!test_) return {};
  const auto at = [this](std::int64_t row) {
    const auto length = static_cast<std::size_t>(shape().length);
    Example example{std::vector<std::int32_t>(length), std::vector<std::int32_t>(length)};
    test_example(row, example.input, example.label, example.puzzle_id);
    return example;
  };
  return {{"test", "example", test_examples(), at}};
}

Json PuzzleRows::describe(const RunConfig& config) const {
  const auto shape = this->shape();
  Json json = {{"kind", to_string(config.data.kind)}, {"path", data_path(config.data).string()},
               {"vocabulary", shape.vocabulary},      {"length", shape.length},
               {"identifiers", shape.identifiers},    {"identifiers_sha256", identifiers_sha256(*this)},
               {"train", split_json(train_)},         {"examples_per_epoch", epoch_length()}};
  json["test"] = test_ ? split_json(*test_) : Json();
  json["trained_test_pairs"] = to_json(shared_pairs(*this));
  return json;
}

std::string PuzzleRows::description_text(const Json& description) const {
  const Json& info = description;
  std::ostringstream text;
  text << info["path"].get<std::string>() << ": " << info["vocabulary"] << " tokens, " << info["length"] << " cells, "
       << info["identifiers"] << " identifiers\n";
  for (const char* split : {"train", "test"}) {
    const auto& counts = info[split];
    if (counts.is_null()) continue;
    text << "  " << split << (split[2] == 'a' ? "  " : "   ") << counts["examples"] << " examples of "
         << counts["puzzles"] << " puzzles in " << counts["groups"] << " groups\n";
  }
  text << "  " << info["examples_per_epoch"] << " examples an epoch\n";
  return text.str() + leak_check_text(info["trained_test_pairs"]);
}

void PuzzleRows::write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const {
  export_rows(*this, folder, progress);
}

}  // namespace dis
