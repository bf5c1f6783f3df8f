#include "dis/reproduce/ablation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "dis/core/error.h"
#include "dis/report/svg.h"
#include "dis/train/plan.h"
#include "dis/train/schedule.h"

namespace dis {
namespace {

struct Level {
  const char* factor;
  const char* level;
  std::vector<const char*> changes;
  double rate = 1.0;  ///< times the base's learning rate
};

/// A level of the factor `method`: what every baseline needs, and `changes`. The base's learning rate was chosen for
/// DIS, so the baselines have lower ones, too.
Level baseline(const char* level, std::vector<const char*> changes, double rate = 1.0) {
  changes.insert(changes.end(), {"method.targets=label", "method.time=none"});
  return {"method", level, std::move(changes), rate};
}

const std::vector<Level>& levels() {
  static const std::vector<const char*> trm{"method.algorithm=trm"};
  static const std::vector<const char*> trm_336{"method.algorithm=trm", "method.num_supervision=16", "model.H_cycles=3",
                                                "model.L_cycles=6"};
  static const std::vector<const char*> hrm{"method.algorithm=hrm", "method.num_supervision=16", "model.H_cycles=2",
                                            "model.L_cycles=2"};
  static const std::vector<Level> all{
      {"time", "continuous", {"method.time=continuous"}},
      {"time", "none", {"method.time=none"}},
      {"targets", "path", {"method.targets=path"}},
      {"targets", "mask", {"method.targets=mask"}},
      {"targets", "replace", {"method.targets=replace"}},
      {"targets", "programmatic", {"method.targets=programmatic"}},
      {"targets", "label", {"method.targets=label"}},
      {"feedback", "prediction", {"method.feedback=prediction"}},
      {"steps", "1", {"method.num_supervision=1"}},
      {"steps", "2", {"method.num_supervision=2"}},
      {"steps", "4", {"method.num_supervision=4"}},
      {"steps", "6", {"method.num_supervision=6"}},
      {"steps", "8", {"method.num_supervision=8"}},
      {"depth", "T1_n1", {"model.H_cycles=1", "model.L_cycles=1"}},
      {"depth", "T1_n4", {"model.H_cycles=1", "model.L_cycles=4"}},
      {"depth", "T2_n2", {"model.H_cycles=2", "model.L_cycles=2"}},
      {"depth", "T3_n6", {"model.H_cycles=3", "model.L_cycles=6"}},
      {"objective", "dual", {"method.objective=dual"}},
      {"step_weights", "linear", {"method.step_weights=linear"}},
      {"update", "accumulated", {"method.update=accumulated"}},
      {"rate", "half", {}, 0.5},
      {"rate", "quarter", {}, 0.25},
      baseline("trm_equal_passes", trm),
      baseline("trm_equal_passes_half_rate", trm, 0.5),
      baseline("trm_equal_passes_quarter_rate", trm, 0.25),
      baseline("trm_336_passes", trm_336),
      baseline("trm_336_passes_half_rate", trm_336, 0.5),
      baseline("trm_336_passes_quarter_rate", trm_336, 0.25),
      baseline("hrm", hrm),
      baseline("hrm_half_rate", hrm, 0.5),
      baseline("hrm_quarter_rate", hrm, 0.25),
  };
  return all;
}

std::set<std::string> known_factors() {
  std::set<std::string> names;
  for (const auto& level : levels()) names.insert(level.factor);
  return names;
}

/// Pieces in a row.
std::string concat(std::initializer_list<std::string_view> pieces) {
  std::string result;
  for (const auto piece : pieces) result += piece;
  return result;
}

double share(const Json& evaluation, const char* decoder, const char* kind) {
  return evaluation.at("test_sets").front().at(decoder).at(kind).at("value").get<double>();
}

std::string text(const char* format, double value) {
  if (std::isnan(value)) return "";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

/// "0.626 ± 0.366"; with one seed the mean alone, with none nothing. `format` is that of the mean.
std::string with_interval(const SeedMean& mean, const char* format = "%.3f") {
  if (mean.n == 0) return "";
  return text(format, mean.value) + (std::isnan(mean.half_width) ? "" : text(" ± %.3f", mean.half_width));
}

std::string signed_with_interval(const SeedMean& mean) { return with_interval(mean, "%+.3f"); }

Json json_of(const SeedMean& mean) {
  return {{"mean", number_or_text(mean.value)}, {"half_width_95", number_or_text(mean.half_width)}, {"seeds", mean.n}};
}

std::int64_t cells(const RunConfig& config) { return config.data.board_size * config.data.board_size; }

constexpr std::int64_t kBoardVocabulary = 3;  // pad, empty, queen

}  // namespace

std::string Variant::name() const { return factor == "base" ? factor : concat({factor, "-", level}); }

std::vector<Variant> ablation_variants(const RunConfig& base, const std::vector<std::string>& factors) {
  if (base.data.kind != DataKind::nqueens || base.method.algorithm != Algorithm::dis) {
    throw UserError("the ablation's base must be DIS on boards, found data.kind = " + to_string(base.data.kind) +
                    " and method.algorithm = " + to_string(base.method.algorithm));
  }
  const auto known = known_factors();
  for (const auto& factor : factors) {
    if (known.contains(factor)) continue;
    std::string list;
    for (const auto& name : known) list += concat({list.empty() ? "" : ", ", name});
    throw UserError(concat({"unknown factor '", factor, "'; there are: ", list}));
  }
  const double budget = training_flops(base, cells(base), kBoardVocabulary);
  std::vector<Variant> variants{{"base", "base", base}};
  for (const auto& level : levels()) {
    if (!factors.empty() && std::ranges::find(factors, level.factor) == factors.end()) continue;
    auto config = base;
    for (const auto* change : level.changes) apply_override(config, change);
    config.optim.lr *= level.rate;
    if (config == base) continue;  // the base's own level
    check_config(config, concat({"the variant ", level.factor, " ", level.level}));
    config = with_budget(config, budget, cells(config), kBoardVocabulary);
    config.run.name = concat({level.factor, ": ", level.level});
    variants.push_back({level.factor, level.level, config});
  }
  return variants;
}

Experiment experiment_of(const Variant& variant, std::int64_t index) {
  auto config = variant.config;
  config.run.seed += index;
  return {concat({variant.name(), "/seed", std::to_string(index)}), config};
}

AblationScores collect_ablation(const std::vector<Variant>& variants, std::int64_t seeds,
                                const std::filesystem::path& folder) {
  AblationScores scores;
  std::vector<std::optional<Findings>> base;
  std::vector<double> detectable;
  for (const auto& variant : variants) {
    std::vector<std::optional<Findings>> runs;
    for (std::int64_t i = 0; i < seeds; ++i) runs.push_back(findings_of(experiment_of(variant, i), folder));
    if (variant.factor == "base") base = runs;
    std::vector<double> valid, exact, commit, valid_difference, exact_difference;
    VariantScores row{variant, 0, {}, {}, {}, {}, {}, 0.0, 0.0, 0.0};
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (!runs[i]) continue;
      const auto& evaluation = runs[i]->evaluation;
      ++row.seeds;
      row.seconds += runs[i]->seconds;
      row.samples += static_cast<double>(runs[i]->samples);
      scores.boards = evaluation.at("test_sets").front().at("argmax").at("boards").get<std::int64_t>();
      valid.push_back(share(evaluation, "argmax", "valid"));
      exact.push_back(share(evaluation, "argmax", "exact"));
      if (evaluation.at("test_sets").front().contains("commit")) commit.push_back(share(evaluation, "commit", "valid"));
      if (!base[i]) continue;
      valid_difference.push_back(valid.back() - share(base[i]->evaluation, "argmax", "valid"));
      exact_difference.push_back(exact.back() - share(base[i]->evaluation, "argmax", "exact"));
    }
    row.valid = mean_of(valid);
    row.exact = mean_of(exact);
    row.commit_valid = mean_of(commit);
    row.seconds /= std::max(1, row.seeds);
    row.samples /= std::max(1, row.seeds);
    const auto shape = network_shape(variant.config, cells(variant.config), kBoardVocabulary);
    row.forward_passes = static_cast<double>(passes_per_sample(shape).forward);
    if (variant.factor != "base") {
      row.valid_difference = mean_of(valid_difference);
      row.exact_difference = mean_of(exact_difference);
      const double least = detectable_difference(valid_difference);
      if (!std::isnan(least)) detectable.push_back(least);
    } else {
      row.valid_difference = row.exact_difference = mean_of({});
    }
    scores.variants.push_back(std::move(row));
  }
  std::ranges::sort(detectable);
  scores.detectable = detectable.empty() ? mean_of({}).value : detectable[detectable.size() / 2];
  return scores;
}

std::string to_csv(const AblationScores& scores) {
  std::string csv =
      "factor,level,seeds,valid,valid_half_width,exact,exact_half_width,commit_valid,commit_valid_half_width,"
      "valid_difference,valid_difference_half_width,exact_difference,exact_difference_half_width,updates,samples,"
      "forward_passes,seconds\n";
  for (const auto& row : scores.variants) {
    csv += concat({row.variant.factor, ",", row.variant.level, ",", std::to_string(row.seeds)});
    for (const auto* mean : {&row.valid, &row.exact, &row.commit_valid, &row.valid_difference, &row.exact_difference}) {
      csv += concat({",", text("%.6f", mean->value), ",", text("%.6f", mean->half_width)});
    }
    csv += concat({",", std::to_string(updates_of(row.variant.config))});
    csv += text(",%.0f", row.samples) + text(",%.0f", row.forward_passes) + text(",%.1f\n", row.seconds);
  }
  return csv;
}

std::string to_markdown(const AblationScores& scores) {
  std::string table =
      "| factor | level | valid | from the base | exact | from the base | valid, commit | updates | samples | seconds "
      "| "
      "seeds |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : scores.variants) {
    table += concat({"| ", row.variant.factor, " | ", row.variant.level, " | "});
    if (row.seeds == 0) {
      table += concat({"not run | | | | | ", std::to_string(updates_of(row.variant.config)), " | | | 0 |\n"});
      continue;
    }
    table +=
        concat({with_interval(row.valid), " | ", signed_with_interval(row.valid_difference), " | ",
                with_interval(row.exact), " | ", signed_with_interval(row.exact_difference), " | ",
                with_interval(row.commit_valid), " | ", std::to_string(updates_of(row.variant.config)), " | ",
                text("%.0f", row.samples), " | ", text("%.0f", row.seconds), " | ", std::to_string(row.seeds), " |\n"});
  }
  table +=
      "\nMean ± half of the 95 % interval over seeds; differences are paired by seed. Every run has the base's "
      "training FLOPs.";
  if (!std::isnan(scores.detectable)) {
    table += " A difference of " + text("%.3f", scores.detectable) +
             " in `valid` would be seen with a probability of 80 % (median over the variants).";
  }
  return table + "\n";
}

