#include "build/kernel_record.hpp"

#include "common/json.hpp"

namespace kdev {

std::string kernel_record_text(const KernelRecord& record) {
  return json::dump(json::object{{"headers", record.headers},
                                 {"toolchain", record.toolchain_id},
                                 {"make_variables", json::from_map(record.make_variables)}});
}

KernelRecord read_kernel_record(Host& host, const Path& obj) {
  const json::object o =
      json::parse_object(host.read_file(obj / kernel_record_file), "kernel's build record");
  return {.headers = json::get_string(o, "headers"),
          .toolchain_id = json::get_string(o, "toolchain"),
          .make_variables = json::get_map(o, "make_variables")};
}

}  // namespace kdev
