// Faults and marks of a FreeBSD kernel: trap_fatal() in amd64/amd64/trap.c and print_registers() in
// arm64/arm64/trap.c; vm/uma_dbg.c, vm/redzone.c, sys/queue.h.
#include <re2/re2.h>

#include "guest/fault_rules.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/slab_object.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

constexpr std::uint64_t page = 4096;

const std::vector<Poison>& table() {
  static const std::vector<Poison> all{
      {0xdeadc0dedeadc0de, page, page, "memory that was freed (uma_junk)"},
      {0xdeadc0de, 0, page, "memory that was freed (uma_junk)"},
      {0xffffffffffffffff, 0, 0, "an entry that was removed from a list (TRASHIT), or -1"},
      {0xdeadbeefdeadbeef, page, page, "a mark of code that is done with it (deadbeef)"},
      {0xdeadbeef, 0, page, "a mark of code that is done with it (deadbeef)"},
      {0x4242424242424242, page, page, "bytes around an object of malloc (DEBUG_REDZONE)"},
  };
  return all;
}

class FreebsdFaultRules final : public FaultRules {
 public:
  const std::vector<Poison>& poisons() const override { return table(); }

  std::optional<SlabObject> object(const CrashReport& report) const override {
    return freebsd_slab_object(report);
  }

  std::optional<PrintedFault> printed(const CrashReport& report) const override {
    static const RE2 address(R"((?m)^(?:.{0,40} )?fault virtual address\s*= (0x[0-9a-f]{1,16}))");
    static const RE2 code(
        R"((?m)^(?:.{0,40} )?fault code\s*= (?:supervisor|user) (read|write) (?:(instruction)|data)?)");
    // data_abort() and print_registers(): far is the address, esr's bit 6 (WnR) tells a write.
    const bool arm = report.registers.count("far") != 0;
    PrintedFault found;
    StringPiece at, way, what;
    if (RE2::PartialMatch(report.text, address, &at)) {
      found.address = register_value({at.data(), at.size()});
      if (RE2::PartialMatch(report.text, code, &way, &what))
        found.access = !what.empty() ? "execute" : std::string(way.data(), way.size());
      return found;
    }
    if (arm) {
      found.address = register_value(report.registers.at("far"));
      const auto esr = report.registers.find("esr");
      const auto bits = esr == report.registers.end() ? std::nullopt : register_value(esr->second);
      // ISS.WnR of a data abort; exception classes 0x20 and 0x21 are instruction aborts.
      if (bits) found.access = (*bits >> 26 & 0x3e) == 0x20 ? "execute" : *bits >> 6 & 1 ? "write" : "read";
      return found;
    }
    // A general protection fault has no address, but an instruction.
    if (report.message.find("Fatal trap 9:") != std::string::npos) return found;
    return std::nullopt;
  }
};

}  // namespace

const FaultRules& freebsd_fault_rules() {
  static const FreebsdFaultRules rules;
  return rules;
}

}  // namespace kdev::guest
