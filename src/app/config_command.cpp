// dis config show | check | schema | fields
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands.h"
#include "config_options.h"
#include "dis/config/fields.h"
#include "dis/config/schema.h"
#include "dis/core/json.h"

namespace dis {
namespace {

Json fields_as_json() {
  Json list = Json::array();
  for (const Section& section : sections()) {
    for (const Field& field : section.fields) {
      Json entry = {{"field", field.path}, {"default", field.fallback}};
      if (field.kind == FieldKind::choice) entry["choices"] = field.choices;
      if (!field.lowest.is_null()) {
        entry["lowest"] = field.lowest;
        entry["highest"] = field.highest;
      }
      entry["may_change"] = field.may_change;
      entry["help"] = field.help;
      list.push_back(entry);
    }
  }
  return list;
}

void print_fields() {
  for (const Section& section : sections()) {
    std::cout << (section.name == "run" ? "" : "\n") << section.help << "\n";
    for (const Field& field : section.fields) {
      std::cout << "  " << field.path << " = " << plain(field.fallback) << "   [" << allowed_values(field)
                << "]\n      " << field.help << "\n";
    }
  }
}

void add_show(CLI::App& config) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App* show = config.add_subcommand("show", "Print the complete configuration as JSON");
  options->add_to(*show);
  show->footer("Example:\n  dis config show --config configs/nqueens/dis.json --set model.hidden_size=128");
  show->callback([options] { std::cout << json_text(to_json(options->load()), 2) << "\n"; });
}

void add_check(CLI::App& config) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App* check = config.add_subcommand("check", "Check a configuration; status 1 and one line if it is wrong");
  options->add_to(*check);
  check->footer("Example:\n  dis config check --config configs/nqueens/dis.json");
  check->callback([options] {
    options->load();
    std::cout << (options->file.empty() ? "the defaults" : options->file) << ": ok\n";
  });
}

void add_schema(CLI::App& config) {
  CLI::App* command = config.add_subcommand("schema", "Print the JSON Schema of a configuration");
  command->footer("Example:\n  dis config schema > docs/config.schema.json");
  command->callback([] { std::cout << json_text(schema(), 2) << "\n"; });
}

void add_fields(CLI::App& config) {
  struct Options {
    bool markdown = false;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* fields = config.add_subcommand("fields", "List every field: default, allowed values, meaning");
  CLI::Option* markdown = fields->add_flag("--markdown", options->markdown, "As the page docs/config.md");
  fields->add_flag("--json", options->json, "As JSON")->excludes(markdown);
  fields->footer("Example:\n  dis config fields --markdown > docs/config.md");
  fields->callback([options] {
    if (options->markdown) {
      std::cout << reference_page();
    } else if (options->json) {
      std::cout << json_text(fields_as_json(), 2) << "\n";
    } else {
      print_fields();
    }
  });
}

}  // namespace

void add_config_command(CLI::App& app) {
  CLI::App* config = app.add_subcommand("config", "Show, check and explain configurations");
  config->require_subcommand(1);
  config->footer("Example:\n  dis config show --config configs/nqueens/dis.json");
  add_show(*config);
  add_check(*config);
  add_schema(*config);
  add_fields(*config);
}

}  // namespace dis
