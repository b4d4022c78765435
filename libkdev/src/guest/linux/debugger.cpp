// kdb and kgdb: kernel/debug/kdb/kdb_main.c (prompt, commands), kdb_io.c (lines, pager), gdbstub.c (packet
// 3), debug_core.c (ways in), drivers/tty/serial/kgdboc.c (the port).
#include <charconv>

#include "guest/debugger_rules.hpp"
#include "guest/linux/linux.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view pager = "more> ";
constexpr std::string_view name_of_stub = "kgdb";

/// What a terminal shows of a line that was written over.
std::string_view shown(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line.substr(line.rfind('\r') + 1);
}

/// Of "[1]kdb> " (SMP) or "kdb> " at the line's begin; 0: it has none.
std::size_t prompt_length(std::string_view line) {
  std::size_t at = 0;
  if (line.starts_with('[')) {
    at = line.find_first_not_of("0123456789", 1);
    if (at == std::string_view::npos || at == 1 || line[at] != ']') return 0;
    ++at;
  }
  constexpr std::string_view prompt = "kdb> ";
  return line.substr(at).starts_with(prompt) ? at + prompt.size() : 0;
}

/// The next word of a table's row.
std::string_view word(std::string_view& row) {
  row.remove_prefix(std::min(row.find_first_not_of(' '), row.size()));
  const std::string_view first = row.substr(0, row.find(' '));
  row.remove_prefix(first.size());
  return first;
}

template <class T>
bool read(std::string_view text, T& value, int base = 10) {
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// kdb_ps1(): "0xffff8880001b0000        1        0  0    0   S  0xffff8880001b0800  init", a '*' before the
/// name of the CPU's task where kdb is.
std::optional<DebuggerTask> task_of(std::string_view row) {
  DebuggerTask task;
  int on_cpu = 0;
  std::uint64_t thread = 0;
  if (!read(word(row), task.address, 16) || !read(word(row), task.pid) || !read(word(row), task.parent) ||
      !read(word(row), on_cpu) || !read(word(row), task.cpu))
    return std::nullopt;
  task.running = on_cpu == 1;
  task.state = word(row);
  if (task.state.empty() || !read(word(row), thread, 16) || row.size() < 2) return std::nullopt;
  row.remove_prefix(2);  // a blank, and the mark or another
  task.command = row;
  return task;
}

class Kdb final : public DebuggerRules {
 public:
  std::string name() const override { return "kdb"; }
  bool at_prompt(std::string_view line) const override {
    line = shown(line);
    return !line.empty() && prompt_length(line) == line.size();
  }
  bool at_pager(std::string_view line) const override { return shown(line).ends_with(pager); }
  std::string next_page() const override { return " "; }
  std::string leave_pager() const override { return "q"; }
  std::string line_end() const override { return "\r"; }
  std::string take_back(std::string_view line) const override {
    line = shown(line);
    const std::size_t prompt = prompt_length(line);
    return prompt ? std::string(line.size() - prompt, '\b') : std::string();
  }
  // A '+' for a stub that waits for its last packet's acknowledgement.
  std::string summon() const override { return "+$3#33"; }
  bool listens_at_debug_port() const override { return true; }
  // With less than two lines it takes 24.
  std::vector<std::string> prepare() const override { return {"set LINES=99999"}; }
  std::size_t longest_command() const override { return 254; }  // CMD_BUFLEN, its line end and a zero
  std::vector<std::string> dump(bool) const override { return {}; }
  std::optional<std::string> dump_ended(std::string_view) const override { return std::nullopt; }
  bool dump_succeeded(std::string_view) const override { return false; }
  std::string backtrace(int task) const override { return task ? "btp " + std::to_string(task) : "bt"; }
  std::string tasks() const override { return "ps A"; }
  std::vector<DebuggerTask> read_tasks(std::string_view answer) const override {
    // What runs on the CPUs stands before the others, and once more among them.
    std::vector<DebuggerTask> tasks;
    while (!answer.empty()) {
      const std::string_view row = answer.substr(0, answer.find('\n'));
      answer.remove_prefix(std::min(answer.size(), row.size() + 1));
      auto task = task_of(row);
      if (!task) continue;
      bool known = false;
      for (const DebuggerTask& other : tasks) known = known || other.address == task->address;
      if (!known) tasks.push_back(std::move(*task));
    }
    return tasks;
  }

  std::vector<std::string> list_backends() const override {
    return {"cat", "/sys/module/kgdboc/parameters/kgdboc"};
  }
  Backends read_backends(std::string_view output) const override {
    // Without a port nothing enters it.
    if (output.find_first_not_of(" \n") == std::string_view::npos) return {};
    return {{name(), std::string(name_of_stub)}, {}};
  }
  std::vector<std::string> select_backend(const std::string&) const override { return {}; }
  std::string backend_of(std::string_view line) const override {
    if (line.find("Entering kdb (") != std::string_view::npos) return name();
    if (line.find("or $3#33") != std::string_view::npos) return std::string(name_of_stub);
    return {};
  }
  std::vector<std::string> enter(DebuggerEntry by) const override {
    if (by == DebuggerEntry::panic) return {"/bin/sh", "-c", "echo c > /proc/sysrq-trigger"};
    if (by == DebuggerEntry::sysrq || by == DebuggerEntry::automatic)
      return {"/bin/sh", "-c", "echo g > /proc/sysrq-trigger"};
    return {};
  }
  std::string break_key() const override { return "g"; }
  std::vector<std::string> give_console(bool give) const override {
    return {"/bin/sh", "-c",
            std::string("echo ") + (give ? "ttyS0" : "") + " > /sys/module/kgdboc/parameters/kgdboc"};
  }
  std::optional<std::vector<std::string>> set_script(const std::string&, const std::vector<std::string>&,
                                                     std::string& why) const override {
    why = "kdb does nothing by itself when it is entered";
    return std::nullopt;
  }
  std::string stub() const override { return std::string(name_of_stub); }
  std::string resume() const override { return "go"; }
  bool stopped_for_backend(std::string_view line) const override {
    return !backend_of(line).empty() || line.ends_with("sysrq: DEBUG");
  }
};

}  // namespace

const DebuggerRules& linux_debugger_rules() {
  static const Kdb rules;
  return rules;
}

}  // namespace kdev::guest
