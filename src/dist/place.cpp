#include "dis/dist/place.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "dis/core/error.h"

namespace dis {
namespace {

/// Variables of one launcher, named in messages.
class Variables {
 public:
  Variables(const Environment& environment, std::string launcher)
      : environment_(environment), launcher_(std::move(launcher)) {}

  std::optional<std::string> find(const std::string& name) const { return environment_(name); }

  std::string text(const std::string& name) const {
    const auto value = environment_(name);
    if (!value) {
      throw UserError("environment variable " + name + " is not set, but others of " + launcher_ +
                      " are: start the ranks with its launcher, or unset them all for one process");
    }
    return *value;
  }

  int number(const std::string& name, int lowest, int highest) const {
    const auto value = text(name);
    int result = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (error != std::errc() || end != value.data() + value.size() || result < lowest || result > highest) {
      throw UserError("environment variable " + name + " = \"" + value + "\": expected a number from " +
                      std::to_string(lowest) + " to " + std::to_string(highest));
    }
    return result;
  }

  int number_or(const std::string& name, int lowest, int highest, int fallback) const {
    return find(name) ? number(name, lowest, highest) : fallback;
  }

 private:
  const Environment& environment_;
  std::string launcher_;
};

constexpr int kMostRanks = 1 << 20;
constexpr int kHighestPort = 65535;

Place ranks_of(const Variables& v, const std::string& rank, const std::string& size) {
  Place place;
  place.size = v.number(size, 1, kMostRanks);
  if (place.size > 1 || v.find(rank)) place.rank = v.number(rank, 0, place.size - 1);
  place.restart = v.number_or("SLURM_RESTART_COUNT", 0, kMostRanks, 0);  // a job put back into the queue
  place.origin = rank + "=" + std::to_string(place.rank) + " and " + size + "=" + std::to_string(place.size);
  return place;
}

/// Whether one rank is given an address to meet itself at.
bool has_address(const Variables& v) {
  const auto port = v.find("MASTER_PORT");  // of a Kubernetes service it may be "tcp://10.0.0.1:80"
  return v.find("MASTER_ADDR") && port && port->find_first_not_of("0123456789") == std::string::npos;
}

Place torchrun(const Environment& environment) {
  const Variables v(environment, "torchrun");
  auto place = ranks_of(v, "RANK", "WORLD_SIZE");
  place.restart = std::max(place.restart, v.number_or("TORCHELASTIC_RESTART_COUNT", 0, kMostRanks, 0));
  place.run = v.find("TORCHELASTIC_RUN_ID").value_or("");
  if (place.size == 1 && !has_address(v)) return place;
  place.local_size = v.number_or("LOCAL_WORLD_SIZE", 1, place.size, place.size);
  if (place.size > 1) place.local_rank = v.number("LOCAL_RANK", 0, place.local_size - 1);
  place.address = v.text("MASTER_ADDR");
  place.port = v.number("MASTER_PORT", 1, kHighestPort);
  place.agent_store = v.find("TORCHELASTIC_USE_AGENT_STORE") == "True";
  return place;
}

Place open_mpi(const Environment& environment) {
  const Variables v(environment, "Open MPI");
  auto place = ranks_of(v, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
  if (place.size == 1) return place;
  place.local_size = v.number("OMPI_COMM_WORLD_LOCAL_SIZE", 1, place.size);
  place.local_rank = v.number("OMPI_COMM_WORLD_LOCAL_RANK", 0, place.local_size - 1);
  place.address = place.local_size == place.size && !v.find("MASTER_ADDR") ? "127.0.0.1" : v.text("MASTER_ADDR");
  place.port = v.number_or("MASTER_PORT", 1, kHighestPort, 29500);
  return place;
}

/// The first host of "node[01-04,07],x3": node01.
std::string first_host(const std::string& list) {
  const auto end = list.find_first_of("[,");
  if (end == std::string::npos || list[end] == ',') return list.substr(0, end);
  const auto digits = list.substr(end + 1, list.find_first_of("-,]", end) - end - 1);
  const auto close = list.find(']', end);
  const auto tail = close == std::string::npos ? "" : list.substr(close + 1, list.find(',', close) - close - 1);
  return list.substr(0, end) + digits + tail;
}

Place slurm(const Environment& environment) {
  const Variables v(environment, "Slurm");
  auto place = ranks_of(v, "SLURM_PROCID", "SLURM_NTASKS");
  if (place.size == 1) return place;
  place.local_rank = v.number("SLURM_LOCALID", 0, place.size - 1);
  place.local_size = place.local_rank + 1;  // at least; Slurm says no more for uneven machines
  place.address = v.find("MASTER_ADDR") ? v.text("MASTER_ADDR") : first_host(v.text("SLURM_STEP_NODELIST"));
  constexpr int kMostJobs = 2000000000;
  place.port = v.find("MASTER_PORT") ? v.number("MASTER_PORT", 1, kHighestPort)
                                     : 15000 + v.number("SLURM_JOB_ID", 0, kMostJobs) % 20000;
  return place;
}

/// Steps whose one process is a shell: their numbers are the highest that there are.
bool is_shell(const std::string& step) {
  constexpr std::uint32_t kFirstReserved = 0xfffffff0;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), number);
  return error == std::errc() && end == step.data() + step.size() && number >= kFirstReserved;
}

}  // namespace

std::string Place::store_holder() const {
  return std::string(agent_store ? "the launcher" : "rank 0") + ", which holds the ranks' store,";
}

Place find_place(const Environment& environment) {
  const Environment set = [&](const std::string& name) {
    auto value = environment(name);
    return value && value->empty() ? std::nullopt : value;
  };
  if (set("RANK") || set("WORLD_SIZE")) return torchrun(set);
  if (set("OMPI_COMM_WORLD_RANK")) return open_mpi(set);
  const auto step = set("SLURM_STEP_ID");
  if (set("SLURM_PROCID") && step && !is_shell(*step)) return slurm(set);
  Place alone;
  alone.restart = Variables(set, "Slurm").number_or("SLURM_RESTART_COUNT", 0, kMostRanks, 0);
  return alone;
}

Place find_place() {
  return find_place([](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

void require_one_process(const std::string& command) {
  const auto place = find_place();
  if (place.size == 1) return;
  throw UserError(command + " works in one process, but " + place.origin +
                  " say that this is one of several: start it " + "without a launcher, or unset these variables");
}

}  // namespace dis
