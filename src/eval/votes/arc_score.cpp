#include "dis/eval/votes/arc_score.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "dis/core/error.h"
#include "dis/core/random.h"

namespace dis {
namespace {

constexpr std::size_t kBootstraps = 1000;
/// Keeps the bootstrap's draws apart from those of the votes, whose step is the number of the resampling.
constexpr std::uint64_t kBootstrapStep = 1ULL << 47;

using Rank = std::optional<std::int64_t>;

/// A scored task: its test inputs, as a range of the scored ones.
struct ScoredTask {
  std::size_t first = 0;
  std::size_t count = 0;
};

struct ScoredTests {
  std::vector<ScoredTask> tasks;
  std::int64_t unknown_tasks = 0;
  std::vector<std::int64_t> numbers;  // [test inputs] in the book
  std::vector<const ArcPair*> pairs;  // [test inputs]
};

ScoredTests scored_tests(std::span<const ArcTask> tasks) {
  const auto inputs = test_inputs(tasks);
  ScoredTests scored;
  for (std::size_t first = 0, last = 0; first < inputs.size(); first = last) {
    bool known = true;
    for (; last < inputs.size() && inputs[last].task == inputs[first].task; ++last) {
      known = known && inputs[last].pair->output.has_value();
    }
    if (!known) {
      ++scored.unknown_tasks;
      continue;
    }
    scored.tasks.push_back({scored.numbers.size(), last - first});
    for (std::size_t i = first; i < last; ++i) {
      scored.numbers.push_back(static_cast<std::int64_t>(i));
      scored.pairs.push_back(inputs[i].pair);
    }
  }
  return scored;
}

/// Solved test inputs of each task.
std::vector<std::size_t> solved_in_task(const ScoredTests& tests, const std::vector<bool>& solved) {
  std::vector<std::size_t> counts;
  for (const ScoredTask& task : tests.tasks) {
    const auto begin = solved.begin() + static_cast<std::ptrdiff_t>(task.first);
    counts.push_back(
        static_cast<std::size_t>(std::count(begin, begin + static_cast<std::ptrdiff_t>(task.count), true)));
  }
  return counts;
}

double share_of(std::size_t count, std::size_t total) {
  return total == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(total);
}

SolvedShares shares_of(const ScoredTests& tests, const std::vector<bool>& solved) {
  const auto counts = solved_in_task(tests, solved);
  std::size_t whole = 0, inputs = 0;
  double sum = 0.0;
  for (std::size_t task = 0; task < counts.size(); ++task) {
    whole += counts[task] == tests.tasks[task].count ? 1U : 0U;
    inputs += counts[task];
    sum += share_of(counts[task], tests.tasks[task].count);
  }
  return {share_of(whole, counts.size()), counts.empty() ? 0.0 : sum / static_cast<double>(counts.size()),
          share_of(inputs, solved.size())};
}

/// Value at `part` (0..1) of sorted numbers, between two of them in proportion.
double quantile(const std::vector<double>& sorted, double part) {
  const double place = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

Mean bootstrap(const std::vector<double>& values, std::uint64_t seed) {
  if (values.empty()) return {};
  double sum = 0.0;
  for (const double value : values) sum += value;
  const auto n = static_cast<double>(values.size());
  std::vector<double> means(kBootstraps);
  for (std::size_t i = 0; i < kBootstraps; ++i) {
    Draws draws(seed, Purpose::votes, kBootstrapStep, i);
    double resampled = 0.0;
    for (std::size_t j = 0; j < values.size(); ++j) {
      resampled += values[draws.below(static_cast<std::uint32_t>(values.size()))];
    }
    means[i] = resampled / n;
  }
  std::ranges::sort(means);
  return {sum / n, quantile(means, 0.025), quantile(means, 0.975)};
}

SolvedRates rates_of(const ScoredTests& tests, const std::vector<bool>& solved, std::uint64_t seed) {
  const auto counts = solved_in_task(tests, solved);
  SolvedRates rates;
  std::vector<double> shares;
  for (std::size_t task = 0; task < counts.size(); ++task) {
    rates.tasks.add(counts[task] == tests.tasks[task].count);
    shares.push_back(share_of(counts[task], tests.tasks[task].count));
  }
  for (const bool hit : solved) rates.test_inputs.add(hit);
  rates.task_mean = bootstrap(shares, seed);
  return rates;
}

std::vector<bool> within(const std::vector<Rank>& ranks, std::int64_t k) {
  std::vector<bool> solved;
  solved.reserve(ranks.size());
  for (const Rank& rank : ranks) solved.push_back(rank && *rank <= k);
  return solved;
}

/// [points][test inputs]: ranks of the answers in one resampling of the votes. A test input with no more votes than a
/// point asks for has its rank among all.
std::vector<std::vector<Rank>> resampled_ranks(const ScoredTests& tests, const VoteBook& book,
                                               const std::vector<Rank>& ranks, const ArcScoreSettings& settings,
                                               std::uint64_t draw) {
  std::vector<std::vector<Rank>> by_point(settings.vote_counts.size(), ranks);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    std::vector<std::size_t> points;
    std::vector<std::int64_t> counts;
    for (std::size_t point = 0; ranks[i] && point < by_point.size(); ++point) {
      if (settings.vote_counts[point] >= book.votes(tests.numbers[i])) continue;
      points.push_back(point);
      counts.push_back(settings.vote_counts[point]);
    }
    if (points.empty()) continue;
    const auto found = book.ranks(tests.numbers[i], *tests.pairs[i]->output, counts, settings.seed, draw);
    for (std::size_t j = 0; j < points.size(); ++j) by_point[points[j]][i] = found[j];
  }
  return by_point;
}

std::vector<VotePoint> score_by_votes(const ScoredTests& tests, const VoteBook& book, const std::vector<Rank>& ranks,
                                      const ArcScoreSettings& settings) {
  std::vector<VotePoint> points;
  for (const auto votes : settings.vote_counts) {
    points.push_back({votes, std::vector<SolvedShares>(settings.pass_at.size())});
  }
  if (points.empty()) return points;
  const double weight = 1.0 / static_cast<double>(settings.resamplings);
  for (std::int64_t draw = 0; draw < settings.resamplings; ++draw) {
    const auto by_point = resampled_ranks(tests, book, ranks, settings, static_cast<std::uint64_t>(draw));
    for (std::size_t point = 0; point < points.size(); ++point) {
      for (std::size_t k = 0; k < settings.pass_at.size(); ++k) {
        const auto shares = shares_of(tests, within(by_point[point], settings.pass_at[k]));
        auto& mean = points[point].pass_at[k];
        mean.tasks += weight * shares.tasks;
        mean.task_mean += weight * shares.task_mean;
        mean.test_inputs += weight * shares.test_inputs;
      }
    }
  }
  return points;
}

std::vector<TestInputResult> table_of(std::span<const ArcTask> tasks, const VoteBook& book) {
  std::vector<TestInputResult> table;
  for (const TestInput& input : test_inputs(tasks)) {
    const auto test = static_cast<std::int64_t>(table.size());
    TestInputResult row{tasks[input.task].id, input.test, book.votes(test), book.distinct(test), {}, 0, 0, 0};
    const auto best = book.ranking(test, 2);
    if (best.size() > 0) row.votes_first = best[0].votes;
    if (best.size() > 1) row.votes_second = best[1].votes;
    if (input.pair->output) {
      row.rank = book.rank(test, *input.pair->output);
      row.votes_answer = book.votes_for(test, *input.pair->output);
    }
    table.push_back(std::move(row));
  }
  return table;
}

// ---- JSON and text

Json json_of(const SolvedRates& rates) {
  if (rates.tasks.total == 0) return nullptr;
  const auto& mean = rates.task_mean;
  return {{"arc_prize", rate_json(rates.tasks)},
          {"task_mean", {{"value", mean.value}, {"lower", mean.lower}, {"upper", mean.upper}}},
          {"test_inputs", rate_json(rates.test_inputs)}};
}

Json json_of(const SolvedShares& shares) {
  return {{"arc_prize", shares.tasks}, {"task_mean", shares.task_mean}, {"test_inputs", shares.test_inputs}};
}

Json json_of(const TestInputResult& row) {
  return {{"task", row.task},
          {"test", row.test},
          {"votes", row.votes},
          {"candidates", row.candidates},
          {"rank", row.rank ? Json(*row.rank) : Json(nullptr)},
          {"votes_first", row.votes_first},
          {"votes_second", row.votes_second},
          {"votes_answer", row.votes_answer}};
}

std::string with_interval(double value, double lower, double upper) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%.3f [%.3f, %.3f]", value, lower, upper);
  return text.data();
}

std::string rates_line(const std::string& name, const SolvedRates& rates) {
  const auto& mean = rates.task_mean;
  std::array<char, 160> text;
  std::snprintf(text.data(), text.size(), "%-18s  %-22s  %-22s  %s\n", name.c_str(),
                with_interval(rates.tasks.value(), rates.tasks.lower(), rates.tasks.upper()).c_str(),
                with_interval(mean.value, mean.lower, mean.upper).c_str(),
                with_interval(rates.test_inputs.value(), rates.test_inputs.lower(), rates.test_inputs.upper()).c_str());
  return text.data();
}

std::string votes_text(const ArcScore& score) {
  std::array<char, 80> text;
  const auto resamplings = std::to_string(score.settings.resamplings);
  std::string lines = "share of tasks solved (ARC Prize), by votes per test input, mean of " + resamplings +
                      (score.settings.resamplings == 1 ? " subset\n" : " subsets\n") + "votes             ";
  for (const auto k : score.settings.pass_at) {
    std::snprintf(text.data(), text.size(), "  %9s", ("pass@" + std::to_string(k)).c_str());
    lines += text.data();
  }
  lines += "\n";
  for (const VotePoint& point : score.by_votes) {
    std::snprintf(text.data(), text.size(), "%-18lld", static_cast<long long>(point.votes));
    lines += text.data();
    for (const SolvedShares& shares : point.pass_at) {
      std::snprintf(text.data(), text.size(), "  %9.3f", shares.tasks);
      lines += text.data();
    }
    lines += "\n";
  }
  return lines;
}

/// A field of a CSV file; in quotes where it needs them.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string counted(std::int64_t n, const std::string& thing) {
  return std::to_string(n) + " " + thing + (n == 1 ? "" : "s");
}

}  // namespace

