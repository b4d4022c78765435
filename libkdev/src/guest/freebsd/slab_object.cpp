// The memory that a report of UMA's and malloc's checks is about: vm/uma_dbg.c (mtrash_ctor(), trash_ctor()),
// uma_dbg_free() in vm/uma_core.c, kasan_report() in kern/subr_asan.c, vm/redzone.c.
#include "guest/freebsd/slab_object.hpp"

#include <re2/re2.h>

#include "guest/fault_rules.hpp"
#include "guest/lasting.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

struct Patterns {
  RE2 modified{
      R"(Memory modified after free (0x[0-9a-f]{1,16})\((\d{1,9})\)(?: val=[0-9a-f]{1,16})? @ (0x[0-9a-f]{1,16}))"};
  RE2 last_user{R"(Most recently used by ([^\r\n]{1,64}))"};
  RE2 zone{
      R"((?:Duplicate free of|Unlocked free of|Invalid free of|Freed item) (0x[0-9a-f]{1,16}) from zone 0x[0-9a-f]{1,16}\(([^)\r\n]{1,64})\))"};
  RE2 asan{R"(ASan: Invalid access, (\d{1,9})-byte (?:read|write) at (0x[0-9a-f]{1,16}))"};
};

const Patterns& patterns() {
  return lasting<Patterns>();
}

}  // namespace

std::optional<SlabObject> freebsd_slab_object(const CrashReport& report) {
  const auto& re = patterns();
  SlabObject o;
  StringPiece address, access, name;
  bool found = false;
  // What it was used for comes as the panic, and where it was written before it.
  for (const auto* text : {&report.text, &report.dmesg}) {
    if (text == &report.dmesg && report.message.find("Most recently used by") == std::string::npos) break;
    if (!RE2::PartialMatch(*text, re.modified, &address, &o.size, &access)) continue;
    found = true;
    o.address = printed_number(address);
    o.access = printed_number(access);
    o.offset = static_cast<std::int64_t>(o.access - o.address);
    o.state = "freed";
    break;
  }
  if (RE2::PartialMatch(report.text, re.last_user, &name)) {
    found = true;
    o.last_user.assign(name.data(), name.size());
    while (o.last_user.ends_with(' ')) o.last_user.pop_back();
  }
  if (!found && RE2::PartialMatch(report.text, re.zone, &address, &name)) {
    found = true;
    o.address = o.access = printed_number(address);
    o.offset = 0;
    o.cache.assign(name.data(), name.size());
  }
  if (!found && RE2::PartialMatch(report.text, re.asan, &o.access_size, &address)) {
    found = true;
    o.access = printed_number(address);
  }
  if (!found) return std::nullopt;
  return o;
}

}  // namespace kdev::guest
