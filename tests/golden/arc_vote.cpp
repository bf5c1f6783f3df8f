#include "arc_vote.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/core/safetensors.h"
#include "dis/data/arc/arc_puzzles.h"
#include "dis/eval/votes/arc_score.h"
#include "dis/eval/votes/arc_vote.h"
#include "dis/eval/votes/crop.h"
#include "dis/eval/votes/submission.h"
#include "settings.h"

namespace dis::golden {
namespace {

constexpr double kMeanTolerance = 1e-12;

template <class Number>
std::vector<Number> numbers(const SafetensorsFile& file, const std::string& name, const std::string& dtype) {
  const auto& info = file.at(name);
  if (info.dtype != dtype) throw UserError("expected '" + name + "' as " + dtype + ", found " + info.dtype);
  std::vector<Number> values(info.bytes / sizeof(Number));
  if (!values.empty()) std::memcpy(values.data(), file.data(info).data(), info.bytes);
  return values;
}

/// Fields [rows, side * side].
struct Fields {
  Fields(const SafetensorsFile& file, const std::string& name) : tokens(numbers<std::uint8_t>(file, name, "U8")) {
    const auto& shape = file.at(name).shape;
    if (shape.size() != 2) throw UserError("expected '" + name + "' as [rows, cells]");
    rows = static_cast<std::size_t>(shape[0]);
    while (side * side < shape[1]) ++side;
    if (side * side != shape[1]) throw UserError("expected '" + name + "' as [rows, side * side]");
  }
  std::span<const std::uint8_t> row(std::size_t i) const {
    const auto length = static_cast<std::size_t>(side * side);
    return std::span(tokens).subspan(i * length, length);
  }

