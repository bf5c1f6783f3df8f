// Dictionaries of tensors as Python's torch.save writes them (zip files, since PyTorch 1.6) and torch.load reads them.
//
// Reading is "weights only": nothing in a file is ever run (src/model/pickle.h).
#pragma once

#include <filesystem>

#include "dis/model/weights_file.h"

namespace dis {

/// The tensors of a file that holds one dictionary of names and tensors (dict or collections.OrderedDict), in its
/// order, on the CPU, with their types and strides. Tensors that share a storage in the file share it here, so they
/// take no more memory than the file has bytes; `contiguous()` costs what the shape says, so compare that first.
/// UserError: no such file; torn, or of the old format that is no zip file; a pickle that asks for anything but tensors
/// and plain containers (the message names it); sizes, strides or offsets that leave a tensor's storage; records that
/// unpack to more bytes than the file has; an entry that is not a tensor.
NamedTensors read_torch_file(const std::filesystem::path& path);

/// Writes a dictionary of tensors (any device; float64, float32, float16 or bfloat16), each with a storage
/// of its own, atomically. torch.load(path, weights_only=True) reads it.
void write_torch_file(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace dis
