// The kinds of data: one table, from data.kind to what there is to know of a kind before its data are opened. What is
// to know of open data they say themselves (DataSet). A new kind is a class of its own, a value of data.kind in
// fields.def, and an entry here (data/README.md).
#pragma once

#include <memory>
#include <string>

#include "dis/config/config.h"
#include "dis/data/dataset.h"

namespace dis {

struct KindOfData {
  DataKind kind;
  /// Generates or reads the data. UserError as of the kind's class or reader.
  std::unique_ptr<DataSet> (*open)(const RunConfig& config);
  /// What to lower where the data do not fit into memory.
  std::string (*smaller)(const DataConfig& data);
  /// Puzzles belong to tasks, which have names that stay the same in other sets, and whose test inputs are voted on:
  /// the data are ArcData.
  bool tasks = false;
};

const KindOfData& kind_of(const DataConfig& data);

/// The data set that a configuration names.
std::unique_ptr<DataSet> open_data(const RunConfig& config);

}  // namespace dis
