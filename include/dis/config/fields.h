// The table of fields behind parsing, `--set`, the schema and the reference page; generated from fields.def.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/json.h"

namespace dis {

enum class FieldKind { integer, real, flag, text, choice };

struct Field {
  std::string path;     ///< "model.hidden_size"; for the section `run`, which has no prefix, "seed"
  std::string section;  ///< "model"
  std::string key;      ///< "hidden_size"
  FieldKind kind = FieldKind::text;
  std::string help;
  Json lowest, highest;              ///< range of an integer or a real, both ends allowed; else null
  std::vector<std::string> choices;  ///< spellings of a choice; else empty
  Json fallback;                     ///< the default
  bool may_change = false;           ///< when a run goes on
  Json (*get)(const RunConfig&) = nullptr;
  /// Takes a value that `value_problem` has passed.
  void (*set)(const Field&, RunConfig&, const Json&) = nullptr;
};

struct Section {
  std::string name;
  std::string help;
  std::vector<Field> fields;
};

/// All sections in the order of their declaration; the first is `run`.
const std::vector<Section>& sections();

/// The field with this path, or null.
const Field* find_field(std::string_view path);

/// "an integer", "a number", "true or false", "a text", "a choice": the type as error messages name it.
std::string kind_name(FieldKind kind);

/// What the field allows, in words: "4 to 8192", "path, mask, replace", "true or false", "any text".
std::string allowed_values(const Field& field);

/// The fields that may change when a run goes on, in words: "train.steps, eval.* (not halting), predict.*".
std::string changeable_fields();

/// A number as a person writes it (10, not 10.0), any other value as JSON.
std::string plain(const Json& value);

/// What is wrong with `value` as a value of `field` ("model.hidden_size = 2 is out of range: allowed is 4 to 8192"),
/// or an empty text. An integer field takes 6e4 for 60000.
std::string value_problem(const Field& field, const Json& value);

}  // namespace dis
