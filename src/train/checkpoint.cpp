#include "dis/train/checkpoint.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/safetensors.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;

fs::path folder_of(const fs::path& run) { return run / "checkpoints"; }

/// Update numbers of the whole checkpoints, ascending.
std::vector<std::int64_t> updates_in(const fs::path& run) {
  std::vector<std::int64_t> updates;
  if (!fs::is_directory(folder_of(run))) return updates;
  for (const auto& entry : fs::directory_iterator(folder_of(run))) {
    const auto name = entry.path().filename().string();
    const bool number = !name.empty() && name.size() < 19 && name.find_first_not_of("0123456789") == std::string::npos;
    if (number && !entry.is_symlink() && entry.is_directory()) updates.push_back(std::stoll(name));
  }
  std::sort(updates.begin(), updates.end());
  return updates;
}

/// What checkpoints there are, for messages.
std::string list_of(const fs::path& run) {
  std::string list;
  for (const auto update : updates_in(run)) list += (list.empty() ? "" : ", ") + std::to_string(update);
  return list.empty() ? "none" : list;
}

/// The checkpoint that a link names. A folder that travelled (scp -r, zip) may have, in place of the link, a copy of
/// the checkpoint or a file with the link's text. Empty: something else.
std::string name_behind(const fs::path& link) {
  const auto type = fs::symlink_status(link).type();
  fs::path target;
  if (type == fs::file_type::symlink) target = fs::read_symlink(link);
  if (type == fs::file_type::regular) {
    const auto text = read_text(link);
    target = text.substr(0, text.find_last_not_of(" \r\n") + 1);
  }
  if (type == fs::file_type::directory && fs::exists(link / "state.json")) {
    const auto state = read_json(link / "state.json");
    if (state.is_object() && state.contains("step")) target = state["step"].dump();
  }
  return (target.has_filename() ? target : target.parent_path()).filename().string();
}

/// Makes a link of what stands in its place; UserError where that is not what name_behind() knows.
void restore_link(const fs::path& run, const char* name) {
  const auto link = folder_of(run) / name;
  const auto type = fs::symlink_status(link).type();
  if (type == fs::file_type::symlink || type == fs::file_type::not_found) return;
  const auto target = name_behind(link);
  if (target.empty()) throw UserError("'" + link.string() + "' should be a link to a checkpoint: remove it");
  if (type == fs::file_type::directory) {
    if (fs::exists(folder_of(run) / target)) {
      fs::remove_all(link);
    } else {
      fs::rename(link, folder_of(run) / target);
    }
  }
  replace_symlink(link, target);
}

/// Of the best checkpoint: by its link or, where that did not travel, by what the latest one says. Empty: unknown.
std::string name_of_best(const fs::path& run) {
  const auto link = folder_of(run) / "best";
  if (fs::symlink_status(link).type() != fs::file_type::not_found) return name_behind(link);
  const auto latest = latest_checkpoint(run);
  if (!latest || !fs::exists(*latest / "state.json")) return "";
  const auto best = read_json(*latest / "state.json").value("best", Json::object());
  return best.is_object() && best.contains("step") ? best["step"].dump() : "";
}

/// The moving average of a checkpoint, flat.
at::Tensor read_ema(const fs::path& file, const Weights& weights) {
  const auto tensors = read_tensors(file);
  const auto where = "checkpoint file '" + file.string() + "'";
  std::vector<at::Tensor> parts;
  for (const auto& spec : weights.table()) {
    if (spec.kind == WeightKind::buffer) continue;
    parts.push_back(tensor_called(spec.name, tensors, spec.shape, at::kFloat, where).flatten());
  }
  return at::cat(parts);
}

/// Moves the link `best`, and removes the checkpoints that are not to be kept.
void keep_best_and_last(const fs::path& run, const RunState& state, std::int64_t keep_last) {
  if (state.best_score) replace_symlink(folder_of(run) / "best", std::to_string(state.best_update));
  const auto all = updates_in(run);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep_last) < all.size(); ++i) {
    if (state.best_score && all[i] == state.best_update) continue;
    fs::remove_all(folder_of(run) / std::to_string(all[i]));
  }
}

}  // namespace

