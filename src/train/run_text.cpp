#include "run_text.h"

#include <ATen/Parallel.h>

#include <cstdio>

#include "dis/core/error.h"
#include "dis/core/memory.h"
#include "dis/core/progress.h"
#include "dis/train/plan.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

std::string opening_line(const Session& session, const TrainRequest& request, const RunState& state,
                         const std::optional<fs::path>& latest) {
  const auto& w = session.model->weights();
  std::string text = "run " + request.run.string() + ": " + std::to_string(w.block_parameters()) +
                     " parameters in the blocks, " + std::to_string(w.parameters()) + " trained in all, " +
                     (session.compute.type == at::kBFloat16 ? "bfloat16" : "float32") + " on " +
                     session.compute.device.str() + " with " + std::to_string(at::get_num_threads()) + " threads";
  if (session.ranks->size() > 1) text += ", " + std::to_string(session.ranks->size()) + " ranks";
  if (latest) text += ", going on from update " + std::to_string(state.updates);
  if (request.resume && !latest) text += ", from the start: there is no checkpoint yet";
  return text;
}

std::string closing_line(const Session& session, const TrainRequest& request, const RunState& state) {
  return "trained " + std::to_string(state.updates) + " updates on " + std::to_string(state.samples) + " samples in " +
         format_duration(state.seconds) + ", " + fixed(static_cast<double>(state.samples) / state.seconds, 1) +
         " samples/s on average; peak memory " + scaled(peak_memory_mb(session.compute.device) * 1024.0 * 1024.0, "B") +
         "; weights: " + scored_weights(request.run / "checkpoints" / "latest", session.config.eval.ema).file.string();
}

std::string stopped_line(const TrainRequest& request, const RunState& state, std::int64_t updates) {
  return "stopped by a signal at update " + std::to_string(state.updates) + " of " + std::to_string(updates) +
         ", the checkpoint is written; go on with: " +
         (request.go_on.empty() ? "dis train --run-dir " + request.run.string() + " --resume" : request.go_on);
}

std::string progress_details(const BatchMetrics& last, const Rates& rates) {
  if (last.loss.empty()) return "";
  return "loss " + fixed(last.mean_loss(), 4) + ", exact " + fixed(last.final_exact(), 3) + ", " +
         fixed(rates.samples_per_s, 1) + " samples/s";
}

UserError non_finite_error(const TrainRequest& request, const RunState& state, const std::string& problem) {
  const auto latest = latest_checkpoint(request.run);
  return UserError(
      "training stopped: " + problem + ", in the batch that ended with update " + std::to_string(state.updates) + "; " +
      (latest ? "the last good checkpoint, " + latest->string() + ", is untouched" : "there was no checkpoint yet") +
      "; try a lower optim.lr, a longer optim.warmup_steps or compute.dtype=float32");
}

std::string smaller_batches(const TrainConfig& train) {
  const auto now = train.micro_batch > 0 ? train.micro_batch : train.global_batch;
  if (now == 1) return "use a smaller model or shorter boards";
  return try_half("train.micro_batch", now) + " (the gradients are accumulated, so the result is the same)";
}

}  // namespace dis
