// The configuration of a run: types, reading, writing.
//
// The fields themselves are declared in fields.def, once; this header expands them. `RunConfig` is plain data: a
// function of the program takes the section that it needs, not the whole.
//
// In JSON each section is an object (`{"model": {"hidden_size": 256}}`), but the fields of the section `run` stand at
// the top level (`{"seed": 1}`). A file may leave out any field. "extends": "../base/dis.json" (a path relative to the
// file that says so) reads that file first. "$schema" is for editors and has no effect.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace dis {

using Json = nlohmann::ordered_json;  // as in core/json.h, which this header spares its many includers

// The types of the choices, each with the spelling that JSON and `--set` use.
#define DIS_CHOICE(name, Type, value, help, ...) \
  enum class Type { __VA_ARGS__ };               \
  std::string to_string(Type choice);
#include "dis/config/fields.def"

// The sections.
#define DIS_BEGIN(section, Type, help) \
  struct Type {                        \
    bool operator==(const Type&) const = default;
#define DIS_END(section, Type) \
  }                            \
  ;
#define DIS_INTEGER(name, value, lowest, highest, help) std::int64_t name = value;
#define DIS_REAL(name, value, lowest, highest, help) double name = value;
#define DIS_FLAG(name, value, help) bool name = value;
#define DIS_TEXT(name, value, help) std::string name = value;
#define DIS_CHOICE(name, Type, value, help, ...) Type name = Type::value;
#include "dis/config/fields.def"

/// Every setting of a run; default-constructed: the defaults.
struct RunConfig {
#define DIS_BEGIN(section, Type, help) Type section;
#include "dis/config/fields.def"
  bool operator==(const RunConfig&) const = default;
};

/// Passes of a cycle and of a supervision step: n + 1 and T (n + 1); with one state n and T n.
std::int64_t passes_of_cycle(const ModelConfig& model);
std::int64_t passes_of_step(const ModelConfig& model);

/// Reads the file and the chain of files that it extends, base first, then the `overrides` ("model.hidden_size=128",
/// "seed=3"), and checks the whole (`check_config`). An empty path stands for the defaults.
/// UserError: no such file, not JSON, a key twice in an object, an unknown key (with the nearest known one), a wrong
/// type, a value out of range, a circular `extends`, a malformed override, settings that contradict each other. Of
/// several mistakes in one file the first is told, and how many more there are.
RunConfig load_config(const std::filesystem::path& path, const std::vector<std::string>& overrides = {});

/// The defaults, overlaid with `document`; `source` names it in errors. Neither files nor `extends` (a UserError), and
/// without the checks across fields. The other errors are those of `load_config`.
RunConfig parse_config(const Json& document, const std::string& source);

/// Applies one override ("model.hidden_size=128"). The value is read by the field's type; a text field takes it as it
/// stands, without quotes. UserError as above.
void apply_override(RunConfig& config, const std::string& override_text);

/// The checks that involve more than one field (checks.cpp). UserError that names both fields, what was found and what
/// is allowed.
void check_config(const RunConfig& config, const std::string& source);

/// Every field in the order of its declaration. `parse_config(to_json(c), "")` equals c, numbers to the last bit.
Json to_json(const RunConfig& config);

}  // namespace dis
