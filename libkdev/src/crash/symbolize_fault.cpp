// What a report's fault was to reach, by the code that faulted.
#include "crash/expand.hpp"
#include "crash/symbolizer_state.hpp"
#include "guest/guest.hpp"

namespace kdev {

crash::FaultPlace Symbolizer::State::fault_place(const CrashReport& report) {
  const auto& rules = files.rules();
  const auto& frames = report.frames();
  std::size_t at = 0;
  while (at < frames.size() && !rules.is_pc(report, frames[at])) ++at;
  const bool called = report.fault->access == "execute";
  if (called) at = at == frames.size() ? 0 : at + 1;
  while (called && at < frames.size() && (!frames[at].reliable || frames[at].function.empty())) ++at;
  crash::FaultPlace place;
  if (at >= frames.size()) return place;
  const auto& frame = frames[at];
  if (const auto address = crash::bare_address(frame); address && frame.module.empty()) {
    if (!report.kaslr_offset && rules.moved_by_kaslr(address)) return place;
    place.info = &files.kernel();
    place.pc = address - static_cast<std::uint64_t>(report.kaslr_offset.value_or(0));
  } else {
    std::string in = frame.module;
    if (in.empty() && !rules.names_modules())
      in = files.module_with(frame.function, frame.size, frame.offset);
    const auto* info = in.empty() ? &files.kernel() : files.module(in);
    const auto found = info ? crash::place_of(*info, frame.function, frame.size, frame.offset,
                                              in.empty() ? frame.address : 0)
                            : crash::SymbolPlace{};
    if (found.fit != crash::Fit::exact || found.ambiguous) return place;
    place.info = info;
    place.pc = found.symbol->address + frame.offset;
  }
  place.return_address = called;
  const auto lines = crash::expand(*place.info, source, place.pc, called);
  if (!lines.empty()) place.source = lines[0].source;
  place.code = [info = place.info](std::uint64_t address, std::size_t size) {
    return info->code(address, size);
  };
  return place;
}

void Symbolizer::State::explain(CrashReport& report) {
  const auto& kernel = files.sources().kernel;
  const auto* console = guest::guest_for(kernel ? kernel->os : files.sources().os).console();
  if (!report.fault || !console) return;
  if (const auto place = fault_place(report); place.info)
    crash::explain_fault(*report.fault, place, crash::numeric_registers(report), console->faults());
}

}  // namespace kdev
