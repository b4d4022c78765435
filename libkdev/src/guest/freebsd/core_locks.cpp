// Locks that threads of a FreeBSD kernel wait for: those of mutexes and rw locks by turnstiles
// (kern/subr_turnstile.c), those of sx locks and lockmgr by sleep queues (kern/subr_sleepqueue.c).
#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>

#include "guest/freebsd/core_facts.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view shutdown = "kern/kern_shutdown.c", turnstiles = "kern/subr_turnstile.c",
                           sleepqueues = "kern/subr_sleepqueue.c", locks = "kern/subr_lock.c";
/// SLEEPQ_SX and SLEEPQ_LK (sys/sleepqueue.h): macros, of which debug information knows nothing.
constexpr std::uint64_t sleepq_type = 0xff, sleepq_sx = 3, sleepq_lk = 4;
/// LO_CLASSMASK, LO_CLASSSHIFT (sys/lock.h).
constexpr std::uint64_t class_mask = 0x0f000000, class_shift = 24;
/// Threads are aligned to 32 bytes (threadinit() in kern/kern_thread.c); what is below is flags. In all lock
/// words but a mutex's the lowest says that readers hold it: SX_LOCK_SHARED, RW_LOCK_READ, LK_SHARE.
constexpr std::uint64_t word_flags = 31, shared_flag = 1;
constexpr std::size_t max_queues = 1u << 16;

struct Class {
  std::string_view name;  ///< lc_name
  std::string_view type, word;
  std::string_view unit;
  bool can_share;
};
constexpr std::array<Class, 5> classes{{
    {"spin mutex", "mtx", "mtx_lock", "kern/kern_mutex.c", false},
    {"sleep mutex", "mtx", "mtx_lock", "kern/kern_mutex.c", false},
    {"sx", "sx", "sx_lock", "kern/kern_sx.c", true},
    {"rw", "rwlock", "rw_lock", "kern/kern_rwlock.c", true},
    {"lockmgr", "lock", "lk_lock", "kern/kern_lock.c", true},
}};

class Finder {
 public:
  Finder(const KernelView& view, const std::vector<ThreadState>& threads) : view_(view), threads_(threads) {
    for (const auto& t : threads) tids_.emplace(t.thread.address, t.thread.tid);
  }

  std::vector<CoreLock> find() {
    list_queues();
    for (const auto& t : threads_) {
      const auto number = [&](std::string_view name) {
        return view_.number(t.thread.address, "thread", name, shutdown).value_or(0);
      };
      // A thread that is not blocked has neither.
      if (const auto turnstile = number("td_blocked")) {
        const auto object = view_.number(turnstile, "turnstile", "ts_lockobj", turnstiles);
        const auto owner = view_.number(turnstile, "turnstile", "ts_owner", turnstiles);
        if (object && *object) waits(*object, t.thread.tid, owner.value_or(0));
      } else if (const auto channel = number("td_wchan"); channel && lock_queues_.count(channel)) {
        waits(channel, t.thread.tid, 0);
      }
    }
    std::vector<CoreLock> list;
    for (auto& [address, lock] : locks_) list.push_back(std::move(lock));
    return list;
  }

 private:
  int tid_of(std::uint64_t thread) const {
    const auto it = tids_.find(thread);
    return it == tids_.end() ? -1 : it->second;
  }
  static void add(std::vector<int>& tids, int tid) {
    if (tid != -1 && std::find(tids.begin(), tids.end(), tid) == tids.end()) tids.push_back(tid);
  }

  /// Channels that are locks: a thread's own structure does not say.
  void list_queues() {
    const auto chains = view_.symbol("sleepq_chains");
    const auto size = view_.size_of("sleepqueue_chain", sleepqueues);
    const auto head = view_.member("sleepqueue_chain", "sc_queues.lh_first", sleepqueues);
    if (!chains || !size || !head || !*size) return;
    std::unordered_set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(chains->size / *size, 4096); ++i)
      for (auto queue = view_.number(chains->address + i * *size + head->offset);
           queue && *queue && seen.size() < max_queues && seen.insert(*queue).second;
           queue = view_.number(*queue, "sleepqueue", "sq_hash.le_next", sleepqueues)) {
        const auto type =
            view_.number(*queue, "sleepqueue", "sq_type", sleepqueues).value_or(0) & sleepq_type;
        const auto channel = view_.number(*queue, "sleepqueue", "sq_wchan", sleepqueues);
        if (channel && (type == sleepq_sx || type == sleepq_lk)) lock_queues_.insert(*channel);
      }
  }

  /// `object`: struct lock_object, with which all locks begin. `owner`: as the turnstile has it, or 0.
  void waits(std::uint64_t object, int tid, std::uint64_t owner) {
    auto [it, fresh] = locks_.try_emplace(object);
    auto& lock = it->second;
    add(lock.waiters, tid);
    add(lock.holders, tid_of(owner));
    if (!fresh) return;
    lock.address = object;
    lock.kind = class_of(object);
    if (const auto name = view_.number(object, "lock_object", "lo_name", locks))
      lock.name = view_.text(*name, 128);
    for (const auto& c : classes) {
      if (lock.kind != c.name) continue;
      const auto word = view_.number(object, c.type, c.word, c.unit);
      if (!word) return;
      lock.shared = c.can_share && (*word & shared_flag);
      // The word of one that is held shared counts those who do.
      if (!lock.shared) add(lock.holders, tid_of(*word & ~word_flags));
      return;
    }
  }

  /// The name of its class, by its index in lock_classes.
  std::string class_of(std::uint64_t object) const {
    const auto flags = view_.number(object, "lock_object", "lo_flags", locks);
    const auto table = view_.symbol("lock_classes");
    if (!flags || !table) return {};
    const auto entry = view_.number(table->address + ((*flags & class_mask) >> class_shift) * 8);
    const auto name = entry && *entry ? view_.number(*entry, "lock_class", "lc_name", locks) : std::nullopt;
    return name ? view_.text(*name, 32) : std::string();
  }

  const KernelView& view_;
  const std::vector<ThreadState>& threads_;
  std::map<std::uint64_t, int> tids_;  // by struct thread
  std::unordered_set<std::uint64_t> lock_queues_;
  std::map<std::uint64_t, CoreLock> locks_;
};

}  // namespace

std::vector<CoreLock> freebsd_locks(const KernelView& view, const std::vector<ThreadState>& threads) {
  return Finder(view, threads).find();
}

}  // namespace kdev::guest
