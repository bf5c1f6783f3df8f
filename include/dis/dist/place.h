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
  int restart = 0;           ///< how often the launcher has started the ranks anew
};

/// Value of an environment variable; none: not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Read from the variables of, first found first:
///   torchrun  RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, TORCHELASTIC_USE_AGENT_STORE,
///             TORCHELASTIC_RESTART_COUNT
///   Open MPI  OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE; MASTER_ADDR with more than one machine,
///             MASTER_PORT (default 29500)
///   Slurm     SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID within srun (SLURM_STEP_ID); MASTER_ADDR (default: the first
///             of SLURM_STEP_NODELIST), MASTER_PORT (default 15000 + job number modulo 20000)
/// With none of them there is one rank. UserError: a variable is missing or malformed.
Place find_place(const Environment& environment);
/// The same of this process.
Place find_place();

}  // namespace dis