void save_checkpoint(const fs::path& run, const RunState& state, const Backbone& model, const Optimiser& optimiser,
                     const NamedTensors& lanes, std::int64_t keep_last) {
  const at::NoGradGuard no_grad;
  ensure_folder(folder_of(run));
  const auto final_folder = folder_of(run) / std::to_string(state.updates);
  const auto partial = folder_of(run) / (std::to_string(state.updates) + ".partial");
  fs::remove_all(partial);
  ensure_folder(partial);
  try {
    save_weights(partial / "model.safetensors", model.weights());
    if (optimiser.ema().defined()) save_weights(partial / "ema.safetensors", model.weights(), optimiser.ema());
    auto trainer = optimiser.state();
    trainer.insert(trainer.end(), lanes.begin(), lanes.end());
    write_tensors(partial / "trainer.safetensors", trainer);
    write_json(partial / "state.json", to_json(state));
    fs::remove_all(final_folder);
    fs::rename(partial, final_folder);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
  sync_folder(folder_of(run));
  replace_symlink(folder_of(run) / "latest", std::to_string(state.updates));
  keep_best_and_last(run, state, keep_last);
}

void update_checkpoint(const fs::path& run, const RunState& state, std::int64_t keep_last) {
  write_json(folder_of(run) / std::to_string(state.updates) / "state.json", to_json(state));
  keep_best_and_last(run, state, keep_last);
}

std::optional<fs::path> latest_checkpoint(const fs::path& run) {
  const auto link = folder_of(run) / "latest";
  const auto kind = fs::symlink_status(link).type();
  const auto all = updates_in(run);
  // Without the link (killed before the first one, or copied without it) the newest: all that have a number are whole.
  if (kind == fs::file_type::not_found) {
    return all.empty() ? std::nullopt : std::optional(folder_of(run) / std::to_string(all.back()));
  }
  const auto target = name_behind(link);
  for (const auto update : all) {
    if (target == std::to_string(update)) return folder_of(run) / target;
  }
  if (kind == fs::file_type::directory && !target.empty()) return link;  // only the copy is there
  const bool is_link = kind == fs::file_type::symlink;
  throw UserError("'" + link.string() + "' should be a link to a checkpoint, found " +
                  (is_link ? "a link to '" + fs::read_symlink(link).string() + "'" : "something else") +
                  "; there are: " + list_of(run) + "; point it to one of them, or remove it to take the newest");
}

fs::path find_checkpoint(const fs::path& run, const std::string& update) {
  const auto folder = folder_of(run) / update;
  if (update == "latest") {
    if (const auto latest = latest_checkpoint(run)) return *latest;
  } else if (update == "best") {
    const auto best = name_of_best(run);
    if (!best.empty() && fs::is_directory(folder_of(run) / best)) return folder_of(run) / best;
  }
  if (fs::is_directory(folder)) return fs::canonical(folder);
  throw UserError("run '" + run.string() + "' has no checkpoint '" + update + "'; it has: " + list_of(run) +
                  (updates_in(run).empty() ? "" : " (and the names latest, best)"));
}

bool scores_average(const RunConfig& config) { return config.optim.ema_rate > 0.0 && config.eval.ema; }

ScoredWeights scored_weights(const fs::path& checkpoint, bool prefer_average) {
  const bool averaged = prefer_average && fs::exists(checkpoint / "ema.safetensors");
  return {checkpoint / (averaged ? "ema.safetensors" : "model.safetensors"), averaged};
}

Json to_json(const RunState& state) {
  Json json = {{"format", kFormat},        {"step", state.updates},    {"batches", state.batches},
               {"samples", state.samples}, {"seconds", state.seconds}, {"device_seconds", state.device_seconds}};
  if (state.best_score) json["best"] = {{"score", *state.best_score}, {"step", state.best_update}};
  if (state.evaluation_due) json["evaluation_due"] = true;
  if (state.rollbacks > 0) json["rollbacks"] = state.rollbacks;
  return json;
}

RunState run_state_from(const Json& json, const std::string& where) {
  RunState state;
  try {
    if (json.at("format") != kFormat) {
      throw UserError(where + " has format " + in_message(json.at("format")) + ", expected " + std::to_string(kFormat) +
                      ": it was written by another version of this program");
    }
    const auto count = [&](const Json& object, const char* key) {
      const Json& value = object.at(key);
      if (!value.is_number_unsigned() || !std::in_range<std::int64_t>(value.get<std::uint64_t>())) {
        throw UserError(where + " is damaged: " + key + ": expected a count, found " + in_message(value));
      }
      return value.get<std::int64_t>();
    };
    state.updates = count(json, "step");
    state.batches = count(json, "batches");
    state.samples = count(json, "samples");
    state.seconds = json.at("seconds").get<double>();
    state.device_seconds = json.value("device_seconds", state.seconds);  // of one rank, before it was kept
    if (json.contains("best")) {
      state.best_score = json.at("best").at("score").get<double>();
      state.best_update = count(json.at("best"), "step");
    }
    state.evaluation_due = json.value("evaluation_due", false);
    if (json.contains("rollbacks")) state.rollbacks = count(json, "rollbacks");
  } catch (const Json::exception& error) {
    throw UserError(where + " is damaged: " + error.what());
  }
  return state;
}

RunState read_state(const fs::path& file) {
  return run_state_from(read_json(file), "checkpoint file '" + file.string() + "'");
}

RunState load_checkpoint(const fs::path& folder, Backbone& model, Optimiser& optimiser, NamedTensors& lanes) {
  const at::NoGradGuard no_grad;
  RunState state = read_state(folder / "state.json");
  const auto file = folder / "trainer.safetensors";
  auto stored = read_tensors(file);
  auto wanted = optimiser.state();
  std::vector<at::Tensor> found;
  for (const auto& [name, tensor] : wanted) {
    found.push_back(tensor_called(name, stored, tensor.sizes(), at::kFloat, "checkpoint file '" + file.string() + "'"));
  }
  at::Tensor ema;
  if (optimiser.ema().defined()) ema = read_ema(folder / "ema.safetensors", model.weights());
  // The last that can fail; it changes all or nothing, and what follows cannot fail.
  load_weights(folder / "model.safetensors", model.weights());
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i].second.copy_(found[i]);
  if (ema.defined()) optimiser.ema().copy_(ema);
  optimiser.set_updates(state.updates);
  lanes.clear();
  for (auto& [name, tensor] : stored) {
    if (name.starts_with("lanes.")) lanes.emplace_back(name, tensor);
  }
  return state;
}

void tidy_checkpoints(const fs::path& run) {
  if (!fs::is_directory(folder_of(run))) return;
  for (const char* name : {"latest", "best"}) restore_link(run, name);
  if (const auto latest = latest_checkpoint(run)) {
    const auto newest = std::stoll(latest->filename().string());
    for (const auto update : updates_in(run)) {
      if (update > newest) fs::remove_all(folder_of(run) / std::to_string(update));
    }
    if (!fs::exists(folder_of(run) / "latest")) replace_symlink(folder_of(run) / "latest", latest->filename());
  }
  for (const auto& entry : fs::directory_iterator(folder_of(run))) {
    if (entry.path().extension() == ".partial") fs::remove_all(entry.path());
  }
}

}  // namespace dis
