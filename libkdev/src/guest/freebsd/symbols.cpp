// What ties FreeBSD's reports to kernel.full and to modules' files.
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>

#include "guest/freebsd/console_frame.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::guest {
namespace {

class FreebsdSymbolRules final : public SymbolRules {
 public:
  std::string kernel_file() const override { return "kernel.full"; }
  std::string known_source() const override { return "sys/kern/init_main.c"; }

  bool is_pc(const CrashReport& report, const StackFrame& frame) const override {
    // A frame of ddb's form has no address, but for the one that the reader gives it the trap's. In the other
    // form each has that of a return.
    if (!frame.address) return false;
    if (report.text.find(fmt::format("ip = {:#x}, ", frame.address)) != std::string::npos) return true;
    for (const char* name : {"RIP", "EIP", "PC"}) {
      const auto it = report.registers.find(name);
      if (it != report.registers.end() && it->second.ends_with(fmt::format("{:x}", frame.address)))
        return true;
    }
    return false;
  }

  std::vector<PrintedSymbol> symbols_on(std::string_view line) const override {
    // "vpanic() at vpanic+0x17f/frame 0xfffffe0012345678", "#1 0xffffffff80a6bb76 at vpanic+0x186": each line
    // is one frame.
    const auto begin = line.find_first_not_of(" \t");
    const auto end = line.find_last_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    const auto frame = parse_freebsd_frame(line.substr(begin, end + 1 - begin));
    if (!frame || frame->function.empty() || !frame->offset) return {};
    return {{.begin = begin, .end = end + 1, .frame = *frame, .is_pc = false, .own_line = true}};
  }

  bool names_modules() const override { return false; }

  Path symbol_file(const Path& module) const override {
    // X.ko is stripped: next to it where it was linked, and in /usr/lib/debug where it was installed
    // (sys/conf/kmod.mk).
    boost::system::error_code ec;
    for (const char* end : {".full", ".debug"}) {
      const Path there = module.string() + end;
      if (boost::filesystem::is_regular_file(there, ec)) return there;
    }
    Path below = module.filename();
    for (Path root = module.parent_path(); !root.empty(); root = root.parent_path()) {
      const Path there = root / "usr/lib/debug" / (below.string() + ".debug");
      if (boost::filesystem::is_regular_file(there, ec)) return there;
      if (below.string().starts_with("boot/")) break;  // a root's top has been passed
      below = root.filename() / below;
    }
    return module;
  }
};

}  // namespace

const SymbolRules& freebsd_symbol_rules() {
  static const FreebsdSymbolRules rules;
  return rules;
}

}  // namespace kdev::guest
