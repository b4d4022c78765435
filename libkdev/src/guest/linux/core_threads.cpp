// A Linux kernel's tasks.
#include <fmt/format.h>

#include <unordered_set>
#include <utility>

#include "guest/linux/core_facts.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view unit = "init/init_task.c", switch_unit = "arch/x86/kernel/process.c";
constexpr std::size_t max_threads = 1u << 20;

/// TASK_* and EXIT_* in include/linux/sched.h: macros, of which debug information knows nothing.
std::string state_of(const KernelView& view, std::uint64_t task) {
  const auto number = [&](std::string_view name) { return view.number(task, "task_struct", name, unit); };
  const auto exit = number("exit_state").value_or(0);
  if (exit & 0x20) return "zombie";
  if (exit & 0x10) return "dead";
  auto state = number("__state");
  if (!state) state = number("state");  // before 5.14
  if (!state) return "unknown";
  if (number("on_cpu").value_or(0) && *state == 0) return "running";
  if (*state == 0) return "runnable";
  if (*state & 0x04) return "stopped";
  if (*state & 0x08) return "traced";
  if (*state & 0x40) return "parked";
  if (*state & 0x80) return "dead";
  if (*state & 0x400) return "idle";  // uninterruptible, but no load
  if (*state & 0x02) return "uninterruptible";
  if (*state & 0x01) return "sleeping";
  return fmt::format("{:#x}", *state);
}

/// What __switch_to_asm() pushes (struct inactive_task_frame in arch/x86/include/asm/switch_to.h).
std::optional<Registers> saved(const KernelView& view, std::uint64_t task) {
  const auto sp = view.number(task, "task_struct", "thread.sp", unit);
  const auto size = view.size_of("inactive_task_frame", switch_unit);
  if (!sp || !size) return std::nullopt;
  const auto number = [&](std::string_view name) {
    return view.number(*sp, "inactive_task_frame", name, switch_unit);
  };
  const auto pc = number("ret_addr");
  if (!pc || !linux_kernel_address(*pc)) return std::nullopt;
  Registers r;
  r.pc = *pc;
  r.pc_is_return = true;
  // One that has not run yet begins there.
  for (const auto* name : {"ret_from_fork", "ret_from_fork_asm"})
    if (const auto beginning = view.symbol(name); beginning && beginning->address == r.pc)
      r.pc_is_return = false;
  struct Named {
    std::string_view name;
    int number;
  };
  for (const auto& [name, dwarf] : {Named{"bx", 3}, Named{"bp", 6}, Named{"r12", 12}, Named{"r13", 13},
                                    Named{"r14", 14}, Named{"r15", 15}})
    if (const auto value = number(name)) r.values[dwarf] = *value;
  r.values[7] = *sp + *size;
  return r;
}

class Lister {
 public:
  explicit Lister(const KernelView& view)
      : view_(view), cpus_(linux_cpu_states(view, true)), panic_cpu_(linux_panic_cpu(view)) {}

  /// `idle_cpu`: of an idle task, its CPU.
  ThreadState at(std::uint64_t task, const std::string& process, int idle_cpu) const {
    ThreadState t;
    t.thread.address = task;
    const auto number = [&](std::string_view name) { return view_.number(task, "task_struct", name, unit); };
    t.thread.name = view_.text_member(task, "task_struct", "comm", unit);
    t.thread.process = process.empty() ? t.thread.name : process;
    t.thread.state = state_of(view_, task);
    if (const auto pid = number("tgid")) t.thread.pid = static_cast<std::int32_t>(*pid);
    bool user_mode = false;
    for (const auto& cpu : cpus_) {
      if (cpu.current != task) continue;
      t.thread.cpu = cpu.id;
      t.thread.state = "running";
      t.thread.panicked = cpu.id == panic_cpu_;
      t.registers = cpu.registers;
      user_mode = cpu.user_mode;
    }
    if (const auto pid = number("pid")) t.thread.tid = linux_tid(*pid, idle_cpu);
    // Of a running one that was left where it last slept.
    if (t.thread.cpu < 0 && !user_mode) t.registers = saved(view_, task);
    return t;
  }
  const std::vector<LinuxCpu>& cpus() const { return cpus_; }

 private:
  const KernelView& view_;
  std::vector<LinuxCpu> cpus_;
  int panic_cpu_;
};

}  // namespace

std::vector<ThreadState> linux_threads(const KernelView& view, std::vector<std::string>& notes) {
  std::vector<ThreadState> threads;
  const auto init = view.symbol("init_task");
  const auto tasks = view.member("task_struct", "tasks", unit);
  const auto node = view.member("task_struct", "thread_node", unit),
             head = view.member("signal_struct", "thread_head", unit);
  if (!init || !tasks || !node || !head) {
    notes.push_back("the kernel's file has no debug information of tasks");
    return threads;
  }
  const Lister lister(view);
  std::unordered_set<std::uint64_t> seen;  // tasks
  bool endless = false;
  const auto add = [&](std::uint64_t task, const std::string& process, int idle_cpu = -1) {
    if (seen.size() >= max_threads || !seen.insert(task).second) return false;
    threads.push_back(lister.at(task, process, idle_cpu));
    return true;
  };
  const auto lost = [&](std::uint64_t at) {
    notes.push_back(fmt::format("the list of tasks leads to {:#x}, which is not in the dump", at));
  };
  // Idle tasks but the first are in no list.
  add(init->address, {});
  for (const auto& cpu : lister.cpus()) {
    const auto queue = linux_per_cpu(view, cpu, "runqueues");
    const auto idle = queue ? view.number(*queue, "rq", "idle", "kernel/sched/core.c") : std::nullopt;
    if (idle && *idle)
      add(*idle, {}, cpu.id);
    else if (view.number(cpu.current, "task_struct", "pid", unit) == 0u)
      add(cpu.current, {}, cpu.id);
  }
  const auto start = init->address + tasks->offset;
  std::unordered_set<std::uint64_t> processes;
  for (auto at = view.number(start); at && *at != start;) {
    const auto leader = *at - tasks->offset;
    if (processes.size() >= max_threads || !processes.insert(leader).second) {
      endless = true;
      break;
    }
    const auto next = view.number(*at);
    if (!next) {
      lost(*at);
      break;
    }
    const auto name = view.text_member(leader, "task_struct", "comm", unit);
    add(leader, name);
    const auto signal = view.number(leader, "task_struct", "signal", unit);
    const auto list = signal.value_or(0) + head->offset;
    std::size_t count = 0;
    bool led = false;  // the leader comes once
    for (auto thread = signal ? view.number(list) : std::nullopt; thread && *thread != list;
         thread = view.number(*thread)) {
      const auto task = *thread - node->offset;
      if (++count > max_threads || (!add(task, name) && (task != leader || std::exchange(led, true)))) {
        endless = true;
        break;
      }
    }
    at = next;
  }
  // One that panicked while it was not, or no longer, in a list.
  for (const auto& cpu : lister.cpus()) add(cpu.current, {});
  if (endless) notes.push_back("the list of tasks has no end");
  return threads;
}

}  // namespace kdev::guest
