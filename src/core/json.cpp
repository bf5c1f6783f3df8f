#include "dis/core/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "dis/core/error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

/// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." -> "syntax error ...".
std::string without_preamble(const std::string& what) {
  if (what.find("] parse error at ") != std::string::npos) {
    if (const auto colon = what.find(": "); colon != std::string::npos) return what.substr(colon + 2);
  }
  const auto bracket = what.find("] ");
  return bracket == std::string::npos ? what : what.substr(bracket + 2);
}

/// ":<line>:<column>" of byte number `byte` (from 1).
std::string place_of(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte > 0 ? byte - 1 : 0, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return ":" + std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> open_objects;  // keys seen so far, outermost object first
  const Json::parser_callback_t reject_duplicates = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      open_objects.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open_objects.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second) {
        throw UserError(name + ": key \"" + key + "\" stands twice in one object; remove one of them");
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), reject_duplicates);
  } catch (const Json::parse_error& error) {
    throw UserError(name + place_of(text, error.byte) + ": not valid JSON: " + without_preamble(error.what()));
  } catch (const Json::exception& error) {
    throw UserError(name + ": not valid JSON: " + without_preamble(error.what()));
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_text(path), path.string()); }

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + '\n';
}

void write_json(const std::filesystem::path& path, const Json& json, int indent) {
  write_atomically(path, json_text(json, indent));
}

Json number_or_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

double number_from(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (json == "Infinity") return std::numeric_limits<double>::infinity();
  if (json == "-Infinity") return -std::numeric_limits<double>::infinity();
  throw UserError("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", found " +
                  json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace dis
