#include "dis/report/run_data.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include "dis/core/error.h"
#include "dis/core/json.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// A mean that leaves out what is no number.
struct Mean {
  double sum = 0.0;
  std::int64_t count = 0;
  void add(double value) {
    if (std::isnan(value)) return;
    sum += value;
    ++count;
  }
  double value() const {
    return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
  }
};

struct Piece {
  double updates = 0.0, samples = 0.0;
  Mean loss, exact, lr, samples_per_s, tflops_per_s, peak_share, peak_memory_mb;
  std::vector<Mean> loss_per_step, exact_per_step;
};

/// NaN for what is no number, as the texts that stand for NaN and infinities.
double number_of(const Json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

double number_of(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found == record.end() ? std::numeric_limits<double>::quiet_NaN() : number_of(*found);
}

void add_list(std::vector<Mean>& means, const Json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_array()) return;
  means.resize(std::max(means.size(), found->size()));
  for (std::size_t s = 0; s < found->size(); ++s) means[s].add(number_of((*found)[s]));
}

void store(std::vector<std::vector<double>>& series, const std::vector<Mean>& means, std::size_t piece) {
  if (series.size() < means.size()) series.resize(means.size(), std::vector<double>(piece, std::nan("")));
  for (std::size_t s = 0; s < series.size(); ++s) {
    series[s].push_back(s < means.size() ? means[s].value() : std::nan(""));
  }
}

void read_metrics(const fs::path& file, RunData& run) {
  std::ifstream stream(file);
  const double total = std::max(1.0, static_cast<double>(run.config.train.steps));
  std::map<std::int64_t, Piece> pieces;
  std::string line;
  while (std::getline(stream, line)) {
    const auto record = try_parse_json(line);
    if (!record.is_object()) continue;
    const double updates = number_of(record, "step");
    if (!(updates >= 1.0)) continue;
    auto& piece = pieces[static_cast<std::int64_t>((updates - 1.0) / total * static_cast<double>(kCurvePieces))];
    piece.updates = updates;
    piece.samples = number_of(record, "samples");
    piece.loss.add(number_of(record, "loss"));
    piece.exact.add(number_of(record, "exact"));
    piece.lr.add(number_of(record, "lr"));
    piece.samples_per_s.add(number_of(record, "samples_per_s"));
    piece.tflops_per_s.add(number_of(record, "tflops_per_s"));
    piece.peak_share.add(number_of(record, "peak_share"));
    piece.peak_memory_mb.add(number_of(record, "peak_memory_mb"));
    add_list(piece.loss_per_step, record, "loss_per_step");
    add_list(piece.exact_per_step, record, "exact_per_step");
    run.updates = static_cast<std::int64_t>(updates);
    run.samples = std::isnan(piece.samples) ? 0 : static_cast<std::int64_t>(piece.samples);
    run.seconds = number_of(record, "seconds");
  }
  auto& curves = run.curves;
  for (const auto& [number, piece] : pieces) {
    const auto before = curves.updates.size();
    curves.updates.push_back(piece.updates);
    curves.samples.push_back(piece.samples);
    curves.loss.push_back(piece.loss.value());
    curves.exact.push_back(piece.exact.value());
    curves.lr.push_back(piece.lr.value());
    curves.samples_per_s.push_back(piece.samples_per_s.value());
    curves.tflops_per_s.push_back(piece.tflops_per_s.value());
    curves.peak_share.push_back(piece.peak_share.value());
    curves.peak_memory_mb.push_back(piece.peak_memory_mb.value());
    store(curves.loss_per_step, piece.loss_per_step, before);
    store(curves.exact_per_step, piece.exact_per_step, before);
  }
}

/// The results in a folder.
struct Results {
  std::map<std::int64_t, Json> plain;                             ///< <update>.json, by update
  std::map<std::string, std::pair<std::int64_t, Json>> variants;  ///< <update>-<variant>.json: the newest, by variant
};

Results results_in(const fs::path& folder) {
  Results results;
  if (!fs::is_directory(folder)) return results;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto stem = entry.path().stem().string();
    const auto digits = std::min(stem.find_first_not_of("0123456789"), stem.size());
    if (entry.path().extension() != ".json" || digits == 0 || digits > 18) continue;
    const auto update = std::stoll(stem.substr(0, digits));
    if (digits == stem.size()) {
      results.plain.emplace(update, read_json(entry.path()));
    } else if (stem[digits] == '-' && !stem.ends_with("_submission") && !stem.ends_with("_candidates")) {
      auto& newest = results.variants[stem.substr(digits)];
      if (newest.second.is_null() || newest.first < update) newest = {update, read_json(entry.path())};
    }
  }
  return results;
}

/// The last `parts` parts of a path, "base/seed0".
std::string ending(const fs::path& path, std::size_t parts) {
  std::vector<std::string> names;
  for (const auto& part : path.lexically_normal()) {
    if (!part.empty() && part != ".") names.push_back(part.string());
  }
  std::string text;
  for (auto i = names.size() - std::min(parts, names.size()); i < names.size(); ++i) {
    text += (text.empty() ? "" : "/") + names[i];
  }
  return text.empty() ? path.string() : text;
}

}  // namespace

std::vector<RunData> read_runs(const std::vector<std::string>& paths) {
  std::vector<RunData> runs;
  for (const auto& path : paths) runs.push_back(read_run(path));
  for (std::size_t parts = 2; parts < 8; ++parts) {
    std::map<std::string, int> count;
    for (const auto& run : runs) ++count[run.name];
    for (auto& run : runs) {
      if (count[run.name] > 1) run.name = ending(run.path, parts);
    }
  }
  return runs;
}

RunData read_run(const fs::path& path) {
  const auto config = path / "config.json";
  if (!fs::exists(config)) {
    throw UserError("'" + path.string() +
                    "' is not a run folder: it has no config.json; expected a folder that `dis train --run-dir` made");
  }
  RunData run;
  run.path = path.string();
  run.config = load_config(config);
  run.name = ending(path, 1);
  read_metrics(path / "metrics.jsonl", run);
  run.finished = run.updates >= run.config.train.steps &&
                 fs::exists(path / "checkpoints" / std::to_string(run.updates) / "state.json");
  auto scores = results_in(path / "eval");
  for (auto& [update, json] : scores.plain) run.evaluations.push_back(std::move(json));
  for (auto& [name, found] : scores.variants) run.variants.push_back(std::move(found.second));
  auto analyses = results_in(path / "analysis");
  if (!analyses.plain.empty()) {
    run.analysis = std::move(analyses.plain.rbegin()->second);
  } else if (!analyses.variants.empty()) {
    run.analysis = std::move(analyses.variants.begin()->second.second);
  }
  return run;
}

}  // namespace dis
