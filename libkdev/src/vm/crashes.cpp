// From console output to crash reports.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "vm/state.hpp"
#include "vm/symbol_sources.hpp"

namespace kdev {
namespace {

// How much console text before a crash goes along as its dmesg.
constexpr std::size_t dmesg_before = 64u << 10;

}  // namespace

SymbolSources vm::symbol_sources(const KernelArtifact& kernel, const std::vector<ModuleArtifact>& extra) {
  SymbolSources sources;
  sources.kernel = kernel;
  sources.debuginfod = false;  // no server has what was built here, and the guest's time-outs hold
  for (const ModuleArtifact& module : extra) sources.modules.push_back(module.ko);
  return sources;
}

std::shared_ptr<Symbolizer> VM::State::symbols(vm::Session& from) {
  if (!from.scan.symbolizer)
    from.scan.symbolizer = std::make_shared<Symbolizer>(vm::symbol_sources(from.scan.kernel, spec.modules));
  return from.scan.symbolizer;
}

Deadline VM::State::crash_deadline(std::stop_token stop) const {
  const OnCrash& policy = spec.on_crash;
  Seconds limit = spec.timeouts.crash;
  // The first answer comes after the prompt.
  if (!policy.ask.empty()) limit += policy.answer_timeout * static_cast<double>(policy.ask.size() + 1);
  if (policy.then != AfterCrash::pause && policy.then != AfterCrash::leave)
    limit += policy.answer_timeout + policy.dump_timeout;
  return Deadline::after(limit, std::move(stop));
}

std::size_t VM::State::collect_crashes(const std::shared_ptr<vm::Session>& from, const Deadline& deadline) {
  try {
    from->wait(deadline, "wait for the crash report's end",
               [&] { return !from->status_locked().crash_open || from->status_locked().gone; });
  } catch (const TimeoutError&) {
    // The report is what has come so far.
  }
  // Another thread may be at it, which takes as long as symbolizing does: its reports are this one's as well.
  std::unique_lock scan(scanning, std::defer_lock);
  while (!scan.try_lock_for(std::chrono::milliseconds(100)))
    deadline.check_interrupt("wait for the crash report");
  const vm::Session::Status status = from->status();
  for (std::size_t i = from->scan.episodes; i < status.episodes.size(); ++i) {
    const vm::CrashEpisode& episode = status.episodes[i];
    // An earlier report that is seen again would draw this one in: the scanner takes what follows a report
    // for its consequence.
    const std::size_t earliest = std::min(std::max(from->scan.to, episode.not_before), episode.begin);
    const std::size_t begin =
        episode.begin - earliest > dmesg_before ? episode.begin - dmesg_before : earliest;
    const std::string text = console->read(begin, episode.end);
    std::vector<CrashReport> reports;
    for (CrashReport& report : scan_console(text, from->scan.kernel.os)) {
      if (report.end + begin <= episode.begin) continue;                  // of a crash that nobody waited for
      if (report.kind == "program" || report.kind == "reboot") continue;  // none of the kernel's own
      report.begin += begin;
      report.end += begin;
      reports.push_back(std::move(report));
    }
    if (reports.empty()) {
      // The panic device spoke, or a first line that the scanner makes nothing of: still a crash.
      CrashReport report;
      report.kind = "panic";
      report.title = episode.fatal ? "kernel panic: no report on the console" : "unrecognised crash report";
      report.text = console->read(episode.begin, episode.end);
      report.dmesg = console->read(begin, episode.begin);
      report.begin = episode.begin;
      report.end = episode.end;
      report.panicked = episode.fatal;
      report.corrupted = true;
      reports.push_back(std::move(report));
    }
    // The last one is the panic.
    reports.back().debugger = episode.answers;
    reports.back().dump = episode.dump;
    reports.back().notes.insert(reports.back().notes.end(), episode.notes.begin(), episode.notes.end());
    for (DebuggerAnswer& answer : reports.back().debugger) read_traces(*from, answer);
    for (CrashReport& report : reports) {
      report.origin.from = origin_of_crashes(from);
      if (spec.symbolize) {
        try {
          symbols(*from)->symbolize(report);
        } catch (const Error& e) {
          report.notes.push_back(std::string("not symbolized: ") + e.what());
        }
      }
      if (events->wanted()) events->push(CrashFound{spec.name, report.title});
    }
    std::lock_guard lock(mutex);
    crashes.insert(crashes.end(), std::make_move_iterator(reports.begin()),
                   std::make_move_iterator(reports.end()));
    from->scan.episodes = i + 1;
    from->scan.to = std::max(episode.end, episode.after);
  }
  scan.unlock();
  events->deliver();
  std::lock_guard lock(mutex);
  return crashes.size();
}

void VM::State::mark_dead(const std::shared_ptr<vm::Session>& from, VmState to, const std::string& why) {
  {
    std::lock_guard lock(mutex);
    // A hung guest whose NMI made it panic stays a hung one: that is what went wrong.
    if (state == to || state == VmState::stopped || state == VmState::hung) return;
  }
  set_state(to, why);
  const vm::Session::Status status = from->status();
  if (status.debugged || (to == VmState::crashed && spec.on_crash.then == AfterCrash::leave)) return;
  try {
    // A panicked kernel spins for ever: no host CPU for that; its memory stays as it is.
    if (!status.gone) from->machine().pause(Deadline::after(Seconds(2)));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    // It is gone, or busy going: nothing to stop.
  }
}

void VM::State::provoke_report(const std::shared_ptr<vm::Session>& from) {
  if (spec.record) return;  // no recording has an NMI: its replay would stand still there
  const std::size_t known = from->status().episodes.size();
  try {
    from->machine().nmi(Deadline::after(spec.timeouts.probe));
    from->wait(crash_deadline(), "wait for the report after an NMI",
               [&] { return from->status_locked().episodes.size() > known || from->status_locked().gone; });
  } catch (const TimeoutError&) {
    // Not even an NMI gets through: there is no report to have.
  } catch (const DebugError&) {
  } catch (const HostError&) {
  }
}

}  // namespace kdev
