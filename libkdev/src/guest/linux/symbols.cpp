// What ties Linux's reports to vmlinux and to modules' files.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "guest/linux/linux.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

constexpr std::size_t most_modules = 64;  // that a report's build ids are read of

StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

class LinuxSymbolRules final : public SymbolRules {
 public:
  std::string kernel_file() const override { return "vmlinux"; }
  std::string known_source() const override { return "init/main.c"; }

  std::string release(const ElfFile& kernel) const override {
    for (const ElfSymbol& symbol : kernel.symbols()) {
      if (symbol.name != "linux_banner") continue;
      std::string release;
      static const RE2 version("^Linux version (\\S+)");
      RE2::PartialMatch(piece(kernel.bytes_at(symbol.address, 256)), version, &release);
      return release;
    }
    return {};
  }

  bool same_release(std::string_view printed, std::string_view of_file) const override {
    // scripts/setlocalversion adds a '+' for a tree that is not at a tag.
    if (of_file.ends_with('+') && !printed.ends_with('+')) of_file.remove_suffix(1);
    return printed == of_file;
  }

  bool moved_by_kaslr(std::uint64_t address) const override {
    return address >= 0xffffffff80000000ull;  // __START_KERNEL_map
  }

  PrintedBuildIds build_ids(std::string_view report) const override {
    // dump_stack_print_info prints the kernel's behind the version (CONFIG_STACKTRACE_BUILD_ID), frames those
    // of their modules.
    static const RE2 kernel_id(R"(Comm: .* #\d+ .*?\b([0-9a-f]{40})\b)");
    static const RE2 module_id(R"(\[([A-Za-z0-9_]+) ([0-9a-f]{20,40})\])");
    PrintedBuildIds ids;
    RE2::PartialMatch(piece(report), kernel_id, &ids.kernel);
    std::set<std::string> seen;
    StringPiece rest = piece(report);
    std::string name, id;
    while (seen.size() < most_modules && RE2::FindAndConsume(&rest, module_id, &name, &id))
      if (seen.insert(name).second) ids.modules.emplace_back(name, id);
    return ids;
  }

  bool is_pc(const CrashReport& report, const StackFrame& frame) const override {
    // The registers' dump has it as "RIP: 0010:do_work+0x4/0x40", "pc : do_work+0x4/0x40".
    const std::string at = fmt::format("{}+{:#x}/", frame.function, frame.offset);
    for (const char* name : {"RIP", "PC"}) {
      const auto it = report.registers.find(name);
      if (it != report.registers.end() && it->second.find(at) != std::string::npos) return true;
    }
    return false;
  }

  std::string module_of(const Path& file) const override {
    const std::string name = file.filename().string();
    return module_name(std::string_view(name).substr(0, name.find(".ko")));
  }

  std::string module_name(std::string_view name) const override {
    std::string printed(name);
    std::replace(printed.begin(), printed.end(), '-', '_');
    return printed;
  }
};

}  // namespace

const SymbolRules& linux_symbol_rules() {
  static const LinuxSymbolRules rules;
  return rules;
}

}  // namespace kdev::guest
