// What a Linux kernel leaves of itself.
#include <elf.h>

#include "guest/core_rules.hpp"
#include "guest/linux/core_facts.hpp"
#include "guest/linux/linux.hpp"
#include "guest/linux/vmcoreinfo.hpp"

namespace kdev::guest {
namespace {

class LinuxCoreRules final : public CoreRules {
 public:
  bool owns_elf(int abi, const CoreMemory& memory) const override {
    // The core of a program has the same ABI, but neither was it made by a machine nor has it that note.
    return abi == ELFOSABI_NONE && (memory.made_by_machine() || !Vmcoreinfo::of(memory).empty());
  }
  std::optional<KernelPlace> place(const CoreMemory& memory, const KernelView* view) const override {
    return linux_place(memory, view);
  }
  std::string_view version_symbol() const override { return "linux_banner"; }
  std::string build_id(const CoreMemory& memory) const override {
    return Vmcoreinfo::of(memory).text("BUILD-ID");
  }

  std::string vmcoreinfo(const CoreMemory& memory, const KernelView* view) const override {
    return Vmcoreinfo::text_of(memory, view);
  }

  std::string messages(const CoreMemory& memory, const KernelView* view) const override {
    return linux_messages(memory, view);
  }
  std::vector<CoreMessage> message_list(const CoreMemory& memory, const KernelView* view) const override {
    return linux_message_list(memory, view);
  }
  std::string panic(const KernelView& view) const override { return linux_panic(view); }
  std::string panic_line(const std::string& message) const override {
    return "Kernel panic - not syncing: " + message;
  }
  std::string version(const KernelView& view) const override {
    const auto banner = view.symbol("linux_banner");
    return banner ? view.text(banner->address, 1024) : std::string();
  }
  std::optional<double> uptime(const KernelView& view) const override { return linux_uptime(view); }
  std::vector<ModuleState> modules(const KernelView& view, std::vector<std::string>& notes) const override {
    return linux_modules(view, notes);
  }
  std::vector<ThreadState> threads(const KernelView& view, std::vector<std::string>& notes) const override {
    return linux_threads(view, notes);
  }
  std::vector<CoreCpu> cpus(const KernelView& view, std::vector<std::string>&) const override {
    return linux_cpus(view);
  }

  std::vector<CoreLock> locks(const KernelView& view, const std::vector<ThreadState>& threads,
                              const StackSource& stacks, std::vector<std::string>&) const override {
    return linux_locks(view, threads, stacks);
  }
  bool is_scheduler(const KernelView& view, std::uint64_t pc) const override {
    return linux_scheduler(view, pc);
  }

  bool is_trap_entry(std::string_view function) const override { return linux_trap_entry(function); }
  std::optional<Registers> trap_registers(const KernelView& view, const Registers&,
                                          std::uint64_t sp) const override {
    return linux_trap_registers(view, sp);
  }
  std::optional<Unwound> unwind(const KernelView& view, const Registers& registers) const override {
    return linux_orc(view, registers);
  }
  std::optional<std::uint64_t> switched_stack(const KernelView& view, std::uint64_t sp) const override {
    return linux_switched_stack(view, sp);
  }
  bool is_kernel_address(std::uint64_t address) const override { return linux_kernel_address(address); }

  std::vector<CoreNote> self_notes(const CoreMemory& memory, const KernelView* view,
                                   const KernelPlace* place) const override {
    return linux_self_notes(memory, view, place);
  }
  std::optional<KdumpHeader> kdump_header(const CoreMemory& memory, const KernelView* view,
                                          const KernelPlace* place) const override {
    return linux_kdump_header(memory, view, place);
  }
  std::optional<std::vector<MemoryRange>> pages_of(const KernelView& view, const std::vector<PageKind>& what,
                                                   const Deadline& deadline) const override {
    return linux_pages_of(view, what, deadline);
  }
};

}  // namespace

const CoreRules& linux_core_rules() {
  static const LinuxCoreRules rules;
  return rules;
}

}  // namespace kdev::guest
