#pragma once
// What a stock gdb has to be told of a guest's kernel. Stateless and thread-safe.
#include <cstdint>
#include <kdev/path.hpp>
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
  /// A script in gdb's Python: unwinders that this kernel needs, and what debug/modules_script.hpp wants to
  /// know of its modules.
  virtual std::string_view script() const = 0;
  /// Expressions of the task that runs on the CPU where gdb stands: its pid, its name. Empty: not known.
  struct CurrentTask {
    std::string pid, name;
  };
  virtual CurrentTask current_task() const { return {}; }
  /// The name under which the kernel lists the module in a file.
  virtual std::string listed_name(const Path& module) const { return module.filename().string(); }
  /// How far from where it was linked the kernel can run, by preference.
  virtual std::vector<std::uint64_t> slides() const { return {0}; }
  /// Sections that stay at their addresses when the kernel runs elsewhere, with those.
  virtual std::vector<std::pair<std::string, std::uint64_t>> fixed_sections() const { return {}; }
};

}  // namespace kdev::guest
