// The processes that do a run together, one per GPU or share of the processor's cores; with one process all of this is
// trivial: no store, no thread, every operation returns at once.
//
// All ranks call the same operations in the same order. Each blocks until all have come (on a GPU: until its stream
// has). PyTorch's c10d does the work: NCCL between GPUs, Gloo for everything on the CPU, a TCP store to meet at.
//
// Where one rank dies, hangs or throws, every other rank's operation throws RankFailure within dist.timeout_s, naming
// the rank at fault: each rank shows the store now and then that it lives and how far it is, and leaves its error
// there.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/error.h"
#include "dis/dist/place.h"

namespace dis {

/// Another rank is at fault; the message names it.
class RankFailure : public UserError {
 public:
  using UserError::UserError;
};

class Ranks {
 public:
  /// One process.
  Ranks();
  /// Meets the others. UserError: no store at the address, a rank that does not come within the timeout, more ranks
  /// than GPUs, NCCL without CUDA.
  Ranks(const Place& place, const DistConfig& config, at::Device device);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  /// As the launcher said, but for `restart`, which is the same on every rank: the most that any of them was told, or
  /// that the store knows of.
  const Place& place() const { return place_; }
  int rank() const { return place_.rank; }
  int size() const { return place_.size; }
  bool first() const { return place_.rank == 0; }

  /// t <- the sum over the ranks: contiguous, float32, float64 or int64, of one shape. The same bits on every rank.
  void sum(at::Tensor t) const;
  /// [n, ..] of every rank, of one shape, to [size n, ..] in the order of the ranks.
  at::Tensor gather(const at::Tensor& mine) const;
  /// Overwrites t with that of rank 0.
  void broadcast(at::Tensor t) const;
  /// Whether it is true on any rank.
  bool any(bool mine) const;
  void barrier() const;
  /// Waits for rank 0, which may take its time (it writes a checkpoint) as long as it gives signs of life.
  void await_first() const;
  /// Every rank's text, in the order of the ranks.
  std::vector<std::string> exchange(const std::string& mine) const;

  /// Leaves a message for the others, who are waiting for this rank in vain. It does not throw.
  void fail(const std::string& message) const noexcept;

 private:
  struct Parts;
  Place place_;
  std::unique_ptr<Parts> parts_;  ///< null: one process
};

/// Compares named texts, say the fields of the configuration. UserError on every rank, naming the first that differs,
/// the ranks and both values.
void require_same(const Ranks& ranks, const std::vector<std::pair<std::string, std::string>>& texts);

/// Whether all ranks hold the same numbers, bit for bit. UserError that names a rank that does not agree with the most.
void require_same_bits(const Ranks& ranks, const std::string& what, const std::vector<at::Tensor>& tensors);

}  // namespace dis
