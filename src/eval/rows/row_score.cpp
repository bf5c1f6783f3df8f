// Answers to rows, counted by the measures of their data set, and as JSON and text.
#include <algorithm>
#include <cstdio>

#include "../kind_evaluation.h"
#include "dis/core/error.h"
#include "dis/eval/intervals.h"

namespace dis {
namespace {

using Kind = Measure::Kind;

Rate rate_of_counts(const MeasureCount& count) { return {count.hits, count.total}; }

/// Hits of each, 0 without any.
double mean_of(const MeasureCount& count) { return rate_of_counts(count).value(); }

Json value_of(const Measure& measure, const MeasureCount& count) {
  if (measure.kind == Kind::share) return rate_json(rate_of_counts(count));
  if (measure.kind == Kind::ratio) return mean_of(count);
  return {{"mean", mean_of(count)}, {"total", count.hits}};
}

std::string text_of_measure(const Measure& measure, const MeasureCount& count) {
  return measure.title + " " +
         (measure.kind == Kind::share ? rate_text(rate_of_counts(count)) : std::to_string(mean_of(count)));
}

/// A text at the start of a column.
std::string column(const std::string& text, int width) {
  char padded[64];
  std::snprintf(padded, sizeof padded, "%-*s", width, text.c_str());
  return padded;
}

void end_line(std::string& text) {
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

std::string cell_text(const Measure& measure, const MeasureCount& count) {
  if (measure.kind == Kind::share) return column(rate_text(rate_of_counts(count)), 23);
  char number[32];
  std::snprintf(number, sizeof number, "%.4f", mean_of(count));
  return column(number, 12);
}

}  // namespace

RowScore::RowScore(const DataSet& data) : data_(data), measures_(data.measures()), counts_(measures_.size()) {}

void RowScore::add(const AnsweredRow& row) {
  const auto more = data_.score(row);
  ensure(more.size() == counts_.size(), "RowScore::add", "a count for each measure");
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i].hits += more[i].hits;
    counts_[i].total += more[i].total;
  }
}

double RowScore::main() const { return mean_of(counts_.front()); }

std::string RowScore::main_text() const { return text_of_measure(measures_.front(), counts_.front()); }

std::string RowScore::text() const {
  std::string text;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    text += (i == 0 ? "" : ", ") + text_of_measure(measures_[i], counts_[i]);
  }
  return text;
}

Json to_json(const RowScore& score) {
  Json json = Json::object();
  for (std::size_t i = 0; i < score.measures().size(); ++i) {
    json[score.measures()[i].key] = value_of(score.measures()[i], score.counts()[i]);
  }
  return json;
}

void StepScores::add(const Answers& answers, const RowBatch& batch) {
  if (answers.made.empty()) return;
  const auto length = batch.labels.size() / answers.made.size();
  for (std::size_t s = 0; s < after.size(); ++s) {
    for (std::size_t i = 0; i < answers.made.size(); ++i) {
      after[s].add(batch.answered(i, std::span(answers.steps[s]).subspan(i * length, length)));
    }
  }
  rows += std::ssize(answers.made);
  made += steps_made(answers);
}

Json to_json(const StepScores& scores, bool per_step) {
  Json json = Json::object();
  if (per_step) {
    for (const auto& step : scores.after) json["per_supervision_step"].push_back(to_json(step));
  }
  if (const auto mean = scores.mean_steps()) json["mean_steps"] = *mean;
  return json;
}

std::string step_table(const StepScores& scores) {
  std::string table = "after supervision step      ";
  for (const auto& measure : scores.after.front().measures()) {
    table += measure.kind == Kind::share ? column(measure.title + " [95 %]", 24) : column(measure.title, 12);
  }
  end_line(table);
  for (std::size_t s = 0; s < scores.after.size(); ++s) {
    const auto& step = scores.after[s];
    char number[32];
    std::snprintf(number, sizeof number, "  %-22zu  ", s + 1);
    table += number;
    for (std::size_t i = 0; i < step.counts().size(); ++i) table += cell_text(step.measures()[i], step.counts()[i]);
    end_line(table);
  }
  return table + mean_steps_text(scores.mean_steps());
}

}  // namespace dis
