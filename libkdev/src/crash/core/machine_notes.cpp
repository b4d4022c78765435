#include "crash/core/machine_notes.hpp"

#include <array>
#include <cstring>

namespace kdev::crash {
namespace {

// struct elf_prstatus of x86_64 (include/uapi/linux/elfcore.h), whose registers are a user_regs_struct.
constexpr std::size_t status_size = 336, pid_at = 32, registers_at = 112;
constexpr std::array<const char*, 27> order{"r15",     "r14",      "r13", "r12", "rbp",    "rbx", "r11",
                                            "r10",     "r9",       "r8",  "rax", "rcx",    "rdx", "rsi",
                                            "rdi",     "orig_rax", "rip", "cs",  "eflags", "rsp", "ss",
                                            "fs_base", "gs_base",  "ds",  "es",  "fs",     "gs"};
// QEMUCPUState (QEMU's target/i386/arch_dump.c): version, size, general registers, ten segments, cr0 to cr4,
// kernel_gs_base.
constexpr std::uint32_t qemu_version = 1, qemu_size = 440;
constexpr std::size_t control_at = 8 + 18 * 8 + 10 * 24;

template <class T>
void put(std::string& data, std::size_t at, T value) {
  std::memcpy(data.data() + at, &value, sizeof(value));
}

std::uint64_t value(const hypervisor::CpuRegisters& cpu, const std::string& name) {
  const auto found = cpu.find(name);
  return found == cpu.end() ? 0 : found->second;
}

std::string status(const hypervisor::CpuRegisters& cpu, std::uint32_t number) {
  std::string data(status_size, '\0');
  put(data, pid_at, number);
  for (std::size_t i = 0; i < order.size(); ++i) put(data, registers_at + 8 * i, value(cpu, order[i]));
  return data;
}

std::string state(const hypervisor::CpuRegisters& cpu) {
  constexpr std::array<const char*, 18> general{"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                                "rsp", "rbp", "r8",  "r9",  "r10", "r11",
                                                "r12", "r13", "r14", "r15", "rip", "eflags"};
  std::string data(qemu_size, '\0');
  put(data, 0, qemu_version);
  put(data, 4, qemu_size);
  for (std::size_t i = 0; i < general.size(); ++i) put(data, 8 + 8 * i, value(cpu, general[i]));
  for (std::size_t i = 0; i <= 4; ++i) put(data, control_at + 8 * i, value(cpu, "cr" + std::to_string(i)));
  return data;
}

}  // namespace

std::vector<guest::CoreNote> machine_notes(const std::vector<hypervisor::CpuRegisters>& cpus) {
  constexpr std::uint32_t nt_prstatus = 1;
  std::vector<guest::CoreNote> notes;
  // Pids there are numbers of CPUs, from 1.
  for (std::uint32_t number = 1; const auto& cpu : cpus)
    notes.push_back({.name = "CORE", .type = nt_prstatus, .data = status(cpu, number++)});
  for (const auto& cpu : cpus) notes.push_back({.name = "QEMU", .type = 0, .data = state(cpu)});
  return notes;
}

}  // namespace kdev::crash
