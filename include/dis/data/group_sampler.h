// Which example stands at which place of the training stream, for data whose puzzles come in groups (a task and its
// augmented puzzles).
//
// An epoch visits every group once, in an order drawn anew for each epoch. A visit takes one of the group's puzzles,
// each equally likely, and then ALL of its examples, in an order drawn for the visit. This is the reference's way but
// for two things: nothing is cut at the end of a batch (the rest of a puzzle goes on in the next batch), and a pick is
// a function of (seed, position) and needs no state, so runs can be stopped, resumed and split over ranks at will.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace dis {

struct SampledGroup {
  std::int64_t puzzles = 1;
  std::int64_t examples = 1;  ///< of each of its puzzles
};

/// An example of the stream.
struct Pick {
  std::int64_t epoch = 0;
  std::int64_t group = 0;
  std::int64_t puzzle = 0;   ///< within the group
  std::int64_t example = 0;  ///< within the puzzle

  bool operator==(const Pick&) const = default;
};

class GroupSampler {
 public:
  /// At least one group, each with 1 to 2^32 - 1 puzzles and at least one example in a puzzle.
  explicit GroupSampler(std::vector<SampledGroup> groups);
  ~GroupSampler();
  GroupSampler(GroupSampler&&) noexcept;
  GroupSampler& operator=(GroupSampler&&) noexcept;

  const std::vector<SampledGroup>& groups() const { return groups_; }
  /// Examples of an epoch: those of one puzzle of every group. Epoch e is the positions e * epoch_length() and on.
  std::int64_t epoch_length() const { return epoch_length_; }

  /// The example at `position` of the endless stream that belongs to `seed`. Safe to call from several threads; fast
  /// when calls stay within a few epochs, whose orders are kept.
  Pick pick(std::uint64_t seed, std::uint64_t position) const;

 private:
  struct Epoch;
  class Cache;
  std::shared_ptr<const Epoch> epoch(std::uint64_t seed, std::uint64_t number) const;

  std::vector<SampledGroup> groups_;
  std::int64_t epoch_length_ = 0;
  std::unique_ptr<Cache> cache_;
};

}  // namespace dis
