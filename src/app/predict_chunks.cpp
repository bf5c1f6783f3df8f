#include "predict_chunks.h"

#include <algorithm>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/dist/place.h"
#include "dis/eval/votes/submission.h"
#include "dis/train/fit.h"
#include "dis/train/run_content.h"
#include "evaluated_network.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "chunks.json";

/// What a command asks for, so that another one can go on with it from elsewhere.
Json asked_json(const PredictOptions& options) {
  const auto place = [](const std::string& path) { return path.empty() ? path : fs::absolute(path).string(); };
  return {{"run", place(options.run)},
          {"checkpoint", options.checkpoint},
          {"input", place(options.input)},
          {"config", options.preset},
          {"set", options.set},
          {"chunks", options.chunks}};
}

std::string chunk_name(std::int64_t chunk) { return "chunk_" + std::to_string(chunk); }

}  // namespace

bool has_chunks(const fs::path& run) { return fs::exists(run / kState); }

Chunks::Chunks(const PredictOptions& options) : asked_(options) {
  const auto run = options.fit_run();
  const auto asked = asked_json(options);
  if (!has_chunks(run)) {
    if (options.resume) {
      throw UserError("--resume: '" + run.string() + "' was not begun with --chunks; leave that out");
    }
    if (fs::exists(run) && !fs::is_empty(run)) {
      throw UserError("'" + run.string() + "', the folder of the chunks, exists already; name another with --run-dir");
    }
    state_ = {{"asked", asked}, {"done", Json::array()}};
    const auto first = this->options(0);
    asked_tasks(first, fit_start(first).config.data.max_grid);  // as many as chunks
    return;
  }
  state_ = read_json(file());
  if (!options.resume && !(find_place().restart > 0 && state_.at("asked") == asked)) {
    throw UserError("'" + run.string() +
                    "', the folder of the chunks, exists already: go on with --resume (without "
                    "--run, --input and --config), or name another with --run-dir");
  }
  const auto& all = state_.at("asked");
  asked_.run = all.at("run");
  asked_.checkpoint = all.at("checkpoint");
  asked_.input = all.at("input");
  asked_.preset = all.at("config");
  asked_.chunks = all.at("chunks");
  auto set = all.at("set").get<std::vector<std::string>>();
  if (options.resume) set.insert(set.end(), options.set.begin(), options.set.end());
  asked_.set = std::move(set);
}

fs::path Chunks::file() const { return asked_.fit_run() / kState; }

std::vector<std::int64_t> Chunks::todo() const {
  const auto done = state_.at("done").get<std::vector<std::int64_t>>();
  std::vector<std::int64_t> chunks;
  for (std::int64_t chunk = 0; chunk < count(); ++chunk) {
    if (std::ranges::find(done, chunk) == done.end()) chunks.push_back(chunk);
  }
  return chunks;
}

PredictOptions Chunks::options(std::int64_t chunk) const {
  auto own = asked_;
  own.chunk = chunk;
  own.fit = (asked_.fit_run() / chunk_name(chunk)).string();
  own.output = own.fit + ".json";
  own.resume = is_fit(own.fit) && fs::exists(fs::path(own.fit) / "config.json");
  if (own.resume) std::erase_if(own.set, [](const auto& text) { return text.starts_with("predict."); });
  return own;
}

void Chunks::begin() const {
  ensure_folder(asked_.fit_run());
  write_json(file(), state_);
}

void Chunks::finish(std::int64_t chunk) {
  state_["done"].push_back(chunk);
  write_json(file(), state_);
  write_submission();
}

std::size_t Chunks::write_submission() const {
  auto whole = asked_;
  const auto tasks = asked_tasks(whole, 0);
  const auto config = run_config(asked_.fit_run() / chunk_name(0), {});
  std::vector<ArcTask> tested;
  std::ranges::copy_if(tasks, std::back_inserter(tested),
                       [](const ArcTask& task) { return std::ranges::any_of(task.pairs, &ArcPair::test); });
  const std::vector<std::vector<Grid>> none(test_inputs(tested).size());
  auto all = submission(tested, none, config.eval.attempts);
  for (const auto chunk : state_.at("done").get<std::vector<std::int64_t>>()) {
    all.update(read_json(options(chunk).output));
  }
  write_or_keep(asked_.output, json_file_text(all, -1));
  return all.size();
}

}  // namespace dis
