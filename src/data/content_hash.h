// Short hashes of what a data set holds.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "dis/core/sha256.h"
#include "dis/data/pair_keys.h"

namespace dis {

inline constexpr std::size_t kShortHash = 16;  ///< hexadecimal digits

inline std::string short_hash(Sha256& hash) { return hash.hex().substr(0, kShortHash); }

/// Never kNoPair.
inline PairKey key_of_text(std::string_view text) {
  const auto digits = sha256_hex(text);
  PairKey key = kNoPair;
  std::from_chars(digits.data(), digits.data() + kShortHash, key, 16);
  return key == kNoPair ? 1 : key;
}

}  // namespace dis
