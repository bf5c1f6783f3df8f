#include "puzzles_data.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/progress.h"
#include "dis/data/arc_data.h"
#include "dis/data/arc_export.h"
#include "dis/data/grid_puzzles.h"
#include "dis/data/identifiers.h"
#include "dis/data/open_data.h"
#include "dis/data/puzzle_rows.h"
#include "dis/data/shared_pairs.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

Json split_json(const RowSplit& split) {
  return {{"groups", split.groups()}, {"puzzles", split.puzzles()}, {"examples", split.examples()}};
}

/// Every test pair that is trained, as far as they are listed.
void print_shared_pairs(const Json& info) {
  const auto& shared = info["trained_test_pairs"];
  if (shared["tested"] == 0) return;
  std::cout << "  leak check           of " << shared["tested"] << " test pairs, training shows " << shared["trained"]
            << " with the answer, under whatever name\n";
  for (const auto& pair : shared["examples"]) {
    std::cout << "    " << pair["tested"].get<std::string>() << " = " << pair["trained"].get<std::string>() << "\n";
  }
  if (shared["examples"].size() < shared["trained"]) std::cout << "    ...\n";
}

/// Shows an export's progress on stderr.
ExportProgress export_progress(const std::shared_ptr<std::unique_ptr<Progress>>& bar) {
  return [bar](std::int64_t done, std::int64_t total) {
    if (!*bar) *bar = std::make_unique<Progress>(ProgressTask{.what = "export", .unit = "rows", .total = total});
    (*bar)->update(done, "");
    if (done == total) (*bar)->finish();
  };
}

}  // namespace

Json arc_info(const RunConfig& config) {
  const ArcData data(config.data);
  const auto& puzzles = data.puzzles();
  Json json = {{"kind", "arc"},
               {"path", data_path(config.data).string()},
               {"test_set", config.data.test_set},
               {"build_seed", config.data.build_seed},
               {"max_grid", config.data.max_grid},
               {"subsets", Json::array()},
               {"left_out", Json::array()}};
  for (const auto& subset : puzzles.left_out()) {
    for (const auto& task : subset.tasks) json["left_out"].push_back(task.id);
  }
  std::int64_t test_puzzles = 0, short_groups = 0;
  for (const auto& name : subset_names(config.data)) {
    std::int64_t tasks = 0, demonstrations = 0, tests = 0, subset_puzzles = 0;
    for (const auto& group : puzzles.groups()) {
      if (group.subset != name) continue;
      ++tasks;
      subset_puzzles += group.puzzles;
      for (const auto& pair : group.task.pairs) ++(pair.test ? tests : demonstrations);
      if (!group.test_pairs.empty()) test_puzzles += group.puzzles;
      if (group.puzzles <= config.data.augmentations) ++short_groups;
    }
    json["subsets"].push_back({{"name", name},
                               {"tasks", tasks},
                               {"train_pairs", demonstrations},
                               {"test_pairs", tests},
                               {"puzzles", subset_puzzles}});
  }
  json.update({{"groups", puzzles.groups().size()},
               {"groups_with_fewer_puzzles", short_groups},
               {"puzzles", puzzles.puzzles()},
               {"identifiers", puzzles.identifiers()},
               {"identifiers_sha256", identifiers_sha256(data)},
               {"train_examples", puzzles.examples(ArcSplit::train)},
               {"examples_per_epoch", data.epoch_length()},
               {"test_puzzles", test_puzzles},
               {"test_examples", puzzles.examples(ArcSplit::test)},
               {"trained_test_pairs", to_json(shared_pairs(data))}});
  return json;
}

void print_arc_info(const Json& info) {
  std::cout << "ARC from " << info["path"].get<std::string>() << ", seed of the augmentations " << info["build_seed"]
            << ", grids up to " << info["max_grid"] << " x " << info["max_grid"] << "\n\n"
            << "  set               tasks   train pairs   test pairs     puzzles\n";
  for (const auto& subset : info["subsets"]) {
    char line[128];
    const auto name = subset["name"].get<std::string>();
    std::snprintf(line, sizeof line, "  %-14s %8lld %13lld %12lld %11lld%s\n", name.c_str(),
                  subset["tasks"].get<long long>(), subset["train_pairs"].get<long long>(),
                  subset["test_pairs"].get<long long>(), subset["puzzles"].get<long long>(),
                  name == info["test_set"] ? "   <- its test pairs are kept for evaluation" : "");
    std::cout << line;
  }
  if (!info["left_out"].empty()) {
    std::cout << "  left out, for their grids: " << info["left_out"].size() << " tasks\n";
  }
  std::cout << "\n  groups               " << info["groups"] << " (" << info["groups_with_fewer_puzzles"]
            << " with fewer puzzles than asked for)\n  puzzles              " << info["puzzles"]
            << "\n  training examples    " << info["train_examples"] << ", " << info["examples_per_epoch"]
            << " an epoch\n  test                 " << info["test_puzzles"] << " puzzles, " << info["test_examples"]
            << " examples\n  identifiers          " << info["identifiers"] << ", SHA-256 "
            << info["identifiers_sha256"].get<std::string>() << "\n";
  print_shared_pairs(info);
}