ArcScore score_arc(std::span<const ArcTask> tasks, const VoteBook& book, const ArcScoreSettings& settings) {
  ensure(book.tests() == static_cast<std::int64_t>(test_inputs(tasks).size()), "score_arc",
         "a book for the test inputs of the tasks");
  ensure(settings.resamplings >= 1, "score_arc", "at least one resampling");
  const auto tests = scored_tests(tasks);
  ArcScore score;
  score.settings = settings;
  score.tasks = static_cast<std::int64_t>(tests.tasks.size());
  score.test_inputs = static_cast<std::int64_t>(tests.numbers.size());
  score.unknown_tasks = tests.unknown_tasks;
  score.predictions = book.votes();
  score.candidates = book.distinct();
  score.table = table_of(tasks, book);
  std::vector<Rank> ranks;
  std::vector<bool> candidate, copied;
  for (std::size_t i = 0; i < tests.numbers.size(); ++i) {
    const auto& row = score.table[static_cast<std::size_t>(tests.numbers[i])];
    ranks.push_back(row.rank);
    candidate.push_back(row.rank.has_value());
    copied.push_back(tests.pairs[i]->input == *tests.pairs[i]->output);
    if (row.votes == 0) ++score.without_predictions;
  }
  for (const auto k : settings.pass_at) score.pass_at.push_back(rates_of(tests, within(ranks, k), settings.seed));
  score.oracle = rates_of(tests, candidate, settings.seed);
  score.copied_input = rates_of(tests, copied, settings.seed);
  score.by_votes = score_by_votes(tests, book, ranks, settings);
  return score;
}

