#include "dis/model/state_dict.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

#include "dis/core/error.h"
#include "dis/core/safetensors.h"
#include "dis/model/torch_file.h"

namespace dis {
namespace {

constexpr std::string_view kBase = "model.inner.";  // before every name of the table
constexpr std::array<std::string_view, 4> kWrappers{"module", "_orig_mod", "_fsdp_wrapped_module",
                                                    "_checkpoint_wrapped_module"};
constexpr std::array<std::string_view, 2> kBaseParts{"model", "inner"};

using Parts = std::vector<std::string>;

Parts parts_of(std::string_view name) {
  Parts parts;
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('.', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    if (std::ranges::find(kWrappers, part) == kWrappers.end()) parts.emplace_back(part);
    begin = end + 1;
  }
  return parts;
}

std::string joined(std::span<const std::string> parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ".") + part;
  return text;
}

/// A name of the file and what is known of it.
struct Candidate {
  Parts parts;
  std::size_t prefix = 0;  // parts before the name of the table
  std::string network;     // the prefix without `model` and `inner`
  bool known = false;
};

Candidate candidate_of(const std::string& name, const std::set<std::string, std::less<>>& bare) {
  Candidate found{parts_of(name), 0, "", false};
  for (std::size_t i = 0; i < found.parts.size() && !found.known; ++i) {
    if (!bare.contains(joined(std::span(found.parts).subspan(i)))) continue;
    found.known = true;
    found.prefix = i;
  }
  Parts network(found.parts.begin(), found.parts.begin() + static_cast<std::ptrdiff_t>(found.prefix));
  std::erase_if(network, [](const auto& part) { return std::ranges::find(kBaseParts, part) != kBaseParts.end(); });
  found.network = joined(network);
  return found;
}

bool mentions(const std::string& network, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](auto word) { return network.find(word) != std::string::npos; });
}

/// The one of the networks in the file that is meant.
std::string choose(const std::vector<Candidate>& candidates, const std::string& where) {
  std::map<std::string, std::size_t> sizes;
  for (const auto& candidate : candidates) {
    if (candidate.known && !mentions(candidate.network, {"optim"})) ++sizes[candidate.network];
  }
  std::size_t most = 0;
  for (const auto& [network, size] : sizes) most = std::max(most, size);
  std::erase_if(sizes, [&](const auto& entry) { return entry.second < most; });
  if (sizes.empty()) return "";
  if (sizes.size() == 1) return sizes.begin()->first;
  Parts averages;
  std::string list;
  for (const auto& [network, size] : sizes) {
    if (mentions(network, {"ema", "EMA", "averag"})) averages.push_back(network);
    list += (list.empty() ? "'" : ", '") + network + "'";
  }
  if (averages.size() == 1) return averages.front();
  if (averages.empty() && sizes.contains("")) return "";
  throw UserError(where + ": expected one network, found " + std::to_string(sizes.size()) + " (" + list +
                  "); save the one that you mean alone, as in torch.save(checkpoint[KEY], file)");
}

/// Whether a tensor that is in no table lies where the network's do: under the same prefix, `model` and `inner` aside.
bool lies_inside(const Candidate& other, const std::set<Parts>& places) {
  return std::ranges::any_of(places, [&](const Parts& place) {
    return place.size() <= other.parts.size() && std::equal(place.begin(), place.end(), other.parts.begin());
  });
}

Parts place_of_network(const Candidate& candidate) {
  Parts place(candidate.parts.begin(), candidate.parts.begin() + static_cast<std::ptrdiff_t>(candidate.prefix));
  while (place.size() > 1 && std::ranges::find(kBaseParts, place.back()) != kBaseParts.end()) place.pop_back();
  return place;
}

