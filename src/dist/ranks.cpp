#include "dis/dist/ranks.h"

#include <ATen/ATen.h>
#include <c10/util/Logging.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "dis/ops/cuda_part.h"
#include "group.h"
#include "liveness.h"
#include "meeting.h"

namespace dis {
namespace {

using std::chrono::milliseconds;

milliseconds timeout_of(const DistConfig& config) {
  return milliseconds(static_cast<std::int64_t>(config.timeout_s * 1000.0));
}

/// c10d reports on stderr, with stack traces, what operations throw as well.
void quieten_c10d() {
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
}

/// A connection to the store.
StorePointer connect(const Place& place, bool host, milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.port);
  options.isServer = host;
  options.waitWorkers = false;
  options.multiTenant = false;
  options.timeout = timeout;
  return c10::make_intrusive<c10d::TCPStore>(place.address, options);
}

std::string first_line(const std::exception& error) {
  const std::string what = error.what();
  return what.substr(0, what.find('\n'));
}

/// The end of a message of a rank that waited for the others in vain.
std::string told_by(const Place& place) {
  if (place.origin.empty()) return "";
  return "; " + place.origin + " say that there are " + std::to_string(place.size) +
         " ranks: unset them for one process";
}

void check_gpu(const Place& place) {
  const auto gpus = static_cast<int>(cuda_part()->devices().size());
  if (place.local_rank >= gpus) {
    throw UserError("rank " + std::to_string(place.rank) + " is number " + std::to_string(place.local_rank) +
                    " of this machine (from 0), which has " + std::to_string(gpus) +
                    " GPUs: start at most one rank per GPU, or use compute.device=cpu");
  }
}

}  // namespace

struct Ranks::Parts {
  StorePointer store;  ///< the one connection that operations wait on
  std::unique_ptr<Liveness> liveness;
  GroupPointer gloo, nccl;
  milliseconds timeout{};
  bool failed = false;
  int waits = 0;

  ~Parts() {
    // After a failure the groups would wait for the missing rank.
    if (failed && nccl) nccl->abort();
  }

  const GroupPointer& group_of(const at::Tensor& t) const { return t.is_cuda() && nccl ? nccl : gloo; }

  template <class F>
  void run(const char* what, F start) {
    liveness->begin_operation();
    try {
      start()->wait();
    } catch (const std::exception& error) {
      failed = true;
      throw RankFailure(liveness->explain(what, first_line(error)));
    }
  }
};

Ranks::Ranks() = default;

Ranks::Ranks(const Place& place, const DistConfig& config, at::Device device) : place_(place) {
  // One rank meets nobody, unless it is to show that NCCL works.
  if (place.size == 1 && (config.backend != DistBackend::nccl || place.address.empty())) return;
  quieten_c10d();
  if (config.backend == DistBackend::nccl && !device.is_cuda()) {
    throw UserError("dist.backend = nccl needs compute.device = cuda, found " + device.str() +
                    ": use dist.backend=gloo");
  }
  const bool nccl = device.is_cuda() && config.backend != DistBackend::gloo;
  if (device.is_cuda()) check_gpu(place);
  parts_ = std::make_unique<Parts>();
  parts_->timeout = timeout_of(config);
  const auto where = place.address + ":" + std::to_string(place.port);
  StorePointer store, second;
  try {
    store = connect(place, place.holds_store(), parts_->timeout);
    second = connect(place, false, parts_->timeout);
  } catch (const std::exception& error) {
    throw UserError("rank " + std::to_string(place.rank) + " of " + std::to_string(place.size) +
                    " cannot reach the ranks' store at " + where + " (MASTER_ADDR:MASTER_PORT): " + first_line(error) +
                    told_by(place));
  }
  const auto meeting = meet(store, place, parts_->timeout);
  if (!meeting.problem.empty()) {
    throw RankFailure("the " + std::to_string(place.size) + " ranks did not meet at " + where + ": " + meeting.problem +
                      told_by(place));
  }
  place_.restart = meeting.restarts;
  parts_->store = of_round(meeting, store);
  parts_->liveness = std::make_unique<Liveness>(of_round(meeting, second), place, parts_->timeout);
  try {
    const auto prefixed = [&](const char* prefix) -> StorePointer {
      return c10::make_intrusive<c10d::PrefixStore>(prefix, parts_->store);
    };
    parts_->gloo = gloo_group(prefixed("gloo"), place, parts_->timeout);
    if (nccl) {
      parts_->nccl =
          cuda_part()->nccl_group(prefixed("nccl"), place.rank, place.size, place.local_rank, parts_->timeout);
    }
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    parts_->failed = true;
    throw RankFailure(
        parts_->liveness->explain("the meeting of the " + std::to_string(place.size) + " ranks", first_line(error)));
  }
}

Ranks::~Ranks() = default;

void Ranks::sum(at::Tensor t) const {
  if (!parts_ || t.numel() == 0) return;
  std::vector<at::Tensor> tensors{t};
  parts_->run("a sum", [&] { return parts_->group_of(t)->allreduce(tensors); });
}

