// From a JSON document or an override to a RunConfig, and back.
#include <charconv>
#include <cmath>

#include "apply.h"
#include "dis/config/config.h"
#include "dis/config/fields.h"
#include "dis/core/error.h"
#include "dis/core/log.h"
#include "mistakes.h"
#include "suggest.h"

namespace dis {
namespace {

/// The keys that a document may use at the place of an unknown one: `section` names its section, or is "run".
std::string known_keys(const std::string& section) {
  std::string list;
  const auto add = [&](const std::string& key) { list += (list.empty() ? "" : ", ") + key; };
  for (const Section& known : sections()) {
    if (known.name == section) {
      for (const Field& field : known.fields) add(field.key);
    } else if (section == "run") {
      add(known.name);
    }
  }
  return list;
}

std::string unknown_key(const std::string& path) {
  const std::string message = "unknown key \"" + path + "\"";
  if (path == "run") return message + "; the fields of this section stand at the top level: " + known_keys("run");
  const std::vector<std::string> candidates = nearest_keys(path);
  if (!candidates.empty()) return message + did_you_mean(candidates);
  const std::string section = path.substr(0, path.find('.'));
  const std::string keys = known_keys(section == path ? "run" : section);
  return message + "; known are " + (keys.empty() ? known_keys("run") : keys);
}

const Section* find_section(const std::string& name) {
  for (const Section& section : sections()) {
    if (section.name == name && name != "run") return &section;
  }
  return nullptr;
}

/// Fields that runs of earlier versions have in their config.json, and that have no meaning any more.
bool is_retired(const std::string& path) { return path == "predict.train_network"; }

void apply_value(RunConfig& config, const std::string& path, const Json& value, Mistakes& mistakes) {
  const Field* field = find_field(path);
  if (field == nullptr) return mistakes.add(unknown_key(path));
  const std::string problem = value_problem(*field, value);
  if (!problem.empty()) return mistakes.add(problem);
  field->set(*field, config, value);
}

/// The text of an override as JSON, by the type of its field. What cannot be read stays a text, which is the wrong
/// type.
Json override_value(const Field& field, const std::string& text) {
  const char* end = text.data() + text.size();
  const auto whole = [&](std::from_chars_result result) { return result.ec == std::errc() && result.ptr == end; };
  if (field.kind == FieldKind::integer || field.kind == FieldKind::real) {
    std::int64_t integer = 0;
    if (whole(std::from_chars(text.data(), end, integer))) return integer;
    double real = 0;
    if (whole(std::from_chars(text.data(), end, real)) && std::isfinite(real)) return real;
  }
  if (field.kind == FieldKind::flag && (text == "true" || text == "false")) return text == "true";
  return text;
}

}  // namespace

void apply_document(RunConfig& config, const Json& document, const std::string& source) {
  Mistakes mistakes(source);
  if (!document.is_object()) {
    mistakes.add("expected an object with settings, {\"seed\": 1, \"model\": {...}}, found " +
                 std::string(document.type_name()));
    mistakes.throw_if_any();
  }
  for (const auto& [key, value] : document.items()) {
    if (key == "$schema" || key == "extends") {
      if (!value.is_string()) mistakes.add(key + ": expected a text, found " + std::string(value.type_name()));
    } else if (const Section* section = find_section(key); section == nullptr) {
      if (find_field(key) != nullptr && key.find('.') != std::string::npos) {
        const std::size_t dot = key.find('.');
        mistakes.add("unknown key \"" + key + "\"; write \"" + key.substr(0, dot) + "\": {\"" + key.substr(dot + 1) +
                     "\": ...}");
      } else {
        apply_value(config, key, value, mistakes);
      }
    } else if (!value.is_object()) {
      mistakes.add(key + ": expected an object with the fields of this section, found " +
                   std::string(value.type_name()));
    } else {
      for (const auto& [inner, inner_value] : value.items()) {
        if (is_retired(key + "." + inner)) {
          if (inner_value == true) {
            log_warn(source + ": predict.train_network = true has no meaning any more; predict.rows_first = 0 trains " +
                     "the network from the first update on");
          }
          continue;
        }
        apply_value(config, key + "." + inner, inner_value, mistakes);
      }
    }
  }
  mistakes.throw_if_any();
}

RunConfig parse_config(const Json& document, const std::string& source) {
  if (document.is_object() && document.contains("extends")) {
    throw UserError(source + ": \"extends\" works in configuration files only");
  }
  RunConfig config;
  apply_document(config, document, source);
  return config;
}

void apply_override(RunConfig& config, const std::string& override_text) {
  Mistakes mistakes("--set " + override_text);
  const std::size_t equals = override_text.find('=');
  const std::string path = override_text.substr(0, equals);
  if (equals == std::string::npos || path.empty()) {
    mistakes.add("expected field=value, as in --set train.steps=200");
  } else if (const Section* section = find_section(path)) {
    mistakes.add("\"" + path + "\" is a section; set one of its fields, as in --set " + section->fields.front().path +
                 "=" + plain(section->fields.front().fallback));
  } else if (const Field* field = find_field(path)) {
    apply_value(config, path, override_value(*field, override_text.substr(equals + 1)), mistakes);
  } else {
    mistakes.add(unknown_key(path));
  }
  mistakes.throw_if_any();
}

Json to_json(const RunConfig& config) {
  Json document = Json::object();
  for (const Section& section : sections()) {
    for (const Field& field : section.fields) {
      Json& place = section.name == "run" ? document : document[section.name];
      place[field.key] = field.get(config);
    }
  }
  return document;
}

}  // namespace dis
