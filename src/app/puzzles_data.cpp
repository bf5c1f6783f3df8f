#include "puzzles_data.h"

#include <iostream>
#include <memory>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/progress.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/arrays/puzzle_rows.h"
#include "dis/data/open_data.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// Shows an export's progress on stderr.
ExportProgress export_progress(const std::shared_ptr<std::unique_ptr<Progress>>& bar) {
  return [bar](std::int64_t done, std::int64_t total) {
    if (!*bar) *bar = std::make_unique<Progress>(ProgressTask{.what = "export", .unit = "rows", .total = total});
    (*bar)->update(done, "");
    if (done == total) (*bar)->finish();
  };
}

}  // namespace

ArcTask find_task(const DataConfig& data, const std::string& id) {
  std::string names;
  for (const auto& choice : chosen_subsets(data)) {
    for (auto& task : read_arc_subset(data_path(data), choice.name).tasks) {
      if (task.id == id) return task;
    }
    names += (names.empty() ? "" : ", ") + choice.name;
  }
  throw UserError("no task " + id + " in data.subsets (" + names + ") of '" + data_path(data).string() +
                  "'; name other sets with --set data.subsets=...");
}

void export_data(const RunConfig& config, const fs::path& folder) {
  try_folder(folder);
  const auto bar = std::make_shared<std::unique_ptr<Progress>>();
  open_data(config)->write_rows(folder, export_progress(bar));
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
  std::cout << data.description_text(data.describe(config));
  if (config_file.empty()) return;
  write_json(config_file, {{"name", "DIS on " + folder.filename().string()},
                           {"data", {{"kind", "folder"}, {"path", fs::absolute(folder).string()}}}});
  std::cout << "train on it with: dis train --config " << config_file.string() << " --run-dir runs/"
            << config_file.stem().string() << "\n";
}

}  // namespace dis
