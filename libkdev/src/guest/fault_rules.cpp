#include "guest/fault_rules.hpp"

#include <fmt/format.h>

#include <charconv>

#include "guest/console_rules.hpp"

namespace kdev::guest {

const FaultRules& ConsoleRules::faults() const {
  static const FaultRules none;
  return none;
}

std::string FaultRules::meaning(std::uint64_t value) const {
  const Poison* nearest = nullptr;
  for (const auto& p : poisons()) {
    if (value == p.value) return std::string(p.meaning);
    const auto past = value - p.value, before = p.value - value;
    if (!nearest && (past <= p.above || before <= p.below)) nearest = &p;
  }
  if (auto text = special(value); !text.empty() || !nearest) return text;
  if (value > nearest->value)
    return fmt::format("{}, {:#x} past it", nearest->meaning, value - nearest->value);
  return fmt::format("{}, {:#x} before it", nearest->meaning, nearest->value - value);
}

std::optional<std::uint64_t> register_value(std::string_view printed) {
  if (const auto colon = printed.find(':'); colon != std::string_view::npos) printed.remove_prefix(colon + 1);
  if (printed.starts_with("0x")) printed.remove_prefix(2);
  std::uint64_t value = 0;
  const auto* end = printed.data() + printed.size();
  const auto [at, error] = std::from_chars(printed.data(), end, value, 16);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

std::vector<PoisonedRegister> poisoned_registers(const CrashReport& report, const FaultRules& rules) {
  std::vector<PoisonedRegister> list;
  for (const auto& [name, text] : report.registers) {
    const auto value = register_value(text);
    const bool control = name.starts_with("CR") || name.starts_with("DR") || name == "RIP" || name == "EIP" ||
                         name == "PC" || name == "far";
    if (!value || control) continue;
    if (auto meaning = rules.meaning(*value); !meaning.empty())
      list.push_back({.name = name, .value = *value, .meaning = std::move(meaning)});
  }
  return list;
}

}  // namespace kdev::guest
