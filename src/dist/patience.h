// Waiting for a store that may never answer.
#pragma once

#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace dis {

/// Calls f in a thread of its own; none when it throws or takes longer than `most`: then the store is gone, or hangs.
/// The thread may outlive the call, so f owns all that it uses.
template <class F>
std::optional<std::invoke_result_t<F>> answer_within(std::chrono::milliseconds most, F f) {
  std::packaged_task<std::invoke_result_t<F>()> task(std::move(f));
  auto answer = task.get_future();
  std::thread(std::move(task)).detach();
  if (answer.wait_for(most) != std::future_status::ready) return std::nullopt;
  try {
    return answer.get();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace dis
