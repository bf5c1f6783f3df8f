#include "dis/data/puzzles/puzzle_table.h"

#include <algorithm>

#include "dis/core/error.h"

namespace dis {

std::span<std::uint8_t> PuzzleTable::new_row() {
  if (size_ % kBlock == 0) blocks_.emplace_back().reserve(stride() * (size_ == 0 ? 64 : std::size_t{kBlock}));
  auto& block = blocks_.back();
  block.resize(block.size() + stride());
  ++size_;
  return std::span(block).last(stride());
}

void PuzzleTable::add(std::span<const std::uint8_t> question, std::span<const std::uint8_t> answer,
                      std::int64_t rating) {
  ensure(question.size() == length_ && answer.size() == length_, "PuzzleTable::add", "L cells");
  const auto row = new_row();
  const auto open = row.subspan(answer_bytes());
  for (std::size_t cell = 0; cell < length_; ++cell) {
    const bool given = question[cell] != open_;
    ensure(answer[cell] < 16 && (!given || question[cell] == answer[cell]), "PuzzleTable::add",
           "tokens below 16, those of the question in the answer");
    row[cell / 2] = static_cast<std::uint8_t>(row[cell / 2] | answer[cell] << (cell % 2 * 4));
    if (!given) open[cell / 8] = static_cast<std::uint8_t>(open[cell / 8] | 1U << (cell % 8));
  }
  const auto kept = std::clamp<std::int64_t>(rating, 0, 65535);
  row[row.size() - 2] = static_cast<std::uint8_t>(kept % 256);
  row.back() = static_cast<std::uint8_t>(kept / 256);
}

std::span<const std::uint8_t> PuzzleTable::row(std::int64_t number) const {
  ensure(number >= 0 && number < size_, "PuzzleTable::row", "the number of a puzzle");
  const auto& block = blocks_[static_cast<std::size_t>(number / kBlock)];
  return std::span(block).subspan(static_cast<std::size_t>(number % kBlock) * stride(), stride());
}

void PuzzleTable::read(std::int64_t number, std::span<std::int32_t> question, std::span<std::int32_t> answer) const {
  const auto bytes = row(number);
  const auto open = bytes.subspan(answer_bytes());
  for (std::size_t cell = 0; cell < length_; ++cell) {
    answer[cell] = bytes[cell / 2] >> (cell % 2 * 4) & 15;
    question[cell] = (open[cell / 8] >> (cell % 8) & 1) != 0 ? open_ : answer[cell];
  }
}

PuzzleTable PuzzleTable::chosen(std::span<const std::int64_t> numbers) const {
  PuzzleTable table(length_, open_);
  for (const auto number : numbers) std::ranges::copy(row(number), table.new_row().begin());
  return table;
}

}  // namespace dis
