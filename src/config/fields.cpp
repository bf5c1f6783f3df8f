#include "dis/config/fields.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "dis/core/error.h"
#include "suggest.h"

namespace dis {
namespace {

/// "path, mask, replace" as its parts.
std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    names.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(list.find_first_not_of(", ", comma), list.size()));
  }
  return names;
}

template <class T>
Json read(const T& member) {
  if constexpr (std::is_enum_v<T>) {
    return to_string(member);
  } else {
    return member;
  }
}

template <class T>
void write(const Field& field, T& member, const Json& value) {
  if constexpr (std::is_enum_v<T>) {
    const auto found = std::find(field.choices.begin(), field.choices.end(), value.get<std::string>());
    member = static_cast<T>(found - field.choices.begin());
  } else {
    member = value.get<T>();
  }
}

void mark_changeable(Field& field, const char* name) {
  ensure(field.key == name, "fields.def", "DIS_MAY_CHANGE below its field");
  field.may_change = true;
}

std::vector<Section> build_sections() {
  std::vector<Section> all;
  const auto begin = [&](std::string name, std::string help) { all.push_back({std::move(name), std::move(help), {}}); };
  const auto add = [&](Field field) {
    field.section = all.back().name;
    field.path = field.section == "run" ? field.key : field.section + "." + field.key;
    field.fallback = field.get(RunConfig{});
    all.back().fields.push_back(std::move(field));
  };
#define DIS_ADD(name_, kind_, help_, lowest_, highest_, choices_)                    \
  add({.path = {},                                                                   \
       .section = {},                                                                \
       .key = #name_,                                                                \
       .kind = FieldKind::kind_,                                                     \
       .help = help_,                                                                \
       .lowest = lowest_,                                                            \
       .highest = highest_,                                                          \
       .choices = choices_,                                                          \
       .fallback = {},                                                               \
       .may_change = false,                                                          \
       .get = [](const RunConfig& config) { return read((config.*section).name_); }, \
       .set = [](const Field& field, RunConfig& config,                              \
                 const Json& value) { write(field, (config.*section).name_, value); }});
#define DIS_BEGIN(section_, Type, help_)           \
  {                                                \
    constexpr auto section = &RunConfig::section_; \
    begin(#section_, help_);
#define DIS_END(section_, Type) }
#define DIS_INTEGER(name, value, low, high, help) \
  DIS_ADD(name, integer, help, std::int64_t{low}, std::int64_t{high}, std::vector<std::string>{})
#define DIS_REAL(name, value, low, high, help) DIS_ADD(name, real, help, low, high, std::vector<std::string>{})
#define DIS_FLAG(name, value, help) DIS_ADD(name, flag, help, nullptr, nullptr, std::vector<std::string>{})
#define DIS_TEXT(name, value, help) DIS_ADD(name, text, help, nullptr, nullptr, std::vector<std::string>{})
#define DIS_CHOICE(name, Type, value, help, ...) \
  DIS_ADD(name, choice, help, nullptr, nullptr, split_names(#__VA_ARGS__))
#define DIS_MAY_CHANGE(name_) mark_changeable(all.back().fields.back(), #name_);
#include "dis/config/fields.def"
#undef DIS_ADD
  return all;
}

/// The value as messages show it: JSON, cut where it is long, bad UTF-8 replaced.
std::string shown(const Json& value) {
  if (value.is_number()) return plain(value);
  return in_message(value, 60);
}

std::string out_of_range(const Field& field, const Json& value) {
  return field.path + " = " + shown(value) + " is out of range: allowed is " + allowed_values(field);
}

/// Exact for integers too, because their ranges end below 2^53.
bool in_range(const Field& field, double value) {
  return field.lowest.get<double>() <= value && value <= field.highest.get<double>();
}

}  // namespace

#define DIS_CHOICE(name, Type, value, help, ...)                             \
  std::string to_string(Type choice) {                                       \
    static const std::vector<std::string> names = split_names(#__VA_ARGS__); \
    return names.at(static_cast<std::size_t>(choice));                       \
  }
#include "dis/config/fields.def"

const std::vector<Section>& sections() {
  static const std::vector<Section> all = build_sections();
  return all;
}

const Field* find_field(std::string_view path) {
  for (const Section& section : sections()) {
    for (const Field& field : section.fields) {
      if (field.path == path) return &field;
    }
  }
  return nullptr;
}

std::string changeable_fields() {
  std::string text;
  for (const Section& section : sections()) {
    std::string those, others;  // of the section's fields
    for (const Field& field : section.fields) {
      auto& list = field.may_change ? those : others;
      list += (list.empty() ? "" : ", ") + (field.may_change ? field.path : field.key);
    }
    if (those.empty()) continue;
    const auto kept = std::ranges::count(section.fields, false, &Field::may_change);
    constexpr std::int64_t kFewKept = 2;
    if (section.name != "run" && kept <= kFewKept) {
      those = section.name + ".*" + (others.empty() ? "" : " (not " + others + ")");
    }
    text += (text.empty() ? "" : ", ") + those;
  }
  return text;
}

std::string kind_name(FieldKind kind) {
  switch (kind) {
    case FieldKind::integer:
      return "an integer";
    case FieldKind::real:
      return "a number";
    case FieldKind::flag:
      return "true or false";
    case FieldKind::text:
      return "a text";
    case FieldKind::choice:
      return "one of its choices as a text";
  }
  throw std::logic_error("[kind_name] unknown kind");
}

std::string plain(const Json& value) {
  std::string text = value.dump();
  if (value.is_number_float() && text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string allowed_values(const Field& field) {
  switch (field.kind) {
    case FieldKind::integer:
    case FieldKind::real:
      return plain(field.lowest) + " to " + plain(field.highest);
    case FieldKind::flag:
      return "true or false";
    case FieldKind::text:
      return "any text";
    case FieldKind::choice:
      break;
  }
  std::string list;
  for (const std::string& choice : field.choices) list += (list.empty() ? "" : ", ") + choice;
  return list;
}

std::string value_problem(const Field& field, const Json& value) {
  std::string wrong_type =
      field.path + ": expected " + kind_name(field.kind) + " (" + allowed_values(field) + "), found " + shown(value);
  switch (field.kind) {
    case FieldKind::integer:
      if (!value.is_number()) return wrong_type;
      if (value.is_number_float() && std::trunc(value.get<double>()) != value.get<double>()) return wrong_type;
      [[fallthrough]];
    case FieldKind::real:
      if (!value.is_number()) return wrong_type;
      return in_range(field, value.get<double>()) ? "" : out_of_range(field, value);
    case FieldKind::flag:
      return value.is_boolean() ? "" : field.path + ": expected true or false, found " + shown(value);
    case FieldKind::text:
      if (!value.is_string()) return field.path + ": expected a text, found " + shown(value);
      return is_utf8(value.get<std::string>()) ? "" : field.path + " is not valid UTF-8: " + shown(value);
    case FieldKind::choice:
      break;
  }
  if (!value.is_string()) return wrong_type;
  const std::string found = value.get<std::string>();
  if (std::find(field.choices.begin(), field.choices.end(), found) != field.choices.end()) return "";
  return field.path + " = " + shown(value) + " is not a choice: allowed are " + allowed_values(field) +
         did_you_mean(nearest(found, field.choices));
}

}  // namespace dis
