// What a misspelt word was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dis {

/// Edits (insert, delete, replace, swap two neighbours) that lead from `a` to `b`, without regard to case.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Those of `candidates` that come nearest to `word` (several where they tie); none where nothing is near.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Known keys that an unknown one may stand for: misspelt, in another section (`lr` for `optim.lr`), or a part of the
/// name (`layers` for `model.num_layers`). At most three, the best only; none where nothing is near.
std::vector<std::string> nearest_keys(const std::string& unknown_path);

/// `; did you mean "a" or "b"?`, or nothing for an empty list.
std::string did_you_mean(const std::vector<std::string>& words);

}  // namespace dis