Json to_json(const ArcScore& score) {
  Json json = {{"tasks", score.tasks},
               {"test_inputs", score.test_inputs},
               {"tasks_without_known_answer", score.unknown_tasks},
               {"predictions", score.predictions},
               {"candidates", score.candidates},
               {"test_inputs_without_predictions", score.without_predictions}};
  json["pass_at"] = Json::object();
  for (std::size_t k = 0; k < score.pass_at.size(); ++k) {
    json["pass_at"][std::to_string(score.settings.pass_at[k])] = json_of(score.pass_at[k]);
  }
  json["oracle"] = json_of(score.oracle);
  json["copied_input"] = json_of(score.copied_input);
  json["by_votes"] = {
      {"resamplings", score.settings.resamplings}, {"seed", score.settings.seed}, {"points", Json::array()}};
  for (const VotePoint& point : score.by_votes) {
    Json entry = {{"votes", point.votes}, {"pass_at", Json::object()}};
    for (std::size_t k = 0; k < point.pass_at.size(); ++k) {
      entry["pass_at"][std::to_string(score.settings.pass_at[k])] = json_of(point.pass_at[k]);
    }
    json["by_votes"]["points"].push_back(std::move(entry));
  }
  json["table"] = Json::array();
  for (const auto& row : score.table) json["table"].push_back(json_of(row));
  return json;
}

std::string table_csv(const ArcScore& score) {
  std::string csv = "task,test,votes,candidates,rank,votes_first,votes_second,votes_answer\n";
  for (const auto& row : score.table) {
    csv += csv_field(row.task) + ',' + std::to_string(row.test) + ',' + std::to_string(row.votes) + ',' +
           std::to_string(row.candidates) + ',' + (row.rank ? std::to_string(*row.rank) : "") + ',' +
           std::to_string(row.votes_first) + ',' + std::to_string(row.votes_second) + ',' +
           std::to_string(row.votes_answer) + '\n';
  }
  return csv;
}

std::string report_text(const ArcScore& score) {
  std::string text = counted(score.tasks, "task") + ", " + counted(score.test_inputs, "test input") + ", " +
                     counted(score.predictions, "prediction") + ", " + counted(score.candidates, "candidate") + "\n";
  if (score.without_predictions > 0) {
    text += counted(score.without_predictions, "test input") + " without predictions: counted as unsolved\n";
  }
  if (score.unknown_tasks > 0) {
    text += counted(score.unknown_tasks, "task") + " left out: an answer is not known\n";
  }
  if (score.tasks == 0) return text;
  std::array<char, 160> header;
  std::snprintf(header.data(), header.size(), "%-18s  %-22s  %-22s  %s\n", "", "tasks (ARC Prize)", "mean per task",
                "test inputs");
  text += header.data();
  for (std::size_t k = 0; k < score.pass_at.size(); ++k) {
    text += rates_line("pass@" + std::to_string(score.settings.pass_at[k]), score.pass_at[k]);
  }
  text += rates_line("among candidates", score.oracle) + rates_line("copying the input", score.copied_input);
  return score.by_votes.empty() ? text : text + votes_text(score);
}

}  // namespace dis
