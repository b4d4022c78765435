// What a FreeBSD kernel leaves of itself.
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/page_table.hpp"
#include "guest/core_rules.hpp"
#include "guest/freebsd/core_facts.hpp"
#include "guest/freebsd/core_machine.hpp"
#include "guest/freebsd/dump_header.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/minidump.hpp"

namespace kdev::guest {
namespace {

constexpr std::array<const FreebsdMachine*, 2> machines{&freebsd_amd64, &freebsd_arm64};

/// Up to what cannot be printed.
std::string printable(std::string_view text) {
  return std::string(text.substr(
      0,
      static_cast<std::size_t>(
          std::find_if(text.begin(), text.end(), [](char c) { return c < '!' || c > '~'; }) - text.begin())));
}

class FreebsdCoreRules final : public CoreRules {
 public:
  explicit FreebsdCoreRules(const FreebsdMachine& machine) : machine_(machine) {}

  std::optional<DumpInfo> dump_header(std::string_view sector) const override {
    return parse_freebsd_dump_header(sector);
  }
  std::string lifted_name(const DumpInfo& info, const std::string& number) const override {
    return freebsd_lifted_name(info, number);
  }
  std::string info_text(const DumpInfo& info, const std::string& device, int number) const override {
    return freebsd_info_text(info, device, number);
  }

  std::unique_ptr<CoreMemory> open(const CoreBytes& bytes) const override;
  const CoreRules& of_machine(std::string_view arch) const override;
  bool owns_elf(int abi, const CoreMemory&) const override {
    return abi == ELFOSABI_STANDALONE;  // dumpsys_generic() in kern/kern_dump.c
  }
  std::optional<KernelPlace> place(const CoreMemory& memory, const KernelView* view) const override;

  std::string messages(const CoreMemory& memory, const KernelView* view) const override {
    return freebsd_messages(memory, view);
  }
  std::vector<CoreMessage> message_list(const CoreMemory& memory, const KernelView* view) const override {
    return freebsd_message_list(memory, view);
  }
  std::string panic(const KernelView& view) const override {
    const auto text = view.variable("panicstr");
    return text && *text ? view.text(*text) : std::string();
  }
  std::string version(const KernelView& view) const override {
    const auto text = view.symbol("version");
    return text ? view.text(text->address, 1024) : std::string();
  }
  std::optional<double> uptime(const KernelView& view) const override {
    const auto seconds = view.variable("time_uptime");
    return seconds ? std::optional(static_cast<double>(*seconds)) : std::nullopt;
  }
  std::vector<ModuleState> modules(const KernelView& view, std::vector<std::string>& notes) const override {
    return freebsd_modules(view, notes);
  }
  std::vector<ThreadState> threads(const KernelView& view, std::vector<std::string>& notes) const override {
    return freebsd_threads(view, machine_, notes);
  }
  std::vector<CoreCpu> cpus(const KernelView& view, std::vector<std::string>&) const override {
    return freebsd_cpus(view);
  }
  std::vector<CoreLock> locks(const KernelView& view, const std::vector<ThreadState>& threads,
                              const StackSource&, std::vector<std::string>&) const override {
    return freebsd_locks(view, threads);
  }

  bool is_trap_entry(std::string_view function) const override { return machine_.is_trap_entry(function); }
  std::optional<Registers> trap_registers(const KernelView& view, const Registers& entry,
                                          std::uint64_t sp) const override {
    return machine_.trapped(view, entry, sp);
  }
  bool is_kernel_address(std::uint64_t address) const override { return machine_.is_kernel_address(address); }
  int elf_abi() const override { return ELFOSABI_STANDALONE; }

 private:
  const FreebsdMachine& machine_;
};

constexpr std::string_view any_minidump = "minidump FreeBSD/";

std::unique_ptr<CoreMemory> FreebsdCoreRules::open(const CoreBytes& bytes) const {
  for (const auto* machine : machines)
    if (auto memory = machine->open_minidump(bytes)) return memory;
  std::string start(any_minidump.size() + 8, '\0');
  if (bytes.read(0, start.data(), start.size()) && start.starts_with(any_minidump))
    refuse_minidump(fmt::format("it is of a machine that kdev does not know: {}",
                                printable(start.c_str() + any_minidump.size())));
  return nullptr;
}

const CoreRules& FreebsdCoreRules::of_machine(std::string_view arch) const {
  static const FreebsdCoreRules arm64(freebsd_arm64);
  return arch == freebsd_arm64.arch ? arm64 : freebsd_core_rules();
}

/// The kernel is linked at `kernbase`, and loaded at a multiple of 2 MiB of physical memory (0, or where the
/// loader found room): right is where its own page table maps the variable that names it to the place that it
/// was read from.
std::optional<KernelPlace> FreebsdCoreRules::place(const CoreMemory& memory, const KernelView* view) const {
  if (!view) return std::nullopt;
  const auto base = view->symbol("kernbase"), top = view->symbol("KPML4phys");
  if (!base || !top || top->address < base->address) return std::nullopt;
  constexpr std::uint64_t step = 2u << 20, limit = 4ull << 30, frame = 0x000ffffffffff000;
  const auto read = [&](std::uint64_t address, void* to, std::size_t size) {
    return memory.read_physical(address, to, size);
  };
  for (std::uint64_t load = 0; load < limit; load += step) {
    const auto place = load + (top->address - base->address);
    std::uint64_t table = 0;
    if (!memory.read_physical(place, &table, 8) || table == 0 || table & ~frame) continue;
    if (translate_x86_64(read, table, top->address) == place) return KernelPlace{.page_tables = table};
  }
  return std::nullopt;
}

}  // namespace

const CoreRules& freebsd_core_rules() {
  static const FreebsdCoreRules rules(freebsd_amd64);
  return rules;
}

}  // namespace kdev::guest
