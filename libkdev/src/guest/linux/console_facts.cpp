#include "guest/linux/console_facts.hpp"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "guest/lasting.hpp"
#include "guest/linux/console_frame.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

std::string_view trimmed(std::string_view s) {
  const auto begin = s.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(" \t") - begin + 1);
}

RE2::Options options() {
  RE2::Options o;
  o.set_encoding(RE2::Options::EncodingLatin1);  // console bytes are no text
  o.set_max_mem(64 << 20);
  return o;
}

struct Patterns {
  // dump_stack_print_info in lib/dump_stack.c; show_regs_print_info before it.
  RE2 cpu{
      R"(CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.{0,32}?) (?:Kdump: loaded )?(Not tainted|Tainted:(?: +[A-Z]\b)*)(?: +(\S+))?)"};
  RE2 old_pid{R"(^Pid: (\d+), comm: (.{0,32}?) (Not tainted|Tainted:(?: +[A-Z]\b)*)(?: +\(?(\S+?)\)? )?)"};
  RE2 taint{R"(^ {2,}(Not tainted|Tainted:(?: +[A-Z]\b)*) +(\S+))"};
  RE2 release{
      R"(^(\d+\.\d+\S*) #\d+ (Not tainted|Tainted:(?: +[A-Z]\b)*))"};  // print_kernel_ident in lockdep.c
  // Who, where the CPU line is missing or somebody else's.
  RE2 by_task{R"( by task (.{1,32}?)/(\d+))"};
  RE2 hung{R"(^INFO: task (.{1,32}?):(\d+) blocked )"};
  RE2 stuck{R"(CPU#(\d+) stuck for [^\[]*\[(.{1,32}?):(\d+)\])"};
  RE2 lock_task{R"(^(\S.{0,31}?)/(\d+) is (?:trying|freeing|leaving|exiting))"};
  RE2 comm{R"re(^  comm "(.{0,32}?)", pid (\d+),)re"};
  RE2 atomic{R"(^BUG: scheduling while atomic: (.{1,32}?)/(\d+)/)"};
  RE2 on_cpu{R"(\bCPU[#: ]?(\d+)\b)"};
  RE2 kernel_offset{R"(^Kernel Offset: (disabled|0x[0-9a-f]{1,16}))"};
  // Program counters. x86 names the code segment: privilege level 0 is the kernel.
  RE2 x86_pc{R"(^[RE]?IP:? (?:([0-9a-f]{4}):)?(.*))"};
  RE2 arm_pc{
      R"(^(?:e?pc : |PC is at |NIP \[[0-9a-f]+\] |(?: ERA|epc|era) *: [0-9a-f]{8,16} |Krnl PSW : [0-9a-f]{16} [0-9a-f]{16} \(|pc [0-9a-f]{16} ra )(.*))"};
  RE2 stray_lr{R"(^(?:lr : |LR is at |LR \[))"};
  RE2 register_line{
      R"(^\s*(?:[RE][A-Z]{2}|R\d{1,2}|FS|GS|CS|DS|CR\d|DR\d|EFLAGS|x\d{1,2}|sp|pc|r\d{1,2}|pstate|PKRU|ip|ra|gp|t\d|s\d|a\d{1,2}|sr|status) {0,2}: {0,2}\[?<?[0-9a-f]{4})"};
  RE2 register_value{
      R"(([A-Za-z_]{1,8}\d{0,2}) {0,2}: {0,2}(\[<[0-9a-f]+>\]|[0-9a-f]{4}:[0-9a-f]{4,16}|[0-9a-f]{4,16}(?:\([0-9a-f]+\))?))"};
  RE2 trace_start{R"(^(Call [Tt]race|Backtrace|backtrace)(?: \(crc [0-9a-f]+\))?:(.*)$)"};
  RE2 known{
      R"(^\s*(?:CPU: \d|Hardware name:|Modules linked in:|Code: |Workqueue: |Sending NMI|NMI backtrace for|Stack:|task: |task:\S|Call Trace:|PGD |#PF: |Oops: |page:|flags: |raw: |The buggy address|which belongs to|Memory state|>?[0-9a-f]{8,16}: (?:[0-9a-f]{2} )|\^$|stack backtrace:|other info that|Possible unsafe|\d+ locks? held by|#\d+: |Dumping ftrace|\(ftrace buffer|Kernel Offset|Mem-Info|Object 0x|\*\*\* DEADLOCK|(?:hard|soft)irqs last |Showing all locks|\S+ +state:|exception RIP|last function|Exception stack|orig_ax|Process .* \(pid|hex dump))"};
  // end_report: ---[ end trace; KASAN's and KCSAN's bars; what panic() prints last.
  RE2 end{R"(^(?:---\[ end trace |={20,}\s*$))"};
  RE2 stop{R"(^(?:---\[ end Kernel panic|Rebooting in ))"};
  RE2 reboot{
      R"(^(?:\[    0\.000000\] |Linux version \d|early console in |Decompressing Linux|Booting the kernel|SeaBIOS|C?SeaBIOS \(version|U-Boot |UEFI firmware|reboot: (?:Restarting|Power down|System halted)))"};
  RE2 intro_call{R"(^Call [Tt]race|^[Bb]acktrace)"};

