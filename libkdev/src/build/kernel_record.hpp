#pragma once
// What a kernel artifact remembers of its build, for modules built later.
#include <kdev/host.hpp>
#include <map>
#include <string>

namespace kdev {

/// In KernelArtifact::obj.
constexpr const char* kernel_record_file = ".kdev-kernel";

struct KernelRecord {
  std::string headers;  ///< digest of the tree's files that modules are built with
  std::string toolchain_id;
  std::map<std::string, std::string> make_variables;
};

std::string kernel_record_text(const KernelRecord& record);
/// FormatError.
KernelRecord read_kernel_record(Host& host, const Path& obj);

}  // namespace kdev
