// Where this process stands among the ranks of a run, as its launcher says in environment variables.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace dis {

struct Place {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  ///< among the ranks of this machine
  std::string address;                 ///< of the machine that holds the store; empty without a launcher
  int port = 0;
  bool agent_store = false;  ///< the launcher holds the store; otherwise rank 0 does
  /// How often the launcher has started the ranks anew, as far as it says: torchrun's agents know only of the restarts
  /// that they caused. Ranks that have met know better (ranks.h).
  int restart = 0;
  std::string run{};     ///< the launcher's name for this job; empty: it gives none
  std::string origin{};  ///< the variables that say so, for messages: "RANK=0 and WORLD_SIZE=4"; empty: none does

  bool holds_store() const { return rank == 0 && !agent_store; }
  /// "rank 0, which holds the ranks' store,"
  std::string store_holder() const;
};

/// Value of an environment variable; none: not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Read from the variables of, first found first:
///   torchrun  RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, TORCHELASTIC_USE_AGENT_STORE,
///             TORCHELASTIC_RESTART_COUNT, TORCHELASTIC_RUN_ID; of one rank (WORLD_SIZE=1, as Kubernetes sets it too)
///             no other is needed
///   Open MPI  OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE; MASTER_ADDR with more than one machine,
///             MASTER_PORT (default 29500)
///   Slurm     SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID within srun (SLURM_STEP_ID); MASTER_ADDR (default: the first
///             of SLURM_STEP_NODELIST), MASTER_PORT (default 15000 + job number modulo 20000); not in the steps that
///             are one shell (salloc's, sbatch's script), whose SLURM_NTASKS counts those of the whole job
/// With none of them there is one rank. A variable that is empty counts as not set. Whatever the launcher, a Slurm job
/// that was put back into the queue (SLURM_RESTART_COUNT) has been started anew. UserError: a variable is missing or
/// malformed.
Place find_place(const Environment& environment);
/// The same of this process.
Place find_place();

/// UserError when a launcher has started several ranks of what works in one process; `command` ("dis predict") is
/// named.
void require_one_process(const std::string& command);

}  // namespace dis
