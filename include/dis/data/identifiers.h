// The list of a data set's puzzle identifiers: what ties the rows of a trained puzzle embedding to puzzles.
//
// As a file it is what the official builders write, byte for byte (a JSON list, as Python's json.dump writes it), so
// that its SHA-256 can be compared with a published one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dis/data/dataset.h"

namespace dis {

void write_identifiers(const std::filesystem::path& file, const TrainingStream& data);

/// SHA-256 of that file, in hexadecimal digits.
std::string identifiers_sha256(const TrainingStream& data);

/// Whether `file` is what write_identifiers would write.
bool same_identifiers(const std::filesystem::path& file, const TrainingStream& data);

/// Every name, index = identifier.
std::vector<std::string> identifier_names(const TrainingStream& data);
/// The names in a file. UserError: no such file, or not a list of texts that starts with "<blank>".
std::vector<std::string> read_identifiers(const std::filesystem::path& file);

}  // namespace dis
