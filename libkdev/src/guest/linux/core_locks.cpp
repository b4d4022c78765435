// Locks that tasks of a Linux kernel wait for. One that sleeps for a mutex, a rwsem or a semaphore has a
// structure on its stack (struct mutex_waiter, rwsem_waiter, semaphore_waiter) with itself in it, which is in
// the lock's list of waiters: that list's head is the lock. It is found by its content, so that neither the
// compiler's choices nor a debugging configuration matter. One that spins has the lock in a register.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>
#include <utility>

#include "guest/linux/core_facts.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view task_unit = "init/init_task.c";
constexpr std::size_t max_frames = 24, max_waiters = 4096;
constexpr std::uint64_t usual_stack = 16u << 10, max_stack = 64u << 10;
/// Of an owner (kernel/locking/mutex.c: MUTEX_FLAGS; rwsem.c: RWSEM_OWNER_FLAGS_MASK).
constexpr std::uint64_t owner_flags = 7, reader_owned = 1;

struct Sleeping {
  std::string_view function;  ///< begins so
  std::string_view kind;
  std::string_view waiter, lock;  ///< structures
  std::string_view unit;          ///< that knows both
  std::string_view list;          ///< of the waiters, in the lock
  std::string_view owner;         ///< empty: it has none
};
constexpr std::array<Sleeping, 7> sleeping{{
    {"__mutex_lock", "mutex", "mutex_waiter", "mutex", "kernel/locking/mutex.c", "wait_list", "owner"},
    {"__ww_mutex_lock", "mutex", "mutex_waiter", "mutex", "kernel/locking/mutex.c", "wait_list", "owner"},
    {"mutex_lock", "mutex", "mutex_waiter", "mutex", "kernel/locking/mutex.c", "wait_list", "owner"},
    {"rwsem_down_", "rwsem", "rwsem_waiter", "rw_semaphore", "kernel/locking/rwsem.c", "wait_list", "owner"},
    {"down_", "rwsem", "rwsem_waiter", "rw_semaphore", "kernel/locking/rwsem.c", "wait_list", "owner"},
    {"__down", "semaphore", "semaphore_waiter", "semaphore", "kernel/locking/semaphore.c", "wait_list", ""},
    {"___down", "semaphore", "semaphore_waiter", "semaphore", "kernel/locking/semaphore.c", "wait_list", ""},
}};

class Finder {
 public:
  Finder(const KernelView& view, const std::vector<ThreadState>& threads, const StackSource& stacks)
      : view_(view), threads_(threads), stacks_(stacks) {
    for (const auto& t : threads) tids_.emplace(t.thread.address, t.thread.tid);
    for (const auto& t : threads)
      if (const auto stack = view.number(t.thread.address, "task_struct", "stack", task_unit))
        bottoms_.push_back(*stack);
    std::sort(bottoms_.begin(), bottoms_.end());
    // THREAD_SIZE.
    stack_size_ = std::min(view.size_of("thread_union", task_unit).value_or(usual_stack), max_stack);
  }

  std::vector<CoreLock> find() {
    for (const auto& t : threads_) {
      if (!t.registers || t.thread.state == "runnable" || t.thread.state == "zombie") continue;
      const bool running = t.thread.state == "running";
      const auto steps = stacks_.stack(t, running ? max_frames : max_frames / 2);
      for (std::size_t i = 0; i < steps.size(); ++i)
        if (running ? spins(t, steps, i) : sleeps(t, steps, i)) break;
    }
    std::vector<CoreLock> list;
    for (auto& [address, lock] : locks_) list.push_back(std::move(lock));
    return list;
  }

 private:
  bool on_a_stack(std::uint64_t address) const {
    const auto it = std::upper_bound(bottoms_.begin(), bottoms_.end(), address);
    return it != bottoms_.begin() && address - *(it - 1) < stack_size_;
  }
  int tid_of(std::uint64_t task) const {
    const auto it = tids_.find(task);
    return it == tids_.end() ? -1 : it->second;
  }

  CoreLock& lock_at(std::uint64_t address, std::string_view kind) {
    auto& lock = locks_[address];
    lock.address = address;
    lock.kind = kind;
    return lock;
  }
  static void add(std::vector<int>& tids, int tid) {
    if (tid != -1 && std::find(tids.begin(), tids.end(), tid) == tids.end()) tids.push_back(tid);
  }