  // All that a line may be, in one pass over it; what it is is then looked at more closely.
  const std::vector<const RE2*> kinds{&cpu,    &old_pid,  &taint,         &release,   &by_task,
                                      &hung,   &stuck,    &atomic,        &lock_task, &comm,
                                      &x86_pc, &arm_pc,   &end,           &stop,      &kernel_offset,
                                      &reboot, &stray_lr, &register_line, &known,     &trace_start};
  RE2::Set set{options(), RE2::UNANCHORED};
  Patterns() {
    for (const RE2* kind : kinds) set.Add(kind->pattern(), nullptr);
    set.Compile();
  }
};

const Patterns& patterns() {
  return lasting<Patterns>();
}

StringPiece piece(std::string_view s) {
  return {s.data(), s.size()};
}

int to_int(std::string_view s) {
  int v = -1;
  std::from_chars(s.data(), s.data() + s.size(), v);
  return v;
}

class Reader final : public ReportReader {
 public:
  Seen read(std::string_view text) override;
  void finish(CrashReport& report) override;
  bool framed() const override { return frames_ > 0; }
  const StackFrame* pc() const override { return pc_ ? &*pc_ : nullptr; }

 private:
  bool read_trace(std::string_view text);
  bool read_pc(std::string_view text);
  bool read_registers(std::string_view text);
  bool read_who(std::string_view text);
  void who(std::string_view comm, std::string_view pid, bool sure);

  /// Whether the line that is being read fits a pattern of Patterns::kinds.
  bool fits(const RE2& kind) const {
    return std::any_of(hits_.begin(), hits_.end(), [&](int i) { return re_.kinds[i] == &kind; });
  }
  template <class... Text>
  bool fits(std::string_view text, const RE2& kind, Text*... captured) const {
    return fits(kind) && RE2::PartialMatch(piece(text), kind, captured...);
  }

  const Patterns& re_ = patterns();
  std::vector<int> hits_;
  CrashReport found_;
  std::optional<StackFrame> pc_;
  std::string context_;
  std::string heading_;  // the last line that ended with a colon: names a trace if frames follow at once
  bool in_trace_ = false;
  bool at_lock_ = false;         // the next line is where a lock was taken
  bool user_registers_ = false;  // what follows belongs to user space or a repetition
  bool sure_who_ = false;
  bool first_ = true;
  static constexpr std::size_t max_frames = 4096;
  std::size_t frames_ = 0;
};

