// ARC in the official on-disk format (rows_export.h).
//
// Every file equals that of the official builder, arrays, headers and texts byte for byte, when the puzzles have frozen
// translations; with translations drawn per visit all examples stand at the origin instead. As there, a test input
// whose answer is not known has the answer [[0]], a single black cell: do not score it.
//
// Rows are made while earlier ones are written, so memory does not grow with the data set (7 GB for ARC-1).
#pragma once

#include <filesystem>

#include "dis/data/arc/arc_puzzles.h"
#include "dis/data/arrays/rows_export.h"

namespace dis {

/// Writes train, identifiers.json, test_puzzles.json, and test when there is a test set.
void export_arc(const ArcPuzzles& puzzles, ExportSink& sink, const ExportProgress& progress = {});
void export_arc(const ArcPuzzles& puzzles, const std::filesystem::path& folder, const ExportProgress& progress = {});

}  // namespace dis
