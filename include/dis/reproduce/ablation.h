// The N-Queens ablation: one factor at a time from a base, every variant with the base's training FLOPs, several seeds.
#pragma once

#include <string>
#include <vector>

#include "dis/reproduce/experiment.h"
#include "dis/reproduce/statistics.h"

namespace dis {

/// A level of a factor. The base is the level "base" of the factor "base".
struct Variant {
  std::string factor, level;
  RunConfig config;  ///< with the budget's train.steps; the seed is that of the base

  std::string name() const;  ///< "base", "targets-path"
};

/// All variants, the base first; of `factors` alone unless that is empty. UserError: an unknown factor, a base that is
/// not DIS on N-Queens boards.
std::vector<Variant> ablation_variants(const RunConfig& base, const std::vector<std::string>& factors);

/// Seed `index` of a variant: its run folder is <variant>/seed<index>.
Experiment experiment_of(const Variant& variant, std::int64_t index);

/// A variant over its seeds: argmax and commit on the first test set.
struct VariantScores {
  Variant variant;
  int seeds = 0;                                ///< finished
  SeedMean valid, exact, commit_valid;          ///< shares of the boards
  SeedMean valid_difference, exact_difference;  ///< from the base, paired by seed
  double seconds = 0.0, samples = 0.0;          ///< mean of a run
  double forward_passes = 0.0;                  ///< per sample in training, as far as it may go
};

struct AblationScores {
  std::vector<VariantScores> variants;
  double detectable = 0.0;  ///< difference in `valid` that so many seeds would show (median over the variants)
  std::int64_t boards = 0;
};

AblationScores collect_ablation(const std::vector<Variant>& variants, std::int64_t seeds,
                                const std::filesystem::path& folder);

std::string to_csv(const AblationScores& scores);
std::string to_markdown(const AblationScores& scores);
Json to_json(const AblationScores& scores);
/// Points with intervals, one line a variant.
std::string to_svg(const AblationScores& scores);

}  // namespace dis
