#include "outputs.h"

#include "dis/core/error.h"

namespace dis {

namespace fs = std::filesystem;

void refuse_input(const fs::path& output, const std::string& named, const std::vector<fs::path>& inputs) {
  std::error_code error;
  const auto file = fs::canonical(output, error);
  if (error) return;  // it is not there: nothing is replaced
  for (const auto& input : inputs) {
    if (input.empty()) continue;
    for (auto place = file; place.has_relative_path(); place = place.parent_path()) {
      if (!fs::equivalent(place, input, error)) continue;
      throw UserError(named + ": '" + output.string() + "' is read by this command ('" + input.string() +
                      "'), and would be replaced; name another with --output");
    }
  }
}

std::vector<fs::path> run_inputs(const fs::path& run) {
  return {run / "config.json",   run / "identifiers.json", run / "seen_tasks.json",
          run / "metrics.jsonl", run / "log.txt",          run / "checkpoints",
          run / "tasks"};
}

}  // namespace dis
