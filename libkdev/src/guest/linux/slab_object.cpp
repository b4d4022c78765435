// The object that a report of KASAN or KFENCE is about: describe_object_addr() and
// print_error_description() in mm/kasan/report.c, mm/kfence/report.c.
#include "guest/linux/slab_object.hpp"

#include <re2/re2.h>

#include "guest/fault_rules.hpp"
#include "guest/lasting.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

/// Lines of other messages may stand between those of a sentence, and each has its own prefix.
struct Patterns {
  RE2 access{R"((?:Read|Write|read|write) of size (\d{1,9}) at addr ([0-9a-f]{8,16}))"};
  RE2 free{R"(Free of addr ([0-9a-f]{8,16}) by )"};
  RE2 object{R"(belongs to the object at ([0-9a-f]{8,16}))"};
  RE2 cache{R"(which belongs to the cache (\S{1,64}) of size (\d{1,9}))"};
  RE2 place{R"(located (\d{1,9}) bytes (inside|to the right|to the left) of)"};
  RE2 region{R"((?:(freed|allocated) )?(\d{1,9})-byte region \[([0-9a-f]{8,16}),)"};
  RE2 old{R"(Object at ([0-9a-f]{8,16}), in cache (\S{1,64}) size: (\d{1,9}))"};  // 4.10 and before
  // "kfence-#23: 0x(____ptrval____)-0x..., size=96, cache=kmalloc-96"
  RE2 kfence{R"(kfence-#\d{1,9}: (?:0x)?([0-9a-f]{8,16})-\S{1,20}, size=(\d{1,9}), cache=(\S{1,64}))"};
  RE2 kfence_access{
      R"((?:Out-of-bounds|Use-after-free|Invalid) (?:read|write|free) (?:at|of) (?:0x)?([0-9a-f]{8,16}))"};
  RE2 by_task{R"(\btask (\d{1,9}))"};
};

const Patterns& patterns() {
  return lasting<Patterns>();
}

}  // namespace

std::optional<SlabObject> linux_slab_object(const CrashReport& report) {
  const auto& re = patterns();
  const std::string& text = report.text;
  SlabObject o;
  StringPiece address, cache, way, state;
  std::uint64_t distance = 0, region = 0;
  bool found = false;
  // Most reports are of something else: words are looked for faster than patterns.
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (says("belongs to the cache") && RE2::PartialMatch(text, re.cache, &cache, &o.size)) {
    found = true;
    o.cache.assign(cache.data(), cache.size());
    if (RE2::PartialMatch(text, re.object, &address)) o.address = printed_number(address);
    if (RE2::PartialMatch(text, re.region, &state, &region)) o.state.assign(state.data(), state.size());
    if (RE2::PartialMatch(text, re.access, &o.access_size, &address))
      o.access = printed_number(address);
    else if (RE2::PartialMatch(text, re.free, &address))
      o.access = printed_number(address);
    if (RE2::PartialMatch(text, re.place, &distance, &way)) {
      const auto n = static_cast<std::int64_t>(distance);
      // What was asked for (since 6.3) is less than the cache gives.
      const auto end = static_cast<std::int64_t>(region ? region : o.size);
      o.offset = way == "inside" ? n : way == "to the left" ? -n : n + end;
    }
  } else if (says(", in cache ") && RE2::PartialMatch(text, re.old, &address, &cache, &o.size)) {
    found = true;
    o.address = printed_number(address);
    o.cache.assign(cache.data(), cache.size());
    if (RE2::PartialMatch(text, re.access, &o.access_size, &address)) o.access = printed_number(address);
  } else if (says("kfence-#") && RE2::PartialMatch(text, re.kfence, &address, &o.size, &cache)) {
    found = true;
    o.address = printed_number(address);
    o.cache.assign(cache.data(), cache.size());
    if (RE2::PartialMatch(text, re.kfence_access, &address)) o.access = printed_number(address);
  }
  if (!found) return std::nullopt;
  if (!o.offset && o.address && o.access) o.offset = static_cast<std::int64_t>(o.access - o.address);
  return o;
}

std::optional<int> linux_object_trace(std::string_view name, bool freed) {
  if (!name.starts_with(freed ? "Freed" : "Allocated") && !name.starts_with(freed ? "freed" : "allocated"))
    return std::nullopt;
  int pid = -1;
  RE2::PartialMatch(StringPiece(name.data(), name.size()), patterns().by_task, &pid);
  return pid;
}

}  // namespace kdev::guest