  /// Whether frame `i` is of a function that sleeps for a lock, and the lock was found.
  bool sleeps(const ThreadState& t, const std::vector<StackStep>& steps, std::size_t i) {
    for (const auto& how : sleeping) {
      if (!steps[i].function.starts_with(how.function)) continue;
      const auto task = view_.member(how.waiter, "task", how.unit),
                 node = view_.member(how.waiter, "list", how.unit);
      const auto list = view_.member(how.lock, how.list, how.unit);
      if (!task || !node || !list) return false;
      // The waiter is in this function's frame, which ends where its caller's begins.
      const auto end = i + 1 < steps.size() ? steps[i + 1].sp : steps[i].sp + 1024;
      for (auto at = steps[i].sp; at < end && at - steps[i].sp < stack_size_; at += 8) {
        if (view_.number(at + task->offset) != t.thread.address) continue;
        if (const auto head = head_of(at + node->offset, *node, *task); head) {
          found(*head - list->offset, how, t);
          return true;
        }
      }
    }
    return false;
  }

  /// The head of the list that a waiter is in: what is in it, and on no stack. Its waiters' order is kept.
  std::optional<std::uint64_t> head_of(std::uint64_t node, const Member& list, const Member& task) {
    order_.clear();
    std::optional<std::uint64_t> head;
    std::unordered_set<std::uint64_t> seen;
    std::vector<int> before;
    auto at = node;
    do {
      if (seen.size() >= max_waiters || !seen.insert(at).second) return std::nullopt;
      const auto next = view_.number(at), back = next ? view_.number(*next + 8) : std::nullopt;
      // Both ways, or it is no list.
      if (!back || *back != at) return std::nullopt;
      if (!on_a_stack(at)) {
        if (head) return std::nullopt;
        head = at;
        before = std::exchange(order_, {});
      } else if (const auto owner = view_.number(at - list.offset + task.offset)) {
        order_.push_back(tid_of(*owner));
      }
      at = *next;
    } while (at != node);
    order_.insert(order_.end(), before.begin(), before.end());
    return head;
  }

  void found(std::uint64_t address, const Sleeping& how, const ThreadState& t) {
    auto& lock = lock_at(address, how.kind);
    // All that wait are in the list that the first one is in.
    if (lock.waiters.empty())
      for (const int tid : order_) add(lock.waiters, tid);
    add(lock.waiters, t.thread.tid);
    if (how.owner.empty()) return;
    const auto owner = view_.number(address, how.lock, how.owner, how.unit);
    if (!owner) return;
    lock.shared = how.kind == "rwsem" && (*owner & reader_owned);
    add(lock.holders, tid_of(*owner & ~owner_flags));
  }

  /// Whether frame `i` is of a function that spins.
  bool spins(const ThreadState& t, const std::vector<StackStep>& steps, std::size_t i) {
    constexpr std::string_view unit = "kernel/locking/spinlock.c";
    static constexpr std::array<std::string_view, 5> functions{
        "queued_spin_lock_slowpath", "native_queued_spin_lock_slowpath", "_raw_spin_lock", "do_raw_spin_lock",
        "__pv_queued_spin_lock_slowpath"};
    const auto name = steps[i].function;
    if (std::none_of(functions.begin(), functions.end(), [&](auto f) { return name.starts_with(f); }))
      return false;
    const auto address = stacks_.variable(t, i, "lock");
    if (!address || !linux_kernel_address(*address)) return false;
    auto& lock = lock_at(*address, "spinlock");
    add(lock.waiters, t.thread.tid);
    // Only in debugging (CONFIG_DEBUG_SPINLOCK) a spinlock knows its owner.
    if (const auto owner = view_.number(*address, "raw_spinlock", "owner", unit))
      add(lock.holders, tid_of(*owner));
    return true;
  }

  const KernelView& view_;
  const std::vector<ThreadState>& threads_;
  const StackSource& stacks_;
  std::map<std::uint64_t, int> tids_;   // by task
  std::vector<std::uint64_t> bottoms_;  // of stacks, sorted
  std::uint64_t stack_size_ = usual_stack;
  std::vector<int> order_;  // of the list's waiters
  std::map<std::uint64_t, CoreLock> locks_;
};

}  // namespace

std::vector<CoreLock> linux_locks(const KernelView& view, const std::vector<ThreadState>& threads,
                                  const StackSource& stacks) {
  return Finder(view, threads, stacks).find();
}

/// in_sched_functions() in kernel/sched/core.c.
bool linux_scheduler(const KernelView& view, std::uint64_t pc) {
  const auto within = [&](std::string_view begin, std::string_view end) {
    const auto low = view.symbol(begin), high = view.symbol(end);
    return low && high && pc >= low->address && pc < high->address;
  };
  return within("__sched_text_start", "__sched_text_end") || within("__lock_text_start", "__lock_text_end");
}

}  // namespace kdev::guest
