// The rules that answers are checked by without a label.
#include "dis/data/arrays/puzzle_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dis {
namespace {

using Field = std::vector<std::int32_t>;

/// Characters of `names` as tokens 1, 2, ...
Field field_of(const std::string& text, const std::string& names) {
  Field field;
  for (const char c : text) field.push_back(static_cast<std::int32_t>(names.find(c)) + 1);
  return field;
}

Field sudoku(const std::string& text) { return field_of(text, ".123456789"); }
Field maze(const std::string& text) { return field_of(text, "# SGo"); }

TEST(SudokuRules, TakeEverySolutionThatKeepsTheGivens) {
  const auto input = sudoku("1...............");
  const auto solution = sudoku("1234341221434321");
  EXPECT_TRUE(is_sudoku_solution(input, solution));
  EXPECT_TRUE(is_sudoku_solution(sudoku("................"), solution));
  EXPECT_FALSE(is_sudoku_solution(sudoku("2..............."), solution)) << "a given is changed";
  EXPECT_FALSE(is_sudoku_solution(input, sudoku("1234341221434312"))) << "a column has a digit twice";
  EXPECT_FALSE(is_sudoku_solution(input, sudoku("123434122143432."))) << "an empty cell";
  EXPECT_FALSE(is_sudoku_solution(input, sudoku("1234234134124123"))) << "a box has a digit twice";
  EXPECT_FALSE(is_sudoku_solution(input, sudoku("1234341221434325"))) << "a digit that does not exist";
  EXPECT_FALSE(is_sudoku_solution(Field(15, 1), Field(15, 2))) << "no square";
  EXPECT_FALSE(is_sudoku_solution(Field(9, 1), Field(9, 2))) << "no boxes";
}

TEST(MazeRules, TakeOnePathFromStartToGoal) {
  const auto input = maze(
      "####"
      "#S #"
      "#  #"
      "#G##");
  EXPECT_TRUE(is_maze_path(input, maze("#####S ##o ##G##")));
  EXPECT_TRUE(is_maze_path(input, maze("#####So##oo##G##")) == false) << "a branch: both ways are marked";
  EXPECT_FALSE(is_maze_path(input, maze("#####S ##  ##G##"))) << "no path";
  EXPECT_FALSE(is_maze_path(input, maze("#####So## o##G##"))) << "a path that ends";
  EXPECT_FALSE(is_maze_path(input, maze("####oS ##o ##G##"))) << "through a wall";
  EXPECT_FALSE(is_maze_path(input, maze("#####S ##o # G##"))) << "a wall is gone";
  EXPECT_FALSE(is_maze_path(input, maze("#####o ##o ##G##"))) << "the start is gone";
  const auto ring = maze(
      "S    "
      "#### "
      "#   G"
      "# # #"
      "#   #");
  EXPECT_TRUE(is_maze_path(ring, maze("Soooo####o#   G# # ##   #")));
  EXPECT_FALSE(is_maze_path(ring, maze("Soooo####o#   G#o# ##o  #"))) << "cells apart from the path";
  EXPECT_TRUE(is_maze_path(maze("SG  "), maze("SG  ")));
  EXPECT_FALSE(is_maze_path(maze("SG  "), maze("SGoo"))) << "a ring: start and goal touch";
}

TEST(MazeRules, KnowAShortestPath) {
  const auto open = maze(
      "S   "
      "    "
      " G  "
      "    ");
  EXPECT_EQ(shortest_maze_path(open), 3);
  EXPECT_TRUE(is_shortest_maze_path(open, maze("So   o   G      ")));
  EXPECT_TRUE(is_shortest_maze_path(open, maze("S   o   oG      ")));
  const auto longer = maze("Soo   o  Go     ");
  EXPECT_TRUE(is_maze_path(open, longer));
  EXPECT_FALSE(is_shortest_maze_path(open, longer));
  EXPECT_FALSE(is_maze_path(open, maze("So   o   Go     "))) << "a path that goes on behind the goal";
  EXPECT_EQ(shortest_maze_path(maze("S##G")), -1);
  EXPECT_EQ(shortest_maze_path(maze("S   ")), -1) << "no goal";
  EXPECT_EQ(shortest_maze_path(maze("SSG ")), -1) << "two starts";
}

}  // namespace
}  // namespace dis
