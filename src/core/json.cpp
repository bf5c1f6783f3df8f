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

constexpr int kDeepest = 100;  // the files that are read have less than ten levels
constexpr std::size_t kLongestCause = 300;

/// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." -> "syntax error ...", on one
/// line and of bearable length: a parser repeats the text that it could not read, whatever that is.
std::string cause_of(const std::string& what) {
  auto start = what.find("] ");
  if (what.find("] parse error at ") != std::string::npos) start = what.find(": ");
  std::string text = start == std::string::npos ? what : what.substr(start + 2);
  if (text.size() > kLongestCause) text = text.substr(0, kLongestCause) + "...";
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

/// ":<line>:<column>" of byte number `byte` (from 1).
std::string place_of(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte > 0 ? byte - 1 : 0, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return ":" + std::to_string(line) + ":" + std::to_string(column);
}

/// Refuses, while a text is being parsed, what must not become a value: writing and removing one takes a frame of the
/// stack for every level.
void check_depth(int depth, Json::parse_event_t event, const std::string& name) {
  using Event = Json::parse_event_t;
  if (depth >= kDeepest && (event == Event::object_start || event == Event::array_start)) {
    throw UserError(name + ": expected at most " + std::to_string(kDeepest) +
                    " lists and objects inside one another, found more; is this the right file?");
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> open_objects;  // keys seen so far, outermost object first
  const Json::parser_callback_t check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    check_depth(depth, event, name);
    if (event == Json::parse_event_t::object_start) {
      open_objects.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open_objects.pop_back();
    } else if (event == Json::parse_event_t::key) {
      if (!open_objects.back().insert(parsed.get_ref<const std::string&>()).second) {
        throw UserError(name + ": key " + in_message(parsed) + " stands twice in one object; remove one of them");
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::parse_error& error) {
    throw not_valid_json(text, name, error.byte, error.what());
  } catch (const Json::exception& error) {
    throw UserError(name + ": not valid JSON: " + cause_of(error.what()));
  }
}

Json try_parse_json(std::string_view text) {
  try {
    return Json::parse(
        text.begin(), text.end(),
        [](int depth, Json::parse_event_t event, Json&) {
          check_depth(depth, event, "");
          return true;
        },
        false);
  } catch (const UserError&) {
    return Json::value_t::discarded;
  }
}

UserError not_valid_json(std::string_view text, const std::string& name, std::size_t byte, const std::string& what) {
  return UserError(name + place_of(text, byte) + ": not valid JSON: " + cause_of(what));
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_text(path), path.string()); }

void write_json(const std::filesystem::path& path, const Json& json, int indent) {
  write_atomically(path, json_file_text(json, indent));
}

std::string json_file_text(const Json& json, int indent) { return json_text(json, indent) + '\n'; }

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string in_message(const Json& json, std::size_t most) {
  const std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string utf8_name(const std::string& bytes) {
  if (is_utf8(bytes)) return bytes;
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string name;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      name += c;
    } else {
      name += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return name;
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
  throw UserError("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", found " + in_message(json));
}

}  // namespace dis