  std::vector<std::uint8_t> tokens;
  std::size_t rows = 0;
  int side = 0;
};

void check_crops(const Json& json, const SafetensorsFile& file) {
  const Fields fields(file, "crop_tokens");
  ASSERT_EQ(fields.rows, json.at("crops").size());
  for (std::size_t i = 0; i < fields.rows; ++i) {
    const Grid grid = crop_prediction(fields.row(i), fields.side);
    EXPECT_EQ(to_text(grid), json["crops"][i].get<std::string>()) << "crop " << i;
    if (!json.contains("crop_sizes")) continue;
    EXPECT_EQ(Json({grid.rows, grid.columns}), json["crop_sizes"].at(i)) << "crop " << i;
  }
}

std::vector<ArcTask> tasks_of(const Json& json) {
  std::vector<ArcTask> tasks;
  for (const auto& [id, pairs] : json.items()) {
    ArcTask task{id, {}};
    for (const Json& pair : pairs) {
      task.pairs.push_back({grid_from_text(pair.at("input").get<std::string>()),
                            grid_from_text(pair.at("output").get<std::string>()), true});
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

/// Adds the predictions of the case. A row belongs to the test inputs of its task that equal its input without the
/// augmentation: several, should a task have the same test input twice, as in the reference.
void vote(VoteBook& book, const Json& json, const SafetensorsFile& file, const std::vector<ArcTask>& tasks,
          int threads) {
  const Fields inputs(file, "inputs"), predictions(file, "preds");
  const auto identifiers = numbers<std::int32_t>(file, "puzzle_identifiers", "I32");
  const auto logits = numbers<float>(file, "q_halt_logits", "F32");
  ASSERT_EQ(inputs.rows, predictions.rows);
  ASSERT_EQ(inputs.rows, identifiers.size());
  std::map<std::pair<std::string, Grid>, std::vector<std::int64_t>> numbers_of;
  std::int64_t number = 0;
  for (const TestInput& input : test_inputs(tasks)) {
    numbers_of[{tasks[input.task].id, input.pair->input}].push_back(number++);
  }
  std::vector<std::int64_t> tests;
  std::vector<Augmentation> augmentations;
  std::vector<std::uint8_t> tokens;
  std::vector<double> probabilities;
  const auto add_row = [&](std::size_t row, std::int64_t test, const Augmentation& augmentation) {
    const auto field = predictions.row(row);
    tests.push_back(test);
    augmentations.push_back(augmentation);
    tokens.insert(tokens.end(), field.begin(), field.end());
    probabilities.push_back(test < 0 ? 0.0 : halting_probability(double{logits.at(row)}));
  };
  for (std::size_t row = 0; row < identifiers.size(); ++row) {
    if (identifiers[row] == 0) {
      add_row(row, -1, {});
      continue;
    }
    const auto name = json.at("identifiers").at(static_cast<std::size_t>(identifiers[row])).get<std::string>();
    const auto [task, augmentation] = parse_identifier(name);
    const Grid input = undo(augmentation, crop_prediction(inputs.row(row), inputs.side));
    const auto found = numbers_of.find({task, input});
    if (found == numbers_of.end()) continue;
    for (const auto test : found->second) add_row(row, test, augmentation);
  }
  book.add({0, predictions.side, tests, augmentations, tokens, probabilities}, threads);
}

void check_ranking(const Json& expected, const std::vector<Candidate>& ranking, const std::string& place) {
  ASSERT_EQ(ranking.size(), expected.size()) << place;
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    EXPECT_EQ(to_text(ranking[i].grid), expected[i][0].get<std::string>()) << place << ", candidate " << i;
    EXPECT_EQ(ranking[i].votes, expected[i][1].get<std::int64_t>()) << place << ", candidate " << i;
    EXPECT_NEAR(ranking[i].mean_probability, expected[i][2].get<double>(), kMeanTolerance)
        << place << ", candidate " << i;
  }
}

void check_rankings(const Json& json, const VoteBook& book, const std::vector<ArcTask>& tasks) {
  std::map<std::string, std::int64_t> first;
  const auto inputs = test_inputs(tasks);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    first.emplace(tasks[inputs[i].task].id, static_cast<std::int64_t>(i));
  }
  std::int64_t checked = 0;
  for (const Json& task : json.at("expected")) {
    for (const Json& test : task.at("tests")) {
      const auto id = task.at("task").get<std::string>();
      const auto number = first.at(id) + test.at("test").get<std::int64_t>();
      const auto place = id + ", test input " + test.at("test").dump();
      check_ranking(test.at("candidates"), book.ranking(number), place);
      EXPECT_EQ(book.votes(number), test.at("votes").get<std::int64_t>()) << place;
      const auto rank = book.rank(number, *inputs[static_cast<std::size_t>(number)].pair->output);
      EXPECT_EQ(rank ? Json(*rank) : Json(nullptr), test.at("solution_rank")) << place;
      ++checked;
    }
  }
  EXPECT_EQ(checked, book.tests());
}

void check_scores(const Json& json, const VoteBook& book, const std::vector<ArcTask>& tasks) {
  ArcScoreSettings settings;
  settings.pass_at.clear();
  for (const auto& [k, value] : json.at("pass_at_reference").items()) settings.pass_at.push_back(std::stoll(k));
  const ArcScore score = score_arc(tasks, book, settings);
  EXPECT_EQ(score.tasks, json.at("tasks_scored").get<std::int64_t>());
  for (std::size_t i = 0; i < settings.pass_at.size(); ++i) {
    const auto k = std::to_string(settings.pass_at[i]);
    const auto& rates = score.pass_at[i];
    EXPECT_NEAR(rates.task_mean.value, json["pass_at_reference"][k].get<double>(), kMeanTolerance) << "pass@" << k;
    EXPECT_NEAR(rates.tasks.value(), json.at("pass_at_official_rule").at(k).get<double>(), kMeanTolerance)
        << "pass@" << k;
    EXPECT_EQ(rates.tasks.hits, json.at("tasks_solved_official_rule").at(k).get<std::int64_t>()) << "pass@" << k;
  }
}

/// As grids are written: the empty one is [[0]].
Json rows_of(const std::string& text) {
  const Grid grid = grid_from_text(text);
  if (grid.cells.empty()) return Json::parse("[[0]]");
  Json rows = Json::array();
  for (int row = 0; row < grid.rows; ++row) {
    rows.push_back(Json::array());
    for (int column = 0; column < grid.columns; ++column) rows.back().push_back(grid.at(row, column));
  }
  return rows;
}

/// The reference leaves out test inputs without predictions; ours have an entry with [[0]] twice.
void check_submission_of(const Json& json, const VoteBook& book, const std::vector<ArcTask>& tasks) {
  const Json ours = submission(tasks, best_grids(book, 2), 2);
  ASSERT_EQ(ours.size(), tasks.size());
  std::map<std::string, std::size_t> used;  // entries of the reference
  const auto inputs = test_inputs(tasks);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& id = tasks[inputs[i].task].id;
    Json attempts = Json::array({"", ""});
    if (book.votes(static_cast<std::int64_t>(i)) > 0) {
      attempts = json.at("submission_reference").at(id).at(used[id]++);
    }
    const Json& entry = ours.at(id).at(static_cast<std::size_t>(inputs[i].test));
    EXPECT_EQ(entry.at("attempt_1"), rows_of(attempts[0].get<std::string>())) << id << " " << inputs[i].test;
    EXPECT_EQ(entry.at("attempt_2"), rows_of(attempts[1].get<std::string>())) << id << " " << inputs[i].test;
  }
  for (const auto& [id, entries] : json["submission_reference"].items()) {
    EXPECT_EQ(entries.size(), used[id]) << "the reference has answers for more test inputs of " << id;
  }
}

}  // namespace

void check_arc_vote(const std::filesystem::path& json_file) {
  const Json json = read_json(json_file);
  expect_no_other_settings(json, {"format", "rows", "padding_rows", "identifiers", "tasks", "expected",
                                  "pass_at_reference", "pass_at_official_rule", "tasks_solved_official_rule",
                                  "tasks_scored", "submission_reference", "submission_gaps", "crops", "crop_sizes"});
  expect_if_stated(json, "format", 1);
  auto tensors = json_file;
  const SafetensorsFile file(tensors.replace_extension(".safetensors"));
  if (file.find("crop_tokens") != nullptr) check_crops(json, file);
  if (file.find("preds") == nullptr) return;
  const auto tasks = tasks_of(json.at("tasks"));
  for (const int threads : {1, 3}) {
    VoteBook book(static_cast<std::int64_t>(test_inputs(tasks).size()));
    vote(book, json, file, tasks, threads);
    check_rankings(json, book, tasks);
    check_scores(json, book, tasks);
    check_submission_of(json, book, tasks);
  }
}

}  // namespace dis::golden
