// JSON files: read with errors that tell the place, written atomically.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace dis {

/// Keeps the order of keys.
using Json = nlohmann::ordered_json;

/// Parses strict JSON (no comments). UserError "<name>:<line>:<column>: not valid JSON: ..." at a syntax error (lines
/// and columns count from 1, columns in bytes), and when an object has the same key twice.
Json parse_json(std::string_view text, const std::string& name);

/// Reads a JSON file; errors as of parse_json, with the path as the name.
Json read_json(const std::filesystem::path& path);

/// The text of a JSON file, with an end of line. `indent` spaces a level; -1: all in one line.
std::string json_text(const Json& json, int indent = 2);

/// Writes a JSON file atomically.
void write_json(const std::filesystem::path& path, const Json& json, int indent = 2);

/// JSON has no NaN and no infinities (nlohmann writes them as null): a finite number as it is, the others as the texts
/// "NaN", "Infinity" and "-Infinity".
Json number_or_text(double value);

/// The inverse of number_or_text; UserError for anything else.
double number_from(const Json& json);

}  // namespace dis
