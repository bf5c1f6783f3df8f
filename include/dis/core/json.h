// JSON files: read with errors that tell the place, written atomically.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dis/core/error.h"

namespace dis {

/// Keeps the order of keys.
using Json = nlohmann::ordered_json;

/// Parses strict JSON (no comments). UserError "<name>:<line>:<column>: not valid JSON: ..." at a syntax error (lines
/// and columns count from 1, columns in bytes), when an object has the same key twice, and when more than 100 lists and
/// objects lie inside one another.
Json parse_json(std::string_view text, const std::string& name);

/// The value of a text that may be anything, such as a torn line: is_discarded() where parse_json would throw. Of a key
/// that an object has twice, the last value counts.
Json try_parse_json(std::string_view text);

/// The error of parse_json at byte `byte` (from 1) of the text, for other parsers of JSON; `what`: nlohmann's message.
UserError not_valid_json(std::string_view text, const std::string& name, std::size_t byte, const std::string& what);

/// Reads a JSON file; errors as of parse_json, with the path as the name.
Json read_json(const std::filesystem::path& path);

/// The text of a JSON file, with an end of line. `indent` spaces a level; -1: all in one line.
std::string json_file_text(const Json& json, int indent = 2);

/// Writes a JSON file atomically.
void write_json(const std::filesystem::path& path, const Json& json, int indent = 2);

/// The value as text. Names and paths may hold any bytes; what is not UTF-8 becomes U+FFFD (dump() would throw).
std::string json_text(const Json& json, int indent = -1);

/// The value as a message shows it: one line of ASCII, cut to `most` characters and "...".
std::string in_message(const Json& json, std::size_t most = 80);

bool is_utf8(const std::string& text);

/// The text as it is if it is UTF-8; otherwise with "\\xE9" for every byte that is not ASCII: a name of a file as a
/// name in JSON, so that different files keep different names.
std::string utf8_name(const std::string& bytes);

/// JSON has no NaN and no infinities (nlohmann writes them as null): a finite number as it is, the others as the texts
/// "NaN", "Infinity" and "-Infinity".
Json number_or_text(double value);

/// The inverse of number_or_text; UserError for anything else.
double number_from(const Json& json);

}  // namespace dis