/// The name in the table's style: what is behind the prefix.
std::string our_name(const Candidate& candidate, const std::set<Parts>& places) {
  std::size_t begin = candidate.prefix;
  if (!candidate.known) {
    for (const Parts& place : places) {
      if (lies_inside(candidate, {place})) begin = std::max(begin, place.size());
    }
    while (begin + 1 < candidate.parts.size() &&
           std::ranges::find(kBaseParts, candidate.parts[begin]) != kBaseParts.end()) {
      ++begin;
    }
  }
  return std::string(kBase) + joined(std::span(candidate.parts).subspan(begin));
}

std::string text_of_prefix(const std::string& name, const std::string& ours) {
  const std::string bare = ours.substr(kBase.size());
  const std::string prefix = name.ends_with(bare) ? name.substr(0, name.size() - bare.size()) : name;
  return prefix.empty() ? "names without a prefix" : "names behind '" + prefix + "'";
}

std::string text_of_others(const std::map<std::string, std::size_t>& aside) {
  constexpr std::size_t kMost = 5;
  std::string text;
  std::size_t told = 0;
  for (const auto& [part, count] : aside) {
    if (told++ == kMost) return text + ", ...";
    text += (text.empty() ? "; left aside: '" : ", '") + part + "' (" + std::to_string(count) +
            (count == 1 ? " tensor)" : " tensors)");
  }
  return text;
}

}  // namespace

NamedTensors read_state_dict(const std::filesystem::path& path) {
  std::array<char, 9> first{};
  std::ifstream(path, std::ios::binary).read(first.data(), first.size());  // the readers tell why it cannot be read
  const std::string_view start(first.data(), first.size());
  const bool torch = start.starts_with("PK") || start.starts_with("\x80");
  const bool safetensors = begins_safetensors(start) || (!torch && path.extension() == ".safetensors");
  return safetensors ? read_tensors(path) : read_torch_file(path);
}

std::string describe(const at::Tensor& tensor) {
  const auto type = [&]() -> std::string {
    switch (tensor.scalar_type()) {
      case at::kFloat:
        return "F32";
      case at::kBFloat16:
        return "BF16";
      case at::kHalf:
        return "F16";
      case at::kDouble:
        return "F64";
      case at::kInt:
        return "I32";
      case at::kLong:
        return "I64";
      default:
        return at::toString(tensor.scalar_type());
    }
  };
  return describe_tensor(type(), tensor.sizes().vec());
}

RecognisedNetwork recognise_network(const std::vector<std::string>& names, const std::vector<WeightSpec>& table,
                                    const std::string& where) {
  std::set<std::string, std::less<>> bare;
  for (const auto& spec : table) bare.insert(spec.name.substr(kBase.size()));
  std::vector<Candidate> candidates;
  for (const auto& name : names) candidates.push_back(candidate_of(name, bare));
  const auto network = choose(candidates, where);

  std::set<Parts> places;
  for (const auto& candidate : candidates) {
    if (candidate.known && candidate.network == network) places.insert(place_of_network(candidate));
  }
  if (places.empty()) places.insert(Parts{});  // nothing fits: all of it is unexpected

  RecognisedNetwork found;
  std::map<std::string, std::size_t> aside;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& candidate = candidates[i];
    const bool ours = candidate.known ? candidate.network == network : lies_inside(candidate, places);
    if (ours) {
      found.entries.push_back({i, our_name(candidate, places), candidate.known});
    } else {
      found.aside.push_back(i);
      ++aside[candidate.known && !candidate.network.empty() ? candidate.network : candidate.parts.front()];
    }
  }
  const auto first = std::ranges::find(found.entries, true, &RecognisedNetwork::Entry::known);
  found.text = (first == found.entries.end() ? "no known names" : text_of_prefix(names[first->index], first->ours)) +
               text_of_others(aside);
  const auto is_usual = [&](const auto& entry) {
    return names[entry.index] == entry.ours || names[entry.index] == entry.ours.substr(kBase.size());
  };
  found.usual = aside.empty() && std::ranges::all_of(found.entries, is_usual);
  return found;
}

}  // namespace dis