Json to_json(const AblationScores& scores) {
  Json json = {{"boards", scores.boards},
               {"detectable_difference", number_or_text(scores.detectable)},
               {"variants", Json::array()}};
  for (const auto& row : scores.variants) {
    json["variants"].push_back({{"factor", row.variant.factor},
                                {"level", row.variant.level},
                                {"seeds", row.seeds},
                                {"valid", json_of(row.valid)},
                                {"exact", json_of(row.exact)},
                                {"commit_valid", json_of(row.commit_valid)},
                                {"valid_difference", json_of(row.valid_difference)},
                                {"exact_difference", json_of(row.exact_difference)},
                                {"updates", updates_of(row.variant.config)},
                                {"samples", row.samples},
                                {"forward_passes_per_sample", row.forward_passes},
                                {"seconds", row.seconds}});
  }
  return json;
}

std::string to_svg(const AblationScores& scores) {
  constexpr double kLeft = 210, kWidth = 420, kLine = 22, kTop = 46;
  const auto rows = static_cast<double>(scores.variants.size());
  Svg svg(kLeft + kWidth + 30, kTop + kLine * rows + 40);
  const auto x_of = [&](double share) { return kLeft + kWidth * std::clamp(share, 0.0, 1.0); };
  svg.text(12, 18, "Share of boards completed validly (argmax), mean and 95 % interval over seeds");
  for (int tenth = 0; tenth <= 10; tenth += 2) {
    const double x = x_of(tenth / 10.0);
    svg.line(x, kTop - 14, x, kTop + kLine * rows, "grid");
    svg.text(x, kTop + kLine * rows + 18, text("%.1f", tenth / 10.0), "middle");
  }
  double y = kTop;
  for (const auto& row : scores.variants) {
    svg.text(kLeft - 12, y + 4,
             row.variant.factor == "base" ? "base" : concat({row.variant.factor, ": ", row.variant.level}), "end");
    if (row.seeds == 0) {
      svg.text(kLeft + 6, y + 4, "not run");
    } else {
      const double half = std::isnan(row.valid.half_width) ? 0.0 : row.valid.half_width;
      svg.line(x_of(row.valid.value - half), y, x_of(row.valid.value + half), y, "interval");
      svg.circle(x_of(row.valid.value), y, 4, row.variant.factor == "base" ? "base" : "point");
    }
    y += kLine;
  }
  if (!scores.variants.empty() && scores.variants.front().seeds > 0) {
    const double x = x_of(scores.variants.front().valid.value);
    svg.line(x, kTop - 14, x, kTop + kLine * rows, "reference");
  }
  return svg.document();
}

}  // namespace dis
