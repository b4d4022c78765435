#pragma once
// What FreeBSD's structures and code have otherwise on each machine. Registers are by their DWARF numbers.
#include <optional>
#include <string_view>

#include "guest/core_rules.hpp"

namespace kdev::guest {

/// To read dumps of another one: fill this in, and write the reader of its minidumps.
struct FreebsdMachine {
  std::string_view arch;          ///< as KernelArtifact::arch
  std::uint64_t kernel_half = 0;  ///< the lowest address that a kernel's may be
  /// As CoreRules::open(), of its minidumps.
  std::unique_ptr<CoreMemory> (*open_minidump)(const CoreBytes&) = nullptr;
  /// A function of assembly code, as CoreRules::is_trap_entry().
  bool (*is_trap_entry)(std::string_view function) = nullptr;
  /// struct pcb, as savectx() and cpu_switch() leave it: where they return to; nothing: it is empty.
  std::optional<Registers> (*saved)(const KernelView& view, std::uint64_t pcb) = nullptr;
  /// struct trapframe, as CoreRules::trap_registers().
  std::optional<Registers> (*trapped)(const KernelView& view, const Registers& entry,
                                      std::uint64_t sp) = nullptr;

  bool is_kernel_address(std::uint64_t address) const { return address >= kernel_half; }
};

extern const FreebsdMachine freebsd_amd64, freebsd_arm64;

/// Of a thread that has not run yet, the first instruction is its beginning, not a call's return.
bool freebsd_has_run(const KernelView& view, std::uint64_t pc);

}  // namespace kdev::guest