ReportReader::Seen Reader::read(std::string_view text) {
  text = text.substr(0, 4096);
  hits_.clear();
  // Most lines of a report are another frame.
  if (in_trace_ && heading_.empty() && read_trace(text)) return Seen::part;
  re_.set.Match(piece(text), &hits_);
  if (!first_ && fits(re_.reboot)) return Seen::reboot;
  first_ = false;
  if (fits(re_.stop)) return Seen::stop;
  if (fits(re_.end)) {
    in_trace_ = false;
    return Seen::end;
  }
  if (text.starts_with("** ") && text.find(" printk messages dropped **") != std::string_view::npos) {
    found_.corrupted = true;
    return Seen::part;
  }
  if (read_pc(text) || read_trace(text) || read_registers(text)) return Seen::part;
  const bool who = read_who(text);
  StringPiece offset;
  if (fits(text, re_.kernel_offset, &offset)) {
    if (offset == "disabled") {
      found_.kaslr_offset = 0;
    } else {
      std::uint64_t v = 0;
      std::from_chars(offset.data() + 2, offset.data() + offset.size(), v, 16);
      found_.kaslr_offset = static_cast<std::int64_t>(v);
    }
  }
  const auto bare = trimmed(text);
  if (bare.empty()) return Seen::nothing;
  heading_.clear();
  // "..., at:" is a lock whose address old kernels print on the next line.
  at_lock_ = bare.ends_with("at:");
  // dump_page_owner() in mm/page_owner.c has no colon.
  if (bare.starts_with("page last allocated via")) heading_ = "page last allocated";
  if (bare.ends_with(':') && bare.size() < 200 && !bare.ends_with(", at:") && !bare.ends_with(") at:"))
    heading_ = bare.substr(0, bare.size() - 1);
  return who || fits(re_.known) ? Seen::part : Seen::nothing;
}

bool Reader::read_trace(std::string_view text) {
  StringPiece name, rest;
  if (fits(text, re_.trace_start, &name, &rest)) {
    found_.traces.push_back({.name = std::string(name.data(), name.size()), .context = {}, .frames = {}});
    in_trace_ = true;
    context_.clear();
    heading_.clear();
    text = {rest.data(), rest.size()};
    if (trimmed(text).empty()) return true;
  }
  bool marker = false;
  auto frame = parse_linux_frame(text, context_, marker);
  if (!frame) return marker;
  if (std::exchange(at_lock_, false) && heading_.empty()) return true;
  // dump_stack() of 32-bit arm prints no heading.
  if (heading_.empty() && text.substr(0, 64).find("unwind_backtrace") != std::string_view::npos)
    heading_ = "Backtrace";
  if (!heading_.empty()) {
    found_.traces.push_back({.name = heading_, .context = {}, .frames = {}});
    heading_.clear();
    in_trace_ = true;
    context_.clear();
  } else if (!in_trace_ && found_.traces.empty()) {
    found_.traces.push_back({});  // KMSAN prints frames without a heading
    in_trace_ = true;
  }
  if (++frames_ > max_frames) return true;
  auto& trace = found_.traces.back();
  if (trace.frames.empty()) trace.context = context_;
  trace.frames.push_back(std::move(*frame));
  return true;
}

bool Reader::read_pc(std::string_view text) {
  if (text.size() < 4) return false;
  StringPiece segment, where;
  const bool x86 = fits(text, re_.x86_pc, &segment, &where);
  if (!x86 && !fits(text, re_.arm_pc, &where)) return fits(re_.stray_lr);
  std::string_view at{where.data(), where.size()};
  if (x86 && !segment.empty() && (segment[segment.size() - 1] & 3)) {  // user space: CPL 3
    user_registers_ = true;
    return true;
  }
  while (at.starts_with(" ")) at.remove_prefix(1);
  std::string none;
  bool marker = false;
  auto frame = parse_linux_frame(at, none, marker);
  if (!frame) {
    // "RIP: func+0x1/0x2 RSP: ffff...", "pc : func+0x1/0x2 lr : ..."
    std::string_view symbol = at;
    while (symbol.starts_with("[<")) {
      const auto close = symbol.find(']');
      symbol.remove_prefix(close == std::string_view::npos ? symbol.size() : close + 1);
      symbol = trimmed(symbol);
    }
    frame = parse_linux_symbol(symbol);
  }
  if (user_registers_) return true;  // the same again, after the trace
  if (!found_.registers.count("RIP") && !found_.registers.count("PC")) {
    const auto end = at.find_last_not_of(' ');
    std::string value = segment.empty() ? std::string() : std::string(segment) + ":";
    value += at.substr(0, end == std::string_view::npos ? 0 : end + 1);
    found_.registers[x86 ? "RIP" : "PC"] = value;
    if (frame && !frame->function.empty() && !frame->function.starts_with("0x")) pc_ = frame;
  }
  // In the middle of a trace it is the code that an interrupt or a fault came from.
  if (in_trace_ && frame && !found_.traces.empty() && !found_.traces.back().frames.empty() &&
      frames_ < max_frames) {
    frame->reliable = true;
    ++frames_;
    found_.traces.back().frames.push_back(std::move(*frame));
  }
  return true;
}

