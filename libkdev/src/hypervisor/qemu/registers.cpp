#include "hypervisor/qemu/registers.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace kdev::hypervisor {
namespace {

// As the monitor names them, and as user_regs_struct does.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> general{{
    {"AX", "rax"},
    {"BX", "rbx"},
    {"CX", "rcx"},
    {"DX", "rdx"},
    {"SI", "rsi"},
    {"DI", "rdi"},
    {"BP", "rbp"},
    {"SP", "rsp"},
    {"IP", "rip"},
    {"FL", "eflags"},
    {"R8 ", "r8"},
    {"R9 ", "r9"},
    {"R10", "r10"},
    {"R11", "r11"},
    {"R12", "r12"},
    {"R13", "r13"},
    {"R14", "r14"},
    {"R15", "r15"},
}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> segments{
    {{"ES ", "es"}, {"CS ", "cs"}, {"SS ", "ss"}, {"DS ", "ds"}, {"FS ", "fs"}, {"GS ", "gs"}}};
constexpr std::array<std::string_view, 4> control{"CR0", "CR2", "CR3", "CR4"};

std::optional<std::uint64_t> hex(std::string_view text, std::size_t at) {
  std::uint64_t value = 0;
  if (at >= text.size()) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value, 16);
  if (error != std::errc()) return std::nullopt;
  return value;
}

/// Where the value of NAME= begins; NAME is a word's beginning.
std::optional<std::size_t> value_of(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '\n';
    if (begins && end < text.size() && text[end] == '=') return end + 1;
  }
  return std::nullopt;
}

CpuRegisters read_cpu(std::string_view text) {
  CpuRegisters registers;
  const auto take = [&](std::string_view shown, std::string_view name) {
    if (const auto at = value_of(text, shown))
      if (const auto value = hex(text, *at)) registers.emplace(name, *value);
  };
  for (const auto& [shown, name] : general) {
    if (shown.starts_with('R')) {
      take(shown, name);
      continue;
    }
    // A CPU that runs a 32-bit program has EAX.
    take("R" + std::string(shown), name);
    take("E" + std::string(shown), name);
  }
  for (const auto& [shown, name] : segments) {
    const auto at = value_of(text, shown);
    if (!at) continue;
    // "0010 0000000000000000 ffffffff 00af9b00": selector, base, limit, flags.
    if (const auto selector = hex(text, *at)) registers.emplace(name, *selector);
    if (const auto base = hex(text, *at + 5)) registers.emplace(std::string(name) + "_base", *base);
  }
  for (const std::string_view name : control) {
    const std::string lower{'c', 'r', name[2]};
    take(name, lower);
  }
  return registers;
}

}  // namespace

std::vector<CpuRegisters> read_registers(std::string_view text) {
  constexpr std::string_view head = "CPU#";
  std::vector<CpuRegisters> cpus;
  for (std::size_t at = text.find(head); at != text.npos;) {
    const std::size_t next = text.find(head, at + head.size());
    CpuRegisters cpu = read_cpu(text.substr(at, next == text.npos ? text.npos : next - at));
    if (!cpu.contains("rip") || !cpu.contains("rsp")) return {};
    cpus.push_back(std::move(cpu));
    at = next;
  }
  return cpus;
}

}  // namespace kdev::hypervisor
