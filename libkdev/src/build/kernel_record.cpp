#include "build/kernel_record.hpp"

#include "common/json.hpp"

namespace kdev {

std::string kernel_record_text(const KernelRecord& record) {
  json::object variables;
  for (const auto& [name, value] : record.make_variables) variables[name] = value;
  return json::dump(json::object{{"headers", record.headers},
                                 {"toolchain", record.toolchain_id},
                                 {"make_variables", std::move(variables)}});
}

KernelRecord read_kernel_record(Host& host, const Path& obj) {
  const json::object o =
      json::parse_object(host.read_file(obj / kernel_record_file), "kernel's build record");
  KernelRecord record{.headers = json::get_string(o, "headers"),
                      .toolchain_id = json::get_string(o, "toolchain"),
                      .make_variables = {}};
  if (const json::value* variables = o.if_contains("make_variables"); variables && variables->is_object())
    for (const auto& [name, value] : variables->as_object())
      record.make_variables[std::string(name)] = json::get_string(variables->as_object(), name);
  return record;
}

}  // namespace kdev
