// State dicts as other programs save them: a network's tensors, somewhere in a file, behind whatever names its wrappers
// put before them (torch.compile, DataParallel, a checkpoint with `model`, `ema` and `optimizer` in it).
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dis/model/weights_file.h"

namespace dis {

/// All tensors of a file of torch.save (dictionaries inside one another: names joined with dots) or of safetensors; the
/// file's first bytes tell which. Errors of the two readers.
NamedTensors read_state_dict(const std::filesystem::path& path);

/// Type and shape for messages: "BF16 [3, 4]".
std::string describe(const at::Tensor& tensor);

/// The tensors of one network among those of a state dict.
struct RecognisedNetwork {
  struct Entry {
    std::size_t index;  ///< into the names
    std::string ours;   ///< a name of the table, or one in its style that the table lacks
    bool known;         ///< it is in the table
  };
  std::vector<Entry> entries;      ///< in the order of the names; a name of ours may come twice
  std::vector<std::size_t> aside;  ///< tensors of other parts of the file
  std::string text;                ///< "names behind 'ema._orig_mod.model.inner.'; left aside: 'model' (31 tensors)"
  bool usual = false;              ///< names with our prefix or none, and nothing left aside: not worth a word
};

/// Finds a network by the names of `table` behind any prefix; `module`, `_orig_mod` and the like may stand anywhere in
/// a name. Of several networks in one file: the moving average (`ema` in its prefix), else the one without a prefix of
/// its own; optimisers' moments do not count. What has another prefix is left aside. UserError, which starts with
/// `where`, when several networks remain.
RecognisedNetwork recognise_network(const std::vector<std::string>& names, const std::vector<WeightSpec>& table,
                                    const std::string& where);

}  // namespace dis
