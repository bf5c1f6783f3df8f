// What tells one family of puzzles, whose rows are pairs of texts of one length, from another: its alphabet, its
// symmetries, its rules and its drawing. Fields are square, row by row.
//
//   Sudoku  n x n, n = 4 or 9: 1 an empty cell ('.' or '0'), 2..n+1 the digits 1..n; vocabulary n + 2
//   maze    n x n: 1 wall '#', 2 open ' ', 3 start 'S', 4 goal 'G', 5 path 'o' (in answers only); vocabulary 6
//
// 0 is the pad, which never occurs. These are the tokens of the official builders of Sudoku-Extreme and Maze-Hard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/core/random.h"
#include "dis/data/boards/board_text.h"
#include "dis/data/dataset.h"
#include "dis/data/numpy_legacy_random.h"
#include "dis/data/pair_keys.h"

namespace dis {

class PuzzleFamily {
 public:
  virtual ~PuzzleFamily() = default;

  virtual std::string name() const = 0;   ///< of one: "Sudoku", "maze"
  virtual std::string sizes() const = 0;  ///< how many characters a puzzle may have, for messages
  virtual bool has_size(std::size_t length) const = 0;
  virtual std::int64_t vocabulary(std::size_t length) const = 0;
  /// Token of a character in the question or the answer of a puzzle of this length; none for any other character.
  virtual std::optional<std::uint8_t> token(char character, bool answer, std::size_t length) const = 0;
  /// Its inverse: '?' for a number that is no token; of an empty Sudoku cell '.'.
  virtual char character(std::int32_t token, std::size_t length) const = 0;
  /// The characters that token() takes, for messages.
  virtual std::string alphabet(bool answer, std::size_t length) const = 0;

  /// The one token of a question in whose place an answer may have another: an empty Sudoku cell, an open one of a
  /// maze.
  virtual std::uint8_t open_token() const = 0;

  /// Symmetries are numbers from 0, the identity. `to` [L] is `from` [L] under one; tokens that are no puzzle's stay.
  virtual void apply(std::uint64_t symmetry, std::span<const std::int32_t> from, std::span<std::int32_t> to) const = 0;
  /// One of all, each equally likely.
  virtual std::uint64_t draw(Draws& draws, std::size_t length) const = 0;
  /// The copies of one puzzle beside itself that the official builder makes: `wanted` drawn ones (Sudoku), or all
  /// (mazes, whatever `wanted`).
  virtual std::vector<std::uint64_t> official_copies(NumpyLegacyRandom& random, std::int64_t wanted) const = 0;
  /// numpy's element type of rows that have such copies: the builder's arithmetic decides it.
  virtual bool copies_are_wide() const = 0;
  /// Equal for puzzles that are the same under some symmetry; of others different, up to chance.
  virtual PairKey class_key(std::span<const std::int32_t> input, std::span<const std::int32_t> label) const = 0;

  /// Whether the answer [L] (any numbers) solves the input: a Sudoku with all givens kept; a shortest path.
  virtual bool obeys(std::span<const std::int32_t> input, std::span<const std::int32_t> answer) const = 0;

  virtual std::string legend() const = 0;  ///< of drawings
  /// Colours and letters of a picture: givens grey, a right-looking answer blue, mistakes orange.
  virtual GridPanel picture(const DrawnExample& example) const = 0;
  virtual TextBlock drawing(const DrawnExample& example, const TextStyle& style) const = 0;
};

const PuzzleFamily& sudoku_family();
const PuzzleFamily& maze_family();

}  // namespace dis
