// Small runs, and what they leave in their folders.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/program.h"
#include "dis/core/json.h"

namespace dis {

/// `dis train` of a network that takes a blink: 5 x 5 boards, width 16, N_sup 3, 8 lanes, float32, one thread. Without
/// train.steps.
Arguments train_tiny(const std::filesystem::path& run, const std::vector<std::string>& settings);

/// An ARC run whose tasks are also evaluated while it trains.
Arguments train_small_arc(const std::filesystem::path& run);

/// `dis train --resume` of that run.
Arguments resume(const std::filesystem::path& run, const std::vector<std::string>& settings = {});

/// Runs it and expects status 0.
Outcome expect_success(const Arguments& arguments);

/// What it then prints, as JSON.
Json json_of(const Arguments& arguments);

/// Records of metrics.jsonl without the fields that depend on the clock and the machine, one JSON text each.
std::vector<std::string> metrics_without_clock(const std::filesystem::path& run);

/// Whole lines in metrics.jsonl; 0 when there is no such file.
std::size_t metrics_lines(const std::filesystem::path& run);

/// All that lies under a folder: relative path -> bytes of a file, target of a link, "(folder)".
std::map<std::string, std::string> contents(const std::filesystem::path& folder);

/// Waits until `there()`; false when the program ended before.
bool wait_until(Program& program, const std::function<bool()>& there);

/// How two such maps differ, one path a line; empty when they do not.
std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& after);

/// Largest difference between the numbers of two files of float32 tensors with the same names and shapes.
double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace dis
