// Whatever lies in a kernel's memory, lists of modules, tasks, messages and locks end, and unwinding tables
// lead somewhere or nowhere.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "fuzz/word_memory.hpp"
#include "guest/guest.hpp"

using namespace kdev;

namespace {

/// Stacks of those that wait for locks.
class Stacks final : public guest::StackSource {
 public:
  explicit Stacks(const guest::KernelView& view) : view_(view) {}
  std::vector<guest::StackStep> stack(const guest::ThreadState& thread, std::size_t limit) const override {
    static constexpr std::string_view names[]{
        "__schedule", "__mutex_lock", "rwsem_down_read_slowpath", "native_queued_spin_lock_slowpath",
        "",           "worker"};
    std::vector<guest::StackStep> steps;
    auto sp = thread.thread.address;
    for (std::size_t i = 0; i < std::min<std::size_t>(limit, 4); ++i) {
      const auto value = view_.number(sp).value_or(0);
      steps.push_back({names[(value >> 3) % std::size(names)], value, sp});
      sp += 64;
    }
    return steps;
  }
  std::optional<std::uint64_t> variable(const guest::ThreadState& thread, std::size_t step,
                                        std::string_view) const override {
    return view_.number(thread.thread.address + step * 8);
  }

 private:
  const guest::KernelView& view_;
};

void look(const guest::CoreRules& rules, const fuzz::WordMemory& view) {
  std::vector<std::string> notes;
  rules.messages(view, &view);
  rules.message_list(view, &view);
  rules.vmcoreinfo(view, &view);
  rules.panic(view);
  rules.version(view);
  rules.uptime(view);
  rules.cpus(view, notes);
  for (const auto& m : rules.modules(view, notes))
    if (m.module.size && !rules.is_kernel_address(m.module.address)) notes.push_back(m.module.name);
  const auto threads = rules.threads(view, notes);
  rules.locks(view, threads, Stacks(view), notes);
  for (const auto& t : threads) {
    if (!t.registers) continue;
    auto r = *t.registers;
    for (int steps = 0; steps < 50; ++steps) {
      auto unwound = rules.unwind(view, r);
      if (!unwound || unwound->end) break;
      r = std::move(unwound->registers);
      rules.trap_registers(view, r, r.values[7]);
      rules.switched_stack(view, r.values[7]);
    }
  }
  rules.pages_of(view, {PageKind::free, PageKind::user, PageKind::cache}, {});
  rules.self_notes(view, &view, nullptr);
  rules.kdump_header(view, &view, nullptr);
  rules.place(view, &view);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const guest::Guest* g : guest::all_guests()) {
    if (!g->core()) continue;
    for (const char* arch : {"x86_64", "aarch64"}) look(g->core()->of_machine(arch), {data, size, arch});
  }
  return 0;
}
