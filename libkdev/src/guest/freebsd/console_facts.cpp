#include "guest/freebsd/console_facts.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "guest/freebsd/console_frame.hpp"
#include "guest/lasting.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

struct Patterns {
  // vpanic in kern/kern_shutdown.c; trap_fatal in amd64/amd64/trap.c.
  RE2 cpu{R"(^(?:cpuid = |NMI/cpu)(\d+))"};
  RE2 process{R"(^current process\s*= (\d+) \((.{0,64})\)$)"};
  RE2 value{
      R"(^(fault virtual address|instruction pointer|stack pointer|frame pointer)\s*= (?:(0x[0-9a-f]+):)?(0x[0-9a-f]+))"};
  RE2 known{
      R"(^(?:time = \d|fault code\s|code segment\s|\s+= DPL |processor eflags\s|trap number\s|KDB: |Uptime: |Dumping \d|Dump (?:complete|failed|aborted)|\s*db(?::[\w.]+)?> |while (?:exclusively|share) locked|(?:exclusive|shared) .{1,200} locked @ | ?(?:1st|2nd|3rd) |lock order .{1,300} at:|stack backtrace:|\tpc = 0x|\tsp = 0x|panic: ))"};
  // dblfault_handler; print_registers in arm64/arm64/trap.c.
  RE2 double_fault{R"(^(?:rip|rax|rcx|r8|r11|r14|cs|fsbase) (?:0x[0-9a-f]+|0) )"};
  RE2 double_fault_value{R"(([a-z][a-z0-9]{1,6}) (0x[0-9a-f]+|0)\b)"};
  RE2 arm_register{R"(^\s*(x\d{1,2}|sp|lr|elr|spsr|far|esr): +(?:0x)?([0-9a-f]{1,16})(?: \((.*)\))?\s*$)"};
  RE2 arm_pc{R"(^\tpc = 0x([0-9a-f]{1,16}))"};
  // db_trap in ddb/db_main.c, kdb_trap in kern/subr_kdb.c.
  RE2 thread{R"(^\[ thread pid (\d+) tid \d+ \]$)"};
  RE2 stopped{R"(^(?:Stopped|Breakpoint|Watchpoint) at\s+([^\s:]+):)"};
  // Names of traces: kdb_backtrace, db_trace_thread, and what WITNESS says of a lock order.
  RE2 heading{
      R"(^(?:db(?::[\w.]+)?> )?((?:KDB: )?stack backtrace|Tracing (?:pid|command) .{1,200}|lock order .{1,300} at):?$)"};
  RE2 reboot{
      R"(^(?:---<<BOOT>>---|Copyright \(c\) 1992-\d{4} The FreeBSD|SeaBIOS|BdsDxe: |>> FreeBSD EFI boot|FreeBSD/\S+ .*bootstrap loader|BIOS drive |Consoles: |Automatic reboot in \d|Rebooting\.\.\.|The operating system has halted|cpu_reset: |acpi\d: Powering system off|Please press any key to reboot))"};
  // Where a kernel's stack begins.
  RE2 bottom{
      R"(^(?:X?fast_syscall\w*|Xint0x80_syscall|fork_trampoline|fork_exit|do_el0_sync|handle_el0_sync)$)"};
};

const Patterns& patterns() {
  return lasting<Patterns>();
}

StringPiece piece(std::string_view s) {
  return {s.data(), s.size()};
}
std::string text_of(StringPiece s) {
  return {s.data(), s.size()};
}

int to_int(StringPiece s) {
  int v = -1;
  std::from_chars(s.data(), s.data() + s.size(), v);
  return v;
}

std::uint64_t to_hex(std::string_view s) {
  std::uint64_t v = 0;
  if (s.starts_with("0x")) s.remove_prefix(2);
  std::from_chars(s.data(), s.data() + s.size(), v, 16);
  return v;
}

/// Kernels lie in the upper half; i386's have no more than 32 bits, and print a segment.
bool in_kernel(std::uint64_t address) {
  return address >= 0xffff000000000000ull;
}

class Reader final : public ReportReader {
 public:
  Seen read(std::string_view text) override;
  void finish(CrashReport& report) override;
  bool framed() const override { return frames_ > 0; }
  const StackFrame* pc() const override { return pc_ ? &*pc_ : nullptr; }

 private:
  bool read_trace(std::string_view text, bool& bottom);
  bool read_registers(std::string_view text);
  bool read_who(std::string_view text);
  void set_pc(std::uint64_t address);

  static constexpr std::size_t max_frames = 4096;
  const Patterns& re_ = patterns();
  CrashReport found_;
  std::optional<StackFrame> pc_, stopped_;
  std::uint64_t fault_ = 0;      // where the trap says that it happened
  std::uint64_t came_from_ = 0;  // of the last "--- trap": the next frame's own address
  std::size_t frames_ = 0;
  std::size_t before_trap_ = 0;  // traces that a warning about locks printed
  bool in_trace_ = false;
  bool first_ = true, trap_ = false;
  bool narrow_ = false;  // i386
};

ReportReader::Seen Reader::read(std::string_view text) {
  text = text.substr(0, 4096);
  if (!first_ && RE2::PartialMatch(piece(text), re_.reboot)) return Seen::reboot;
  first_ = false;
  if (!trap_ && text.starts_with("Fatal ")) {
    trap_ = true;
    before_trap_ = found_.traces.size();
    in_trace_ = false;
  }
  bool bottom = false;
  if (read_trace(text, bottom)) return bottom ? Seen::end : Seen::part;
  const bool known = read_registers(text) || read_who(text) || RE2::PartialMatch(piece(text), re_.known);
  if (!known) in_trace_ = in_trace_ && text.empty();
  return known ? Seen::part : Seen::nothing;
}

