// Puzzles in memory, packed: of each cell the token of the answer, half a byte, and a bit that says whether the
// question leaves it open; then the rating. A Sudoku takes 54 bytes, so 3.8 million of them 207 MB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dis {

class PuzzleTable {
 public:
  /// `length`: L, cells of each; `open`: the question's token in a cell that it leaves open.
  explicit PuzzleTable(std::size_t length = 0, std::uint8_t open = 1) : length_(length), open_(open) {}

  std::size_t length() const { return length_; }
  std::int64_t size() const { return size_; }

  /// Tokens [L] below 16 of the question and its answer, which differ only in cells that are open in the question. Of
  /// ratings above 65,535 only that is kept.
  void add(std::span<const std::uint8_t> question, std::span<const std::uint8_t> answer, std::int64_t rating);
  void read(std::int64_t number, std::span<std::int32_t> question, std::span<std::int32_t> answer) const;
  int rating(std::int64_t number) const {
    const auto bytes = row(number).last(2);
    return bytes[0] + 256 * bytes[1];
  }
  /// The bytes of one, to compare and to hash.
  std::span<const std::uint8_t> row(std::int64_t number) const;
  /// Those of the given numbers, in that order.
  PuzzleTable chosen(std::span<const std::int64_t> numbers) const;

 private:
  static constexpr std::int64_t kBlock = 1 << 14;  // puzzles: memory grows in small parts, and nothing is moved

  std::size_t answer_bytes() const { return (length_ + 1) / 2; }
  std::size_t stride() const { return answer_bytes() + (length_ + 7) / 8 + 2; }
  std::span<std::uint8_t> new_row();

  std::size_t length_;
  std::uint8_t open_;
  std::int64_t size_ = 0;
  std::vector<std::vector<std::uint8_t>> blocks_;
};

}  // namespace dis
