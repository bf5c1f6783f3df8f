// Table 1 of the paper: its rows as configurations, what they would cost, and what was measured beside what it states.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dis/reproduce/experiment.h"

namespace dis {

/// pass@2 as the paper states it, in percent.
struct PaperFigures {
  std::optional<double> arc1, arc2;
};

/// A row: run by us (with a configuration), or quoted by the paper for a language model.
struct Table1Row {
  std::string key;    ///< of configs/table1/<key>_arc1.json; empty for quoted rows
  std::string title;  ///< as printed
  PaperFigures paper;
  bool assumed = false;
};

/// The paper's rows, ours first.
const std::vector<Table1Row>& table1_rows();

/// The same rows at another size or length: columns of the table.
struct Table1Column {
  std::string key;                                     ///< "arc1", "arc2", "equal_flops", "equal_samples"
  std::string name;                                    ///< as printed: "ARC-1", "equal FLOPs"
  std::vector<std::optional<Experiment>> experiments;  ///< one for each row of table1_rows(), where it has one
};

/// ARC-1 and ARC-2 at the paper's size, from <folder>/<key>_<arc1|arc2>.json, with an evaluation after every fifth of
/// the updates. UserError: a missing file.
std::vector<Table1Column> table1_columns(const std::filesystem::path& folder);

/// The rows on a small set of tasks, `small` (configs/arc/mini.json): widths and layers relative to it as the rows'
/// are to DIS-compact, each with half the training FLOPs of `small` itself, wider networks with an eighth of its
/// learning rate; a second column trains the compact rows on as many samples as DIS-compact sees in the first.
std::vector<Table1Column> table1_mini_columns(const std::filesystem::path& folder, const RunConfig& small);

struct Table1Cell {
  std::optional<Experiment> experiment;
  std::int64_t block_parameters = 0, passes = 0, updates = 0;
  double flops = 0.0;
  std::optional<Findings> found;
};

/// What the columns cost and what is finished under `folder`: [columns][rows].
std::vector<std::vector<Table1Cell>> collect_table1(const std::vector<Table1Column>& columns,
                                                    const std::filesystem::path& folder);

/// "plan": sizes and costs of every run.
std::string table1_plan(const std::vector<Table1Column>& columns, const std::vector<std::vector<Table1Cell>>& cells);
Json table1_json(const std::vector<Table1Column>& columns, const std::vector<std::vector<Table1Cell>>& cells);
std::string table1_markdown(const std::vector<Table1Column>& columns,
                            const std::vector<std::vector<Table1Cell>>& cells);
std::string table1_latex(const std::vector<Table1Column>& columns, const std::vector<std::vector<Table1Cell>>& cells);

/// `exact`: exact answers among the training samples; `pass_at_2`: of the evaluations while training and after it.
enum class CurveMeasure { exact, pass_at_2 };
enum class CurveAxis { updates, flops };
/// SVG with a line for each run of the column that has begun; empty when none has.
std::string table1_curves(const Table1Column& column, const std::filesystem::path& folder, CurveMeasure measure,
                          CurveAxis axis);

}  // namespace dis
