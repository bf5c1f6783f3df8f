// Plain numbers to tensors, and the answers of pieces together.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "dis/dist/ranks.h"

namespace dis {

/// int32 [rows, length]
inline at::Tensor tensor_of_rows(std::span<const std::int32_t> numbers, std::int64_t length) {
  auto tensor = at::empty({static_cast<std::int64_t>(numbers.size()) / length, length}, at::kInt);
  std::copy(numbers.begin(), numbers.end(), tensor.data_ptr<std::int32_t>());
  return tensor;
}

/// int32 [rows] of the puzzle table: those of `ids`, or what `asked` [identifiers] has in their place, if it is not
/// empty
inline at::Tensor puzzles_tensor(std::span<const std::int32_t> ids, std::span<const std::int32_t> asked) {
  std::vector<std::int32_t> rows(ids.begin(), ids.end());
  for (auto& row : rows) row = asked.empty() ? row : asked[static_cast<std::size_t>(row)];
  return tensor_of_rows(rows, 1).squeeze(1);
}

/// Row `first` and on of `to`.
template <class T>
void store_rows(const at::Tensor& rows, std::int64_t first, std::vector<T>& to) {
  const auto a = rows.to(std::is_same_v<T, float> ? at::kFloat : at::kInt).cpu().contiguous();
  std::copy_n(a.template data_ptr<T>(), a.numel(), to.begin() + first * (a.dim() > 1 ? a.size(1) : 1));
}

/// The ranks' parts together: each has zeros where the others have answers.
template <class T>
void join_ranks_parts(const Ranks* ranks, std::vector<T>& values) {
  if (ranks == nullptr || ranks->size() == 1) return;
  ranks->sum(at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                           std::is_same_v<T, float> ? at::kFloat : at::kInt));
}

}  // namespace dis
