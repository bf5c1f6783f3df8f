// Work on many items, split over threads.
#pragma once

#include <cstddef>
#include <future>
#include <vector>

namespace dis {

/// work(first, past) for `parts` (at least 1) consecutive parts of the items 0..count-1: the first one on this thread,
/// each other one on a thread of its own. Returns, or throws what a part threw, when all have ended.
template <class Work>
void in_parts(std::size_t count, std::size_t parts, const Work& work) {
  std::vector<std::future<void>> others;
  for (std::size_t part = 1; part < parts; ++part) {
    others.push_back(std::async(
        std::launch::async, [&work, count, parts, part] { work(count * part / parts, count * (part + 1) / parts); }));
  }
  work(0, count / parts);
  for (auto& other : others) other.get();
}

}  // namespace dis
