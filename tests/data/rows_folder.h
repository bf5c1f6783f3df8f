// A small folder in the official format, to be changed and written.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/arrays/npy.h"

namespace dis {

using Matrix = std::vector<std::vector<std::int64_t>>;

struct SetFiles {
  std::string name = "all";
  Matrix inputs;
  Matrix labels;
  std::vector<std::int64_t> puzzle_identifiers;
  std::vector<std::int64_t> puzzle_indices;
  std::vector<std::int64_t> group_indices;
};

struct SplitFiles {
  Json header;
  std::vector<SetFiles> sets;
  NpyType tokens = NpyType::u1;
};

template <class T>
void write_array(const std::filesystem::path& path, const NpyShape& shape, const std::vector<std::int64_t>& numbers) {
  const std::vector<T> values(numbers.begin(), numbers.end());
  std::string bytes = npy_header(npy_type_of<T>(), shape);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

inline void write_array(const std::filesystem::path& path, NpyType type, const NpyShape& shape,
                        const std::vector<std::int64_t>& numbers) {
  if (type == NpyType::u1) write_array<std::uint8_t>(path, shape, numbers);
  if (type == NpyType::i4) write_array<std::int32_t>(path, shape, numbers);
  if (type == NpyType::i8) write_array<std::int64_t>(path, shape, numbers);
}

inline void write_split(const std::filesystem::path& folder, const SplitFiles& split) {
  ensure_folder(folder);
  std::ofstream(folder / "dataset.json") << split.header.dump();
  for (const SetFiles& set : split.sets) {
    const std::string prefix = (folder / set.name).string() + "__";
    const auto matrix = [&](const char* name, const Matrix& rows) {
      std::vector<std::int64_t> numbers;
      for (const auto& row : rows) numbers.insert(numbers.end(), row.begin(), row.end());
      const NpyShape shape{std::ssize(rows), rows.empty() ? 4 : std::ssize(rows.front())};
      write_array(prefix + name + ".npy", split.tokens, shape, numbers);
    };
    const auto list = [&](const char* name, const std::vector<std::int64_t>& numbers) {
      write_array(prefix + name + ".npy", NpyType::i4, {std::ssize(numbers)}, numbers);
    };
    matrix("inputs", set.inputs);
    matrix("labels", set.labels);
    list("puzzle_identifiers", set.puzzle_identifiers);
    list("puzzle_indices", set.puzzle_indices);
    list("group_indices", set.group_indices);
  }
}

struct RowsFolder {
  SplitFiles train;
  SplitFiles test;
  Json identifiers;

  void write(const std::filesystem::path& folder) const {
    write_split(folder / "train", train);
    write_split(folder / "test", test);
    std::ofstream(folder / "identifiers.json") << identifiers.dump();
  }
};

inline Json header_of(std::int64_t vocabulary, std::int64_t length, std::int64_t identifiers, std::int64_t groups,
                      std::int64_t puzzles, double mean) {
  return {{"pad_id", 0},
          {"ignore_label_id", 0},
          {"blank_identifier_id", 0},
          {"vocab_size", vocabulary},
          {"seq_len", length},
          {"num_puzzle_identifiers", identifiers},
          {"total_groups", groups},
          {"mean_puzzle_examples", mean},
          {"total_puzzles", puzzles},
          {"sets", {"all"}}};
}

/// As the ARC builder's: two groups of two puzzles, with two and one examples a puzzle; five rows of four tokens below
/// 6 (the first row of puzzle p starts with p + 1); names <blank>, a, b, c, d. Test: puzzles of 1 and 2 examples.
inline RowsFolder arc_like_folder() {
  RowsFolder folder;
  folder.train.header = header_of(6, 4, 5, 2, 4, 1.5);
  folder.train.sets = {{"all",
                        {{1, 0, 0, 0}, {1, 1, 0, 0}, {2, 0, 0, 0}, {2, 1, 0, 0}, {3, 0, 0, 5}, {4, 0, 0, 5}},
                        {{1, 0, 0, 1}, {1, 1, 0, 1}, {2, 0, 0, 1}, {2, 1, 0, 1}, {3, 0, 0, 1}, {4, 0, 0, 0}},
                        {1, 2, 3, 4},
                        {0, 2, 4, 5, 6},
                        {0, 2, 4}}};
  folder.test.header = header_of(6, 4, 5, 1, 2, 1.5);
  folder.test.sets = {{"all",
                       {{3, 3, 3, 3}, {4, 3, 3, 3}, {4, 4, 3, 3}},
                       {{0, 5, 0, 0}, {5, 5, 5, 5}, {0, 0, 0, 0}},
                       {3, 4},
                       {0, 1, 3},
                       {0, 2}}};
  folder.identifiers = {"<blank>", "a", "b", "c", "d"};
  return folder;
}

}  // namespace dis
