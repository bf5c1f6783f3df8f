// How the ranks of one start find each other in a store that may be older than they are.
//
// A launcher that holds the store keeps it while it starts the ranks again and again, and what earlier ranks left there
// remains. Nor do the ranks know which start theirs is: torchrun's agents each count the restarts that they themselves
// caused, so the counts of two machines differ. So the ranks agree on a round through the store:
//
//   - Rank 0 raises a counter; its new value is the number of the round that it opens.
//   - Every other rank makes up an identity, leaves it in the round that is open, and waits for an answer to it there;
//     when a later round opens, it leaves it in that one too and waits there. What ranks that are gone have left never
//     is an answer to the identity of one that lives.
//   - Once an identity of each rank lies in its round, rank 0 answers them all, and the round begins. When one is
//     missing at the end of its patience, it answers those that came with what is wrong.
//
// So a rank may come late, a rank 0 may die between opening a round and beginning it, and a rank that died after it had
// left its identity is one that fails in the round.
#pragma once

#include <chrono>
#include <string>

#include "group.h"

namespace dis {

struct Meeting {
  std::string prefix;   ///< of keys that no other round writes
  int number = 0;       ///< of the round, from 1
  int restarts = 0;     ///< how often the ranks have been started anew: the most that any of them, or the store, knows
  std::string problem;  ///< why they did not meet
};

/// Meets the others in `store`, which all ranks see. It returns within `timeout` and a little.
Meeting meet(const StorePointer& store, const Place& place, std::chrono::milliseconds timeout);

/// The part of a store that belongs to this round.
StorePointer of_round(const Meeting& meeting, const StorePointer& store);

}  // namespace dis
