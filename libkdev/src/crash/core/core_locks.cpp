// Who holds and who waits: the locks that a guest's rules find, with the circles among them.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "common/json.hpp"
#include "crash/core/core_state.hpp"
#include "crash/register_variables.hpp"

namespace kdev {
namespace {

/// Stacks as rules see them, each walked once.
class Stacks final : public guest::StackSource {
 public:
  Stacks(const guest::KernelView& view, const crash::KernelImage& image, const guest::CoreRules& rules,
         const crash::Machine& machine)
      : image_(image), unwinder_(view, image, rules, machine) {}

  std::vector<guest::StackStep> stack(const guest::ThreadState& thread, std::size_t limit) const override {
    std::vector<guest::StackStep> steps;
    for (const auto& a : walked(thread, limit)) {
      const auto* symbol = image_.code_at(a.return_address ? a.pc - 1 : a.pc);
      steps.push_back({symbol ? symbol->name : std::string_view(), a.pc, a.sp});
      if (steps.size() == limit) break;
    }
    return steps;
  }

  std::optional<std::uint64_t> variable(const guest::ThreadState& thread, std::size_t step,
                                        std::string_view name) const override {
    const auto& stack = walked(thread, step + 1);
    if (step >= stack.size()) return std::nullopt;
    const auto& a = stack[step];
    const auto place = image_.at(a.return_address ? a.pc - 1 : a.pc);
    if (!place.info) return std::nullopt;
    const auto scopes = place.info->scopes((a.return_address ? a.pc - 1 : a.pc) - place.slide);
    for (const auto& v : crash::variables_in(scopes.entries)) {
      if (v.name != name) continue;
      const auto in = crash::register_of(v, scopes.pc);
      const auto value = in ? a.registers.values.find(in->number) : a.registers.values.end();
      if (value != a.registers.values.end()) return value->second + static_cast<std::uint64_t>(in->plus);
    }
    return std::nullopt;
  }

 private:
  const std::vector<crash::Activation>& walked(const guest::ThreadState& thread, std::size_t limit) const {
    auto& known = stacks_[thread.thread.address];
    if (known.limit < limit && thread.registers) {
      known.limit = limit;
      known.stack = unwinder_.walk(*thread.registers, limit);
    }
    return known.stack;
  }
  struct Walked {
    std::size_t limit = 0;
    std::vector<crash::Activation> stack;
  };
  const crash::KernelImage& image_;
  crash::Unwinder unwinder_;
  mutable std::unordered_map<std::uint64_t, Walked> stacks_;
};

/// A lock whose holder waits, by way of others, for it.
void mark_deadlocks(std::vector<CoreLock>& locks) {
  std::map<int, std::vector<const CoreLock*>> waits;  // by tid
  for (const auto& lock : locks)
    for (const int tid : lock.waiters) waits[tid].push_back(&lock);
  for (auto& lock : locks) {
    std::vector<const CoreLock*> next{&lock}, seen;
    while (!next.empty() && !lock.deadlock) {
      const auto* at = next.back();
      next.pop_back();
      for (const int tid : at->holders)
        for (const auto* waited : waits[tid]) {
          lock.deadlock |= waited == &lock;
          if (std::find(seen.begin(), seen.end(), waited) != seen.end()) continue;
          seen.push_back(waited);
          next.push_back(waited);
        }
    }
  }
}

/// Scheduling functions are few; what waits is not far above.
constexpr std::size_t max_scheduling = 16, max_locks = 10000;

}  // namespace

std::string Core::State::wait_channel(const guest::ThreadState& thread) {
  const auto& t = thread.thread;
  if (!t.wait_channel.empty() || !view || t.state == "running" || t.state == "runnable")
    return t.wait_channel;
  list_modules();
  for (const auto& step : Stacks(*view, *image, *rules, *machine).stack(thread, max_scheduling))
    if (!rules->is_scheduler(*view, step.pc)) return json::utf8(step.function);
  return {};
}

std::vector<CoreLock> Core::State::list_locks() {
  if (!view) return {};
  list_modules();
  std::vector<std::string> problems;
  auto locks = rules->locks(*view, list_threads(), Stacks(*view, *image, *rules, *machine), problems);
  for (auto& p : problems) note(std::move(p));
  if (locks.size() > max_locks) locks.resize(max_locks);
  std::sort(locks.begin(), locks.end(),
            [](const CoreLock& a, const CoreLock& b) { return a.address < b.address; });
  for (auto& lock : locks) {
    if (const auto name = image->variable_at(lock.address); !name.empty()) lock.name = name;
    lock.name = json::utf8(lock.name);
  }
  mark_deadlocks(locks);
  return locks;
}

std::vector<CoreLock> Core::locks() const {
  const std::lock_guard lock(state_->mutex);
  return state_->list_locks();
}

}  // namespace kdev