bool Reader::read_trace(std::string_view text, bool& bottom) {
  StringPiece name, address;
  if (RE2::PartialMatch(piece(text), re_.heading, &name)) {
    found_.traces.push_back({.name = text_of(name), .context = {}, .frames = {}});
    in_trace_ = true;
    came_from_ = 0;
    return true;
  }
  if (const auto line = parse_freebsd_trap_line(text)) {
    bottom = line->kind == TrapLine::Kind::syscall || !in_kernel(line->pc);
    came_from_ = line->kind == TrapLine::Kind::syscall ? 0 : line->pc;
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.arm_pc, &address)) {  // arm64 prints it below the frame
    if (in_trace_ && !found_.traces.empty() && !found_.traces.back().frames.empty())
      found_.traces.back().frames.back().address = to_hex({address.data(), address.size()});
    return true;
  }
  const std::uint64_t came_from = std::exchange(came_from_, 0);
  auto frame = parse_freebsd_frame(text);
  if (!frame) return false;
  if (!in_trace_) {
    found_.traces.push_back({});
    in_trace_ = true;
  }
  if (came_from) {
    // The instruction itself, where other frames are return addresses.
    frame->address = came_from;
    if (trap_ && !pc_) pc_ = frame;
  }
  bottom = RE2::PartialMatch(frame->function, re_.bottom);
  if (++frames_ <= max_frames) found_.traces.back().frames.push_back(std::move(*frame));
  return true;
}

bool Reader::read_registers(std::string_view text) {
  StringPiece name, segment, value, symbol;
  if (RE2::PartialMatch(piece(text), re_.value, &name, &segment, &value)) {
    const std::string at = segment.empty() ? text_of(value) : text_of(segment) + ":" + text_of(value);
    std::string key = "CR2";
    if (name == "instruction pointer") {
      key = "RIP";
      fault_ = to_hex({value.data(), value.size()});
    } else if (name == "stack pointer") {
      key = "RSP";
      narrow_ = value.size() <= 10;  // the stack was the kernel's own, wherever the rest went
    } else if (name == "frame pointer") {
      key = "RBP";
    }
    found_.registers.emplace(key, at);
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.double_fault)) {
    StringPiece rest = piece(text);
    while (RE2::FindAndConsume(&rest, re_.double_fault_value, &name, &value)) {
      std::string key = text_of(name);
      std::transform(key.begin(), key.end(), key.begin(), [](char c) { return std::toupper(c); });
      if (key == "RIP") fault_ = to_hex({value.data(), value.size()});
      found_.registers.emplace(key, text_of(value));
    }
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.arm_register, &name, &value, &symbol)) {
    if (name == "elr") {
      fault_ = to_hex({value.data(), value.size()});
      found_.registers.emplace("PC", text_of(value));
    } else {
      found_.registers.emplace(text_of(name), text_of(value));
    }
    return true;
  }
  return false;
}

bool Reader::read_who(std::string_view text) {
  StringPiece number, name;
  if (RE2::PartialMatch(piece(text), re_.process, &number, &name)) {
    found_.pid = to_int(number);
    found_.process = text_of(name);
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.cpu, &number)) {
    if (found_.cpu < 0) found_.cpu = to_int(number);
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.thread, &number)) {
    if (found_.pid < 0) found_.pid = to_int(number);
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.stopped, &name)) {
    if (!stopped_) stopped_ = parse_freebsd_symbol({name.data(), name.size()});
    return true;
  }
  return false;
}

void Reader::finish(CrashReport& report) {
  auto& traces = found_.traces;
  if (before_trap_ < traces.size())
    std::rotate(traces.begin(), traces.begin() + static_cast<std::ptrdiff_t>(before_trap_),
                traces.begin() + static_cast<std::ptrdiff_t>(before_trap_) + 1);
  std::erase_if(traces, [](const StackTrace& t) { return t.frames.empty(); });
  // A lock order's first trace is how it came to be established: what went against it is guilty.
  const auto guilty = std::find_if(traces.begin(), traces.end(),
                                   [](const StackTrace& t) { return t.name.ends_with(" attempted at"); });
  if (guilty != traces.end()) std::rotate(traces.begin(), guilty, guilty + 1);
  if (trap_ && !pc_ && fault_) {
    // The stack as kern/subr_stack.c has it leaves out the function that trapped: it goes by frame pointers,
    // and the trap's frame has that of the one it was in.
    StackFrame at;
    at.address = fault_;
    if (!traces.empty()) {
      auto& frames = traces[0].frames;
      const auto entry = std::find_if(frames.begin(), frames.end(),
                                      [](const StackFrame& f) { return f.function == "calltrap"; });
      if (entry != frames.end()) frames.insert(entry + 1, at);
    } else {
      pc_ = at;  // nothing else is known
    }
  }
  // The debugger alone says where, when it came before any trace did.
  if (stopped_ && (!pc_ || pc_->function.empty()) && traces.empty()) {
    pc_ = stopped_;
    if (trap_) pc_->address = fault_;
  }
  report.process = std::move(found_.process);
  report.pid = found_.pid;
  report.cpu = found_.cpu;
  if (narrow_)
    for (const char* name : {"IP", "SP", "BP"})
      if (auto node = found_.registers.extract(std::string("R") + name)) {
        node.key()[0] = 'E';
        found_.registers.insert(std::move(node));
      }
  report.registers = std::move(found_.registers);
  report.traces = std::move(traces);
}

}  // namespace

std::unique_ptr<ReportReader> freebsd_report_reader() {
  return std::make_unique<Reader>();
}

}  // namespace kdev::guest
