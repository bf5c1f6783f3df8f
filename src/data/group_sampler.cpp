#include "dis/data/group_sampler.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <mutex>
#include <numeric>
#include <span>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/random.h"

namespace dis {
namespace {

// Epochs whose orders are kept: several threads may be filling batches of different epochs. Fewer for many groups.
constexpr std::size_t kMostEpochs = 16;
constexpr std::size_t kLeastEpochs = 2;
constexpr std::size_t kGroupsKept = 1U << 20;  // of all kept epochs together

// Up to here the order of a puzzle's examples is a shuffle, which costs as many draws as the puzzle has examples;
// beyond, it is a bijection evaluated at one point.
constexpr std::uint32_t kLongestShuffle = 64;

/// One visit of a group: its puzzle, and the order of the puzzle's examples.
struct Visit {
  std::uint64_t sampler = 0;  // number of the sampler that made it; 0: none did
  std::uint64_t seed = 0;
  std::uint64_t first = 0;     // position of its first example
  std::uint64_t examples = 0;  // how many follow from there
  Pick pick;                   // of any of them, but for the example
  std::array<std::uint32_t, kLongestShuffle> order;
  std::uint64_t order_seed = 0;  // where `order` is too short

  std::int64_t example(std::uint64_t index) const {
    if (examples <= kLongestShuffle) return order[index];
    return static_cast<std::int64_t>(permuted_index(order_seed, Purpose::puzzle, 0, examples, index));
  }
};

/// Numbers samplers from 1.
std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

/// The order of one epoch.
struct GroupSampler::Epoch {
  std::uint64_t seed = 0;
  std::uint64_t number = 0;
  std::vector<std::uint32_t> order;  // groups
  std::vector<std::int64_t> starts;  // place in the epoch of each visit's first example
};

/// The epochs used last, the latest first.
class GroupSampler::Cache {
 public:
  const std::uint64_t sampler = next_number();

  explicit Cache(std::size_t groups)
      : most_(std::clamp(kGroupsKept / std::max<std::size_t>(groups, 1), kLeastEpochs, kMostEpochs)) {}

  std::shared_ptr<const Epoch> find(std::uint64_t seed, std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(
        epochs_, [&](const auto& epoch) { return epoch->number == number && epoch->seed == seed; });
    if (found == epochs_.end()) return nullptr;
    std::rotate(epochs_.begin(), found, found + 1);
    return epochs_.front();
  }

  void add(std::shared_ptr<const Epoch> epoch) {
    const std::lock_guard lock(mutex_);
    epochs_.insert(epochs_.begin(), std::move(epoch));
    if (epochs_.size() > most_) epochs_.pop_back();
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const Epoch>> epochs_;
  std::size_t most_;
};

GroupSampler::GroupSampler(std::vector<SampledGroup> groups)
    : groups_(std::move(groups)), cache_(std::make_unique<Cache>(groups_.size())) {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  ensure(!groups_.empty() && std::cmp_less(groups_.size(), kMost), "GroupSampler", "at least one group, below 2^32");
  for (const SampledGroup& group : groups_) {
    ensure(group.puzzles >= 1 && group.puzzles <= kMost && group.examples >= 1 && group.examples <= kMost,
           "GroupSampler", "groups with puzzles and examples, below 2^32");
    epoch_length_ += group.examples;
  }
}

GroupSampler::~GroupSampler() = default;
GroupSampler::GroupSampler(GroupSampler&&) noexcept = default;
GroupSampler& GroupSampler::operator=(GroupSampler&&) noexcept = default;

std::shared_ptr<const GroupSampler::Epoch> GroupSampler::epoch(std::uint64_t seed, std::uint64_t number) const {
  if (auto kept = cache_->find(seed, number)) return kept;
  // Made without the lock: when two threads need the same epoch both make it, and either may be kept.
  auto made = std::make_shared<Epoch>();
  made->seed = seed;
  made->number = number;
  made->order.resize(groups_.size());
  std::iota(made->order.begin(), made->order.end(), 0U);
  Draws(seed, Purpose::order, number, 0).shuffle(std::span(made->order));
  made->starts.reserve(groups_.size());
  std::int64_t start = 0;
  for (const std::uint32_t group : made->order) {
    made->starts.push_back(start);
    start += groups_[group].examples;
  }
  cache_->add(made);
  return made;
}

Pick GroupSampler::pick(std::uint64_t seed, std::uint64_t position) const {
  // Neighbours mostly belong to one visit, so each thread remembers its last one.
  thread_local Visit visit;
  if (visit.sampler != cache_->sampler || visit.seed != seed || position - visit.first >= visit.examples) {
    const auto length = static_cast<std::uint64_t>(epoch_length_);
    const std::uint64_t number = position / length;
    const auto place = static_cast<std::int64_t>(position % length);
    const auto order = epoch(seed, number);
    const auto after = std::ranges::upper_bound(order->starts, place);
    const std::uint32_t group = order->order[static_cast<std::size_t>(after - order->starts.begin()) - 1];

    Draws draws(seed, Purpose::puzzle, number, group);
    visit.sampler = cache_->sampler;
    visit.seed = seed;
    visit.first = position - static_cast<std::uint64_t>(place - *(after - 1));
    visit.examples = static_cast<std::uint64_t>(groups_[group].examples);
    visit.pick = {static_cast<std::int64_t>(number), group,
                  draws.below(static_cast<std::uint32_t>(groups_[group].puzzles)), 0};
    if (visit.examples <= kLongestShuffle) {
      const auto examples = std::span(visit.order).first(visit.examples);
      std::iota(examples.begin(), examples.end(), 0U);
      draws.shuffle(examples);
    } else {
      const std::uint64_t high = draws.next();
      visit.order_seed = high << 32 | draws.next();
    }
  }
  Pick pick = visit.pick;
  pick.example = visit.example(position - visit.first);
  return pick;
}

}  // namespace dis
