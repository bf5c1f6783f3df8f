// ARC for people, and written as the official builder does.
#include <cstdio>
#include <sstream>

#include "dis/data/arc/arc_data.h"
#include "dis/data/arc/arc_export.h"
#include "dis/data/identifiers.h"
#include "dis/data/shared_pairs.h"

namespace dis {

Json ArcData::describe(const RunConfig& config) const {
  Json json = {{"kind", to_string(config.data.kind)},
               {"path", data_path(config.data).string()},
               {"test_set", config.data.test_set},
               {"build_seed", config.data.build_seed},
               {"max_grid", config.data.max_grid},
               {"subsets", Json::array()},
               {"left_out", Json::array()}};
  for (const auto& subset : puzzles_.left_out()) {
    for (const auto& task : subset.tasks) json["left_out"].push_back(task.id);
  }
  std::int64_t test_puzzles = 0, short_groups = 0;
  for (const auto& choice : chosen_subsets(config.data)) {
    const auto& name = choice.name;
    const auto augmentations = choice.augmentations.value_or(config.data.augmentations);
    std::int64_t tasks = 0, demonstrations = 0, tests = 0, subset_puzzles = 0;
    for (const auto& group : puzzles_.groups()) {
      if (group.subset != name) continue;
      ++tasks;
      subset_puzzles += group.puzzles;
      for (const auto& pair : group.task.pairs) ++(pair.test ? tests : demonstrations);
      if (!group.test_pairs.empty()) test_puzzles += group.puzzles;
      if (group.puzzles <= augmentations) ++short_groups;
    }
    json["subsets"].push_back({{"name", name},
                               {"augmentations", augmentations},
                               {"tasks", tasks},
                               {"train_pairs", demonstrations},
                               {"test_pairs", tests},
                               {"puzzles", subset_puzzles}});
  }
  json.update({{"groups", puzzles_.groups().size()},
               {"groups_with_fewer_puzzles", short_groups},
               {"puzzles", puzzles_.puzzles()},
               {"identifiers", puzzles_.identifiers()},
               {"identifiers_sha256", identifiers_sha256(*this)},
               {"train_examples", puzzles_.examples(ArcSplit::train)},
               {"examples_per_epoch", epoch_length()},
               {"test_puzzles", test_puzzles},
               {"test_examples", puzzles_.examples(ArcSplit::test)},
               {"made_test_tasks", made_test_tasks().size()},
               {"trained_test_pairs", to_json(shared_pairs(*this))}});
  return json;
}

std::string ArcData::description_text(const Json& description) const {
  const Json& info = description;
  std::ostringstream text;
  text << "ARC from " << info["path"].get<std::string>() << ", seed of the augmentations " << info["build_seed"]
       << ", grids up to " << info["max_grid"] << " x " << info["max_grid"] << "\n\n"
       << "  set               tasks   train pairs   test pairs     puzzles\n";
  for (const auto& subset : info["subsets"]) {
    char line[128];
    const auto name = subset["name"].get<std::string>();
    std::snprintf(line, sizeof line, "  %-14s %8lld %13lld %12lld %11lld%s\n", name.c_str(),
                  subset["tasks"].get<long long>(), subset["train_pairs"].get<long long>(),
                  subset["test_pairs"].get<long long>(), subset["puzzles"].get<long long>(),
                  name == info["test_set"] ? "   <- its test pairs are kept for evaluation" : "");
    text << line;
  }
  if (!info["left_out"].empty()) {
    text << "  left out, for their grids: " << info["left_out"].size() << " tasks\n";
  }
  text << "\n  groups               " << info["groups"] << " (" << info["groups_with_fewer_puzzles"]
       << " with fewer puzzles than asked for)\n  puzzles              " << info["puzzles"]
       << "\n  training examples    " << info["train_examples"] << ", " << info["examples_per_epoch"]
       << " an epoch\n  test                 " << info["test_puzzles"] << " puzzles, " << info["test_examples"]
       << " examples\n  identifiers          " << info["identifiers"] << ", SHA-256 "
       << info["identifiers_sha256"].get<std::string>() << "\n";
  return text.str() + leak_check_text(info["trained_test_pairs"]);
}

void ArcData::write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const {
  export_arc(puzzles_, folder, progress);
}

}  // namespace dis
