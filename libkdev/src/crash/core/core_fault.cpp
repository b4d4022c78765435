// The fault that a dump's report tells, explained by the registers and the code in its memory.
#include "crash/core/core_state.hpp"
#include "crash/fault.hpp"
#include "guest/console_rules.hpp"

namespace kdev {

void Core::State::explain(CrashReport& report, const guest::Registers& stopped) {
  const auto* console = guest->console();
  if (!report.fault || !console) return;
  const auto stack = crash::Unwinder(*view, *image, *rules, *machine).walk(stopped);
  // Where the innermost trap came, or for a jump to what is no code the call that made it.
  std::size_t at = 1;
  while (at < stack.size() && stack[at].return_address) ++at;
  if (at >= stack.size()) return;
  auto registers = crash::numeric_registers(report);
  const auto& trapped = stack[at].registers;
  for (const auto& [name, number] : machine->names)
    if (const auto it = trapped.values.find(number); it != trapped.values.end())
      registers[std::string(name)] = it->second;
  // Reports write some of them otherwise.
  for (const char* name : {"R08", "R09"}) registers.erase(name);
  if (!report.fault->pc) report.fault->pc = stack[at].pc;
  const bool called = report.fault->access == "execute";
  if (called && ++at >= stack.size()) return;
  const auto place = image->at(called ? stack[at].pc - 1 : stack[at].pc);
  if (!place.info) return;
  const auto lines = image->expand(stack[at].pc, called);
  crash::explain_fault(*report.fault,
                       {.info = place.info,
                        .pc = stack[at].pc - place.slide,
                        .return_address = called,
                        .source = lines[0].source,
                        .code =
                            [&](std::uint64_t address, std::size_t size) {
                              std::string code(size, '\0');
                              if (!view->read(address + place.slide, code.data(), size))
                                code = place.info->code(address, size);
                              return code;
                            }},
                       registers, console->faults());
}

}  // namespace kdev
