// Boards by their content.
#include "../content_hash.h"
#include "dis/core/error.h"
#include "dis/data/boards/nqueens.h"

namespace dis {

PairList NQueensData::trained_pairs() const {
  PairList list{{}, [](std::int64_t number) { return "training board " + std::to_string(number); }};
  for (const auto& board : training_) {
    list.keys.push_back(board_pair_key(board.givens(), board.solution, config_.augment));
  }
  return list;
}

PairList NQueensData::tested_pairs() const {
  PairList list;
  for (const auto& set : test_sets_) {
    for (const auto& board : set.boards) {
      list.keys.push_back(board_pair_key(*placement_of(board.input), *placement_of(board.label), config_.augment));
    }
  }
  list.name = [this](std::int64_t number) {
    for (const auto& set : test_sets_) {
      if (number < std::ssize(set.boards)) return "board " + std::to_string(number) + " of test set " + set.name;
      number -= std::ssize(set.boards);
    }
    ensure(false, "NQueensData::tested_pairs", "a number below that of the test boards");
    return std::string();
  };
  return list;
}

std::vector<ContentHash> NQueensData::content() const {
  Sha256 shown, asked;
  const auto bytes_of = [](const std::vector<std::uint8_t>& field) { return std::as_bytes(std::span(field)); };
  for (const auto& board : training_) {
    shown.update(bytes_of(board.givens().field()));
    shown.update(bytes_of(board.solution.field()));
  }
  for (const auto& set : test_sets_) {
    asked.update(set.name + ":");
    for (const auto& board : set.boards) {
      asked.update(bytes_of(board.input));
      asked.update(bytes_of(board.label));
    }
  }
  return {{"boards", short_hash(shown), short_hash(asked), false}};
}

}  // namespace dis
