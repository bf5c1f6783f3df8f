#include "predict_chunks.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/dist/place.h"
#include "dis/eval/intervals.h"
#include "dis/eval/votes/submission.h"
#include "dis/train/checkpoint.h"
#include "dis/train/fit.h"
#include "dis/train/session.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "chunks.json";
constexpr const char* kInput = "input";  // folder of the tasks
constexpr const char* kTasks = "tasks";  // set in this folder

std::string chunk_name(std::int64_t chunk) { return "chunk_" + std::to_string(chunk); }

fs::path copied_tasks(const fs::path& run) {
  return run / kInput / ("arc-agi_" + std::string(kTasks) + "_challenges.json");
}

/// chunks.json. UserError: it is not as it was written.
Json read_chunks(const fs::path& file) {
  auto state = read_json(file);
  const auto asked = state.is_object() ? state.value("asked", Json()) : Json();
  bool whole = asked.is_object() && state.contains("done") && state["done"].is_array();
  for (const auto* key : {"run", "checkpoint", "input", "set", "chunks", "attempts"}) {
    whole = whole && asked.contains(key);
  }
  if (!whole) {
    throw UserError("'" + file.string() + "' is not as dis predict --chunks wrote it; begin anew in another --run-dir");
  }
  return state;
}

}  // namespace

bool has_chunks(const fs::path& run) { return fs::exists(run / kState); }

std::vector<fs::path> chunk_inputs(const fs::path& run) {
  if (!has_chunks(run)) return {};
  const auto asked = read_chunks(run / kState).at("asked");
  return {run, asked.at("input").get<std::string>(), asked.at("run").get<std::string>()};
}

Chunks::Chunks(const PredictOptions& options) : asked_(options) {
  const auto run = options.fit_run();
  const bool there = has_chunks(run);
  if (!options.resume) {
    // So that another command can go on with it from elsewhere, and all chunks begin with the same weights.
    asked_.run = fs::absolute(options.run).string();
    asked_.input = fs::absolute(options.input).string();
    asked_.checkpoint = find_checkpoint(options.run, options.checkpoint).filename().string();
    asked_.set = asked_settings(options);
    asked_.preset.clear();
    state_ = {{"asked",
               {{"run", asked_.run},
                {"checkpoint", asked_.checkpoint},
                {"input", asked_.input},
                {"set", asked_.set},
                {"chunks", asked_.chunks},
                {"attempts", run_config(asked_.run, asked_.set).eval.attempts}}},
              {"done", Json::array()}};
    if (!there) {
      if (fs::exists(run) && !fs::is_empty(run)) {
        throw UserError("'" + run.string() +
                        "', the folder of the chunks, exists already; name another with --run-dir");
      }
      const auto first = this->options(0);
      asked_tasks(first, fit_start(first).config.data.max_grid);  // as many as chunks
      return;
    }
  } else if (!there) {
    throw UserError("--resume: '" + run.string() + "' was not begun with --chunks; leave that out");
  }
  const auto stored = read_chunks(run / kState);
  if (!options.resume && !(find_place().restart > 0 && stored.at("asked") == state_.at("asked"))) {
    throw UserError("'" + run.string() +
                    "', the folder of the chunks, exists already: go on with --resume (without --run, --input and "
                    "--config), or name another with --run-dir");
  }
  state_ = stored;
  const auto& all = state_.at("asked");
  if (options.resume && (!options.set.empty() || (options.chunks != 1 && all.at("chunks") != options.chunks))) {
    throw UserError("--resume: the chunks in '" + run.string() +
                    "' keep the settings and the number that they were begun with; leave out --set and --chunks");
  }
  asked_.run = all.at("run");
  asked_.checkpoint = all.at("checkpoint");
  asked_.input = all.at("input");
  asked_.chunks = all.at("chunks");
  asked_.set = all.at("set").get<std::vector<std::string>>();
  asked_.preset.clear();
}

fs::path Chunks::file() const { return asked_.fit_run() / kState; }

std::vector<std::int64_t> Chunks::todo() const {
  const auto& done = state_.at("done");
  std::vector<std::int64_t> chunks;
  for (std::int64_t chunk = 0; chunk < count(); ++chunk) {
    if (std::ranges::none_of(done, [&](const Json& entry) { return entry.at("chunk") == chunk; })) {
      chunks.push_back(chunk);
    }
  }
  return chunks;
}

PredictOptions Chunks::options(std::int64_t chunk) const {
  auto own = asked_;
  const auto run = asked_.fit_run();
  if (const auto copied = copied_tasks(run); fs::exists(copied)) own.input = copied.string();
  own.chunk = chunk;
  own.fit = (run / chunk_name(chunk)).string();
  own.output = own.fit + ".json";
  own.go_on = "dis predict --output " + asked_.output + " --run-dir " + run.string() + " --resume";
  own.resume = is_fit(own.fit) && fs::exists(fs::path(own.fit) / "config.json");
  if (own.resume) own.set.clear();
  return own;
}

void Chunks::begin() {
  const auto run = asked_.fit_run();
  if (!has_chunks(run)) {
    const auto all = asked_tasks(asked_, 0);
    refuse_seen_tasks(asked_, fit_start(options(0)), all);
    ensure_folder(run);
    write_arc_subset(run / kInput, {kTasks, all});
    write_json(file(), state_);
  }
  write_submission();
}

void Chunks::finish(std::int64_t chunk, const Json& evaluation) {
  Json entry = {{"chunk", chunk}};
  const auto solved = evaluation.at("arc").at("pass_at").value("2", Json());
  if (solved.is_object()) entry["solved"] = solved.at("arc_prize").at("hits");
  if (solved.is_object()) entry["scored"] = solved.at("arc_prize").at("total");
  state_["done"].push_back(std::move(entry));
  write_json(file(), state_);
  write_submission();
}

void Chunks::write_submission() {
  auto tasks = read_arc_tasks(copied_tasks(asked_.fit_run()));
  std::erase_if(tasks, std::not_fn(has_tests));
  const std::vector<std::vector<Grid>> none(test_inputs(tasks).size());
  auto all = submission(tasks, none, state_.at("asked").at("attempts"));
  for (const auto& done : state_.at("done")) {
    all.update(read_json(asked_.fit_run() / (chunk_name(done.at("chunk")) + ".json")));
  }
  write_or_keep(asked_.output, json_file_text(all, -1));
  tasks_ = all.size();
}

std::string Chunks::text() const {
  Rate rate;
  for (const auto& done : state_.at("done")) {
    rate.hits += done.value("solved", std::int64_t{0});
    rate.total += done.value("scored", std::int64_t{0});
  }
  const auto head = std::to_string(tasks_) + " tasks in " + std::to_string(count()) + " chunks";
  return rate.total == 0 ? head
                         : head + ", pass@2 " + rate_text(rate) + " of " + std::to_string(rate.total) +
                               " tasks whose answers are known";
}

}  // namespace dis