at::Tensor Ranks::gather(const at::Tensor& mine) const {
  if (!parts_) return mine;
  auto shape = mine.sizes().vec();
  shape[0] *= place_.size;
  auto all = at::empty(shape, mine.options()), own = mine.contiguous();
  if (all.numel() > 0) parts_->run("a gathering", [&] { return parts_->group_of(mine)->_allgather_base(all, own); });
  return all;
}

void Ranks::broadcast(at::Tensor t) const {
  if (!parts_ || t.numel() == 0) return;
  std::vector<at::Tensor> tensors{t};
  parts_->run("a broadcast", [&] { return parts_->group_of(t)->broadcast(tensors); });
}

bool Ranks::any(bool mine) const {
  if (!parts_) return mine;
  const auto votes = at::full({1}, mine ? 1 : 0, at::kLong);
  sum(votes);
  return votes.item<std::int64_t>() > 0;
}

void Ranks::barrier() const { any(false); }

void Ranks::await_first() const {
  if (!parts_) return;
  const int number = ++parts_->waits;
  if (first()) return parts_->liveness->announce(number);
  const auto problem = parts_->liveness->await(number);
  if (problem.empty()) return;
  parts_->failed = true;
  throw RankFailure(problem);
}

std::vector<std::string> Ranks::exchange(const std::string& mine) const {
  if (!parts_) return {mine};
  const auto lengths = gather(at::full({1}, static_cast<std::int64_t>(mine.size()), at::kLong));
  const auto longest = lengths.max().item<std::int64_t>();
  auto padded = at::zeros({longest}, at::kByte);
  std::memcpy(padded.data_ptr(), mine.data(), mine.size());
  const auto all = gather(padded);
  std::vector<std::string> texts;
  for (std::int64_t rank = 0; rank < place_.size; ++rank) {
    const auto* begin = reinterpret_cast<const char*>(all.data_ptr<std::uint8_t>()) + rank * longest;
    texts.emplace_back(begin, static_cast<std::size_t>(lengths[rank].item<std::int64_t>()));
  }
  return texts;
}

void Ranks::fail(const std::string& message) const noexcept {
  if (parts_ && !parts_->failed) parts_->liveness->report(message);
}

void require_same(const Ranks& ranks, const std::vector<std::pair<std::string, std::string>>& texts) {
  if (ranks.size() == 1) return;
  std::string mine;
  for (const auto& [name, value] : texts) {
    mine += name;
    mine += '\0';
    mine += value;
    mine += '\0';
  }
  const auto all = ranks.exchange(mine);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const auto values = [](const std::string& packed) {
      std::map<std::string, std::string> found;
      for (std::size_t at = 0; at < packed.size();) {
        const auto name_end = packed.find('\0', at), value_end = packed.find('\0', name_end + 1);
        found[packed.substr(at, name_end - at)] = packed.substr(name_end + 1, value_end - name_end - 1);
        at = value_end + 1;
      }
      return found;
    };
    const auto theirs = values(all[rank]);
    auto first = values(all[0]);
    for (const auto& [name, value] : theirs) {
      if (first[name] == value) continue;
      throw UserError("the ranks differ in " + name + ": rank 0 has " + first[name] + ", rank " + std::to_string(rank) +
                      " has " + value + "; start all ranks with the same command and build");
    }
    throw UserError("the ranks differ in their settings: rank 0 and rank " + std::to_string(rank) +
                    " name different ones; start all ranks with the same command and build");
  }
}

void require_same_bits(const Ranks& ranks, const std::string& what, const std::vector<at::Tensor>& tensors) {
  if (ranks.size() == 1) return;
  // A sum of the bits, each times an odd number of its place, modulo 2^64: a changed bit always changes it.
  constexpr std::int64_t kPiece = std::int64_t{1} << 24;
  auto hash = at::zeros({1}, at::kLong);
  for (const auto& tensor : tensors) {
    if (!tensor.defined()) continue;
    const auto bits = tensor.detach().flatten().view(at::kInt);
    for (std::int64_t first = 0; first < bits.numel(); first += kPiece) {
      const auto piece = bits.slice(0, first, first + kPiece).to(at::kLong);
      const auto odd = at::arange(first, first + piece.numel(), piece.options()) * 2654435762LL + 1;
      hash = hash * 31 + (piece * odd).sum().cpu();
    }
  }
  const auto all = ranks.gather(hash);
  std::map<std::int64_t, int> count;
  for (int rank = 0; rank < ranks.size(); ++rank) ++count[all[rank].item<std::int64_t>()];
  if (count.size() == 1) return;
  const auto most = std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                    })->first;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    if (all[rank].item<std::int64_t>() == most) continue;
    throw UserError(
        "rank " + std::to_string(rank) + " has other " + what +
        " than the rest, which must never be (a broken memory or GPU, or a mistake of ours): go on from the "
        "latest checkpoint with --resume");
  }
}

}  // namespace dis
