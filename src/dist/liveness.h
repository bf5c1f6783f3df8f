// Which rank is at fault when an operation fails: each rank tells the store now and then that it lives and how many
// operations it has begun, and leaves its last words there.
//
// The store may stop answering, too (its process hangs). So only threads of their own talk to it, and nobody waits for
// one of them without an end.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "group.h"

namespace dis {

class Liveness {
 public:
  /// `store` must be a connection of its own: one that waits for a key lets nothing else through.
  Liveness(StorePointer store, const Place& place, std::chrono::milliseconds timeout);
  ~Liveness();
  Liveness(const Liveness&) = delete;
  Liveness& operator=(const Liveness&) = delete;

  /// This rank begins its next operation.
  void begin_operation();

  /// Leaves this rank's error for the others. It does not throw.
  void report(const std::string& message) noexcept;

  /// Rank 0 says that its long work number `number` is done.
  void announce(int number);
  /// Waits for that, as long as rank 0 gives signs of life. Empty, or what is wrong.
  std::string await(int number);

  /// Why the operation `what` failed with `error`: names the rank at fault. Takes a few beats.
  std::string explain(const std::string& what, const std::string& error);

 private:
  struct Signs;
  std::shared_ptr<Signs> signs_;  ///< also of the threads, which may outlive this object
};

}  // namespace dis
