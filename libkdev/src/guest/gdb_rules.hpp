#pragma once
// What a stock gdb has to be told of a guest's kernel. Stateless and thread-safe.
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

class GdbRules {
 public:
  virtual ~GdbRules() = default;
  /// Commands before the kernel's symbols are read.
  virtual std::vector<std::string> setup() const = 0;
  /// The same, where a core file that kdev wrote is read.
  virtual std::vector<std::string> core_setup() const = 0;
  /// A script in gdb's Python: unwinders that this kernel needs, and a command "kdev-modules" that prints,
  /// for each loaded module, a line {"name": "x.ko", "sections": [[index in the file's section table,
  /// address], ...]}.
  virtual std::string_view script() const = 0;
};

}  // namespace kdev::guest
