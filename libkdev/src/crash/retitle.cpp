#include "crash/retitle.hpp"

#include "crash/title.hpp"
#include "guest/console_rules.hpp"
#include "guest/guest.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t max_head = 16 << 10;

/// The frame that trapped: behind the first entry that is not the stack's beginning.
const StackFrame* trapped(const CrashReport& report, const guest::CoreRules& rules) {
  const auto& frames = report.frames();
  for (std::size_t i = 0; i + 1 < frames.size(); ++i)
    if (rules.is_trap_entry(frames[i].function)) return &frames[i + 1];
  return nullptr;
}

}  // namespace

void retitle(CrashReport& report, Os os, const guest::CoreRules& traps) {
  const auto& guest = guest::guest_for(os);
  const auto* rules = guest.console();
  if (!rules) return;
  // Lines before the first one of a format announce it.
  std::string before, head, scratch;
  int format = -1;
  std::string_view rest = report.text;
  while (!rest.empty() && head.size() < max_head) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::vector<guest::ConsoleRecord> records;
    scratch.clear();
    rules->split(rest.substr(0, end), records, scratch);
    for (const auto& r : records) {
      if (format < 0) format = rules->format_of(r);
      (format < 0 ? before : head).append(r.text.substr(0, 4096)).append("\n");
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (format < 0) return;
  report.corrupted = false;
  report.alternative_titles.clear();
  TitleTable::of(*rules).name(report, format, before, head, trapped(report, traps));
}

}  // namespace kdev::crash