Json rows_info(const RunConfig& config) {
  const auto opened = open_data(config);
  const auto& data = dynamic_cast<const PuzzleRows&>(*opened);
  const auto shape = data.shape();
  Json json = {{"kind", to_string(config.data.kind)}, {"path", data_path(config.data).string()},
               {"vocabulary", shape.vocabulary},      {"length", shape.length},
               {"identifiers", shape.identifiers},    {"identifiers_sha256", identifiers_sha256(data)},
               {"train", split_json(data.train())},   {"examples_per_epoch", data.epoch_length()}};
  json["test"] = data.test() ? split_json(*data.test()) : Json();
  json["trained_test_pairs"] = to_json(shared_pairs(data));
  return json;
}

void print_rows_info(const Json& info) {
  std::cout << info["path"].get<std::string>() << ": " << info["vocabulary"] << " tokens, " << info["length"]
            << " cells, " << info["identifiers"] << " identifiers\n";
  for (const char* split : {"train", "test"}) {
    const auto& counts = info[split];
    if (counts.is_null()) continue;
    std::cout << "  " << split << (split[2] == 'a' ? "  " : "   ") << counts["examples"] << " examples of "
              << counts["puzzles"] << " puzzles in " << counts["groups"] << " groups\n";
  }
  std::cout << "  " << info["examples_per_epoch"] << " examples an epoch\n";
  print_shared_pairs(info);
}

ArcTask find_task(const DataConfig& data, const std::string& id) {
  std::string names;
  for (const auto& name : subset_names(data)) {
    for (auto& task : read_arc_subset(data_path(data), name).tasks) {
      if (task.id == id) return task;
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  throw UserError("no task " + id + " in data.subsets (" + names + ") of '" + data_path(data).string() +
                  "'; name other sets with --set data.subsets=...");
}

void export_data(const RunConfig& config, const fs::path& folder) {
  try_folder(folder);
  const auto bar = std::make_shared<std::unique_ptr<Progress>>();
  const auto progress = export_progress(bar);
  switch (config.data.kind) {
    case DataKind::nqueens:
      throw UserError(
          "dis data export writes ARC and rows of tokens, found data.kind = nqueens; boards are written by "
          "dis data build");
    case DataKind::arc:
      export_arc(ArcData(config.data).puzzles(), folder, progress);
      break;
    case DataKind::folder:
    case DataKind::grids: {
      const auto data = open_data(config);
      export_rows(dynamic_cast<const PuzzleRows&>(*data), folder, progress);
      break;
    }
  }
  std::cout << "written to " << folder.string() << "\n";
}

void import_folder(const fs::path& folder, const fs::path& config_file) {
  if (!config_file.empty()) {
    if (fs::exists(config_file)) throw UserError("'" + config_file.string() + "' exists already; name another file");
    try_file(config_file);
  }
  RunConfig config;
  config.data.kind = DataKind::folder;
  config.data.path = folder.string();
  const auto data = read_puzzle_rows(folder);
  const auto length = static_cast<std::size_t>(data.shape().length);
  std::vector<std::int32_t> input(length), label(length);
  const auto check = [&](const RowSplit& split, const char* what) {
    Progress progress({.what = what, .unit = "rows", .total = split.examples()});
    for (std::int64_t row = 0; row < split.examples(); ++row) {
      split.read(row, input, label);
      if (row % 1024 == 0) progress.update(row, "");
    }
    progress.update(split.examples(), "");
    progress.finish();
  };
  check(data.train(), "train");
  if (data.test()) check(*data.test(), "test");
  print_rows_info(rows_info(config));
  if (config_file.empty()) return;
  write_json(config_file, {{"name", "DIS on " + folder.filename().string()},
                           {"data", {{"kind", "folder"}, {"path", fs::absolute(folder).string()}}}});
  std::cout << "train on it with: dis train --config " << config_file.string() << " --run-dir runs/"
            << config_file.stem().string() << "\n";
}

}  // namespace dis