bool Reader::read_registers(std::string_view text) {
  if (!fits(re_.register_line)) return false;
  if (user_registers_) return true;
  StringPiece rest = piece(text), name, value;
  while (RE2::FindAndConsume(&rest, re_.register_value, &name, &value))
    found_.registers.emplace(std::string(name), std::string(value));
  return true;
}

void Reader::who(std::string_view comm, std::string_view pid, bool sure) {
  if (sure_who_ || (found_.pid >= 0 && !sure)) return;
  found_.process = comm;
  found_.pid = to_int(pid);
  sure_who_ = sure;
}

bool Reader::read_who(std::string_view text) {
  StringPiece cpu, pid, comm, taint, release;
  const auto view = [](StringPiece p) { return std::string_view(p.data(), p.size()); };
  const auto state = [&] {
    if (found_.taint.empty()) found_.taint = view(taint);
    if (found_.release.empty()) found_.release = view(release);
  };
  if (fits(text, re_.cpu, &cpu, &pid, &comm, &taint, &release)) {
    who(view(comm), view(pid), false);
    if (found_.cpu < 0) found_.cpu = to_int(view(cpu));
    state();
    return true;
  }
  if (fits(text, re_.old_pid, &pid, &comm, &taint, &release)) {
    who(view(comm), view(pid), false);
    state();
    return true;
  }
  if (fits(text, re_.taint, &taint, &release) || fits(text, re_.release, &release, &taint)) {
    state();
    return true;
  }
  if (fits(text, re_.hung, &comm, &pid) || fits(text, re_.comm, &comm, &pid) ||
      fits(text, re_.atomic, &comm, &pid)) {
    who(view(comm), view(pid), true);
    return true;
  }
  if (fits(text, re_.stuck, &cpu, &comm, &pid)) {
    who(view(comm), view(pid), true);
    if (found_.cpu < 0) found_.cpu = to_int(view(cpu));
    return true;
  }
  if (fits(text, re_.by_task, &comm, &pid) || fits(text, re_.lock_task, &comm, &pid)) {
    who(view(comm), view(pid), false);
    return true;
  }
  return false;
}

void Reader::finish(CrashReport& report) {
  report.process = std::move(found_.process);
  report.pid = found_.pid;
  report.cpu = found_.cpu;
  report.taint = std::move(found_.taint);
  report.release = std::move(found_.release);
  report.registers = std::move(found_.registers);
  report.corrupted |= found_.corrupted;
  report.kaslr_offset = found_.kaslr_offset;
  // Lock chains come before the stack that closed the circle; the guilty trace goes first.
  auto& traces = found_.traces;
  const auto guilty = std::find_if(traces.begin(), traces.end(), [this](const StackTrace& t) {
    return RE2::PartialMatch(t.name, re_.intro_call);
  });
  if (guilty != traces.end()) std::rotate(traces.begin(), guilty, guilty + 1);
  report.traces = std::move(traces);
}

}  // namespace

std::unique_ptr<ReportReader> linux_report_reader() {
  return std::make_unique<Reader>();
}

}  // namespace kdev::guest
