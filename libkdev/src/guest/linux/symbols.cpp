// What ties Linux's reports to vmlinux and to modules' files.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "guest/linux/linux.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

constexpr std::size_t most_modules = 64;    // that a report's build ids are read of
constexpr std::size_t longest_front = 300;  // of a line before its symbol

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

  std::vector<PrintedSymbol> symbols_on(std::string_view line) const override {
    static const RE2 symbol(
        R"(([A-Za-z_$][\w.$]*)\+0x([0-9a-f]{1,16})/0x([0-9a-f]{1,16})\b(?: \[([A-Za-z0-9_]+)(?: [0-9a-f]{20,40})?\])?)");
    // "RIP: 0010:", "pc : ", "WARNING: CPU: 0 PID: 1 at kernel/panic.c:12 ".
    static const RE2 pc(
        R"((?:\b[RE]?IP: (?:[0-9a-f]{4}:)?(?:\[<[0-9a-f]+>\] *)?|\bpc : (?:\[<[0-9a-f]+>\] *)?| at \S+:\d+ )$)");
    // The time, the caller and an address in brackets, and the mark of a guess.
    static const RE2 before(R"((?:<\d+>)?(?:\s*\[[^\[\]]{1,40}\])*\s*(?:\? )?\s*)");
    static const RE2 placed(R"(^ \(?(?:[\w.$]+ )?[\w./+-]+\.\w+:\d)");  // by another program
    std::vector<PrintedSymbol> found;
    StringPiece rest = piece(line), name, offset, size, module;
    while (RE2::FindAndConsume(&rest, symbol, &name, &offset, &size, &module)) {
      PrintedSymbol printed;
      printed.begin = static_cast<std::size_t>(name.data() - line.data());
      printed.end = static_cast<std::size_t>(rest.data() - line.data());
      if (RE2::PartialMatch(rest, placed)) continue;
      printed.frame.function = std::string(name);
      printed.frame.module = std::string(module);
      std::from_chars(offset.data(), offset.data() + offset.size(), printed.frame.offset, 16);
      std::from_chars(size.data(), size.data() + size.size(), printed.frame.size, 16);
      // As much as matters: a line can be nothing but symbols.
      const std::size_t from = printed.begin > longest_front ? printed.begin - longest_front : 0;
      const auto front = piece(line.substr(from, printed.begin - from));
      printed.is_pc = RE2::PartialMatch(front, pc);
      const bool last =
          std::string_view(rest.data(), rest.size()).find_first_not_of(" \t\r") == std::string_view::npos;
      printed.own_line = last && !from && RE2::FullMatch(front, before);
      found.push_back(std::move(printed));
    }
    return found;
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
