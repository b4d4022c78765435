// A report's traces with places in them, and whether the files are those of the kernel that crashed.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "crash/expand.hpp"
#include "crash/symbolizer_state.hpp"

namespace kdev {

using crash::bare_address;
using crash::DebugInfo;
using crash::Fit;
using crash::SymbolPlace;

namespace {

void add_note(std::vector<std::string>& notes, std::string text) {
  if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(std::move(text));
}

bool has_symbol(const StackFrame& frame) {
  return frame.offset || frame.size;
}

/// Here or by another program.
bool is_done(const StackFrame& frame) {
  return frame.inlined || frame.line > 0;
}

/// How many of a file's functions are as the report prints them. A few may differ in a right file (kallsyms
/// leaves some symbols out); most in a wrong one.
struct Agreement {
  int asked = 0, misfits = 0;
  std::string example;
  bool wrong() const { return misfits * 2 > asked; }
};

}  // namespace

void Symbolizer::State::check_kernel(CrashReport& report) {
  const auto& rules = files.rules();
  const auto& artifact = files.sources().kernel;
  const std::string file = files.kernel_name();
  const std::string ours = files.kernel().file().build_id();
  const guest::PrintedBuildIds printed = rules.build_ids(report.text);
  files.expect(printed.modules);
  if (!printed.kernel.empty() && !ours.empty() && printed.kernel != ours)
    add_note(report.notes, fmt::format("the report is of the kernel with build id {}, {} has {}",
                                       printed.kernel, file, ours));
  if (artifact && !artifact->build_id.empty() && artifact->build_id != ours)
    add_note(report.notes, fmt::format("{} has build id {}, the kernel it was given for {}", file,
                                       ours.empty() ? "none" : ours, artifact->build_id));
  if (!release_) release_ = files.linked_kernel() ? rules.release(*files.linked_kernel()) : std::string();
  if (!release_->empty() && !report.release.empty() && !rules.same_release(report.release, *release_))
    add_note(report.notes,
             fmt::format("the report is of kernel {}, {} of {}", report.release, file, *release_));
  for (const auto& [name, id] : printed.modules) {
    const auto* info = files.module(name);
    const std::string have = info ? info->file().build_id() : std::string();
    if (!have.empty() && have != id)
      add_note(report.notes, fmt::format("module {} has build id {}, its file {}", name, id, have));
  }
}

std::vector<std::string> Symbolizer::State::check_functions(CrashReport& report) {
  std::map<std::string, Agreement> agreements;  // by module
  for (const auto& trace : report.traces)
    for (const auto& frame : trace.frames) {
      if (is_done(frame) || bare_address(frame) || !has_symbol(frame)) continue;
      const DebugInfo* info = frame.module.empty() ? &files.kernel() : files.module(frame.module);
      if (!info) {
        const std::string problem = files.module_problem(frame.module);
        add_note(report.notes, problem.empty()
                                   ? fmt::format("no file with symbols for module {}", frame.module)
                                   : fmt::format("module {}: {}", frame.module, problem));
        continue;
      }
      auto& agreement = agreements[frame.module];
      ++agreement.asked;
      const auto place =
          place_of(*info, frame.function, frame.size, frame.offset, frame.module.empty() ? frame.address : 0);
      if (place.fit == Fit::exact) continue;
      if (frame.module.empty() && !files.rules().names_modules() &&
          !files.module_with(frame.function, frame.size, frame.offset).empty())
        continue;
      ++agreement.misfits;
      if (agreement.example.empty()) agreement.example = frame.function;
    }
  std::vector<std::string> wrong;
  for (const auto& [module, agreement] : agreements) {
    if (!agreement.wrong()) continue;
    wrong.push_back(module);
    add_note(report.notes,
             fmt::format("{} of {} functions of {} are missing in its file or differ in size ({}): it is not "
                         "the file of the kernel that crashed",
                         agreement.misfits, agreement.asked, module.empty() ? files.kernel_name() : module,
                         agreement.example));
  }
  return wrong;
}

/// What a frame becomes; empty: it stays as it is.
std::vector<StackFrame> Symbolizer::State::found(const CrashReport& report, const StackFrame& frame,
                                                 bool other_build, std::vector<std::string>& notes) {
  const bool return_address = !files.rules().is_pc(report, frame);
  if (const auto address = bare_address(frame); address && frame.module.empty()) {
    if (!report.kaslr_offset && files.rules().moved_by_kaslr(address)) return {};
    return crash::expand(files.kernel(), source,
                         address - static_cast<std::uint64_t>(report.kaslr_offset.value_or(0)),
                         return_address);
  }
  if (!has_symbol(frame)) return {};
  SymbolPlace place;
  auto frames = at_symbol(frame, return_address, &place);
  // Another build's line would mislead.
  if (place.fit != Fit::exact && other_build) return {};
  if (place.fit == Fit::exact && place.ambiguous)
    add_note(notes, fmt::format("{} has several functions of this name and size; the first is shown",
                                frame.function));
  return frames;
}

void Symbolizer::State::symbolize(CrashReport& report) {
  files.refresh();
  check_kernel(report);
  explain(report);
  const auto wrong = check_functions(report);
  for (auto& trace : report.traces) {
    std::vector<StackFrame> out;
    for (auto& frame : trace.frames) {
      std::vector<StackFrame> frames;
      if (is_done(frame)) {
        if (frame.source.empty()) frame.source = source.line(frame.file, frame.line);
        report.symbolized |= frame.line > 0;
      } else {
        const bool other_build = std::find(wrong.begin(), wrong.end(), frame.module) != wrong.end();
        frames = found(report, frame, other_build, report.notes);
      }
      if (frames.empty()) {
        out.push_back(std::move(frame));
        continue;
      }
      for (auto& f : frames) {
        f.address = frame.address;
        f.reliable = frame.reliable;
        report.symbolized |= f.line > 0;
      }
      out.insert(out.end(), std::make_move_iterator(frames.begin()), std::make_move_iterator(frames.end()));
    }
    trace.frames = std::move(out);
  }
  if (!files.kernel().has_dwarf())
    add_note(report.notes, fmt::format("{} has no debug information", files.kernel().file().path().string()));
  for (auto& text : notes()) add_note(report.notes, std::move(text));
}

}  // namespace kdev
