#include <fmt/format.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <kdev/crash.hpp>
#include <kdev/error.hpp>
#include <map>
#include <mutex>

#include "crash/annotate.hpp"
#include "crash/debug_info.hpp"
#include "crash/expand.hpp"
#include "crash/fault.hpp"
#include "crash/index_cache.hpp"
#include "crash/source_text.hpp"
#include "guest/console_rules.hpp"
#include "guest/guest.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev {
namespace {

using crash::DebugInfo;

/// How a frame's function fits the symbols of the file it is looked up in.
enum class Fit { exact, only_name, unknown };

struct Place {
  const ElfSymbol* symbol = nullptr;
  Fit fit = Fit::unknown;
  bool ambiguous = false;
};

/// The symbol that a printed name and size mean. kallsyms prints the distance to the next symbol as size,
/// other tools st_size: both are taken.
/// `address`: what the report prints beside it, which settles everything where the kernel was not moved; 0:
/// nothing.
Place place_of(const DebugInfo& info, std::string_view name, std::uint64_t size, std::uint64_t offset,
               std::uint64_t address = 0) {
  Place place;
  const auto candidates = info.named(name);
  for (const auto* s : candidates)
    if (address && s->address + offset == address) return {s, Fit::exact, false};
  for (const auto* s : candidates) {
    if (size == 0 || (s->size != size && s->extent != size)) continue;
    if (place.symbol)
      place.ambiguous = true;
    else
      place = {s, Fit::exact, false};
  }
  if (place.symbol || candidates.empty()) return place;
  const auto distance = [size](const ElfSymbol* s) {
    return s->extent > size ? s->extent - size : size - s->extent;
  };
  place.symbol = size ? *std::min_element(candidates.begin(), candidates.end(),
                                          [&](auto* a, auto* b) { return distance(a) < distance(b); })
                      : candidates[0];
  place.ambiguous = candidates.size() > 1;
  // Without a printed size the name has to do; but the offset must lie in the function.
  const bool inside = offset <= std::max(place.symbol->extent, place.symbol->size);
  // The last function of a module's section is printed with all that is left of the page.
  const bool tail =
      info.file().relocatable() && size > place.symbol->size && size - place.symbol->size < 0x1000;
  place.fit = (size == 0 || tail) && inside ? Fit::exact : Fit::only_name;
  return place;
}

}  // namespace

struct Symbolizer::State {
  SymbolSources sources;
  mutable std::mutex mutex;
  const guest::SymbolRules& rules;
  Path index_folder;
  DebugInfo kernel;
  mutable crash::SourceText source;
  mutable std::map<std::string, Path> module_files;                   // by name
  mutable std::map<std::string, std::unique_ptr<DebugInfo>> modules;  // by name; null: could not be opened
  mutable std::map<std::string, std::string> module_errors;
  mutable bool modules_listed = false;
  mutable std::optional<std::string> release;

  explicit State(SymbolSources s)
      : sources(std::move(s)),
        rules(rules_of(sources)),
        index_folder(sources.index.empty() ? crash::default_index_folder() : sources.index),
        kernel(kernel_path(sources), "read the kernel's symbols", {}, index_folder),
        source(source_path(sources), kernel.tree(rules.known_source())) {
    if (!kernel.has_symbols())
      throw FormatError({.attempted = "read the kernel's symbols",
                         .reason = fmt::format("{} has no symbols", kernel.file().path().string()),
                         .hint = fmt::format("use the {} that was not stripped", rules.kernel_file()),
                         .log = {}});
  }

  static const guest::SymbolRules& rules_of(const SymbolSources& s) {
    return guest::guest_for(s.kernel ? s.kernel->os : s.os).symbols();
  }
  static Path kernel_path(const SymbolSources& s) {
    return s.vmlinux.empty() && s.kernel ? s.kernel->vmlinux : s.vmlinux;
  }
  static Path source_path(const SymbolSources& s) {
    return s.source.empty() && s.kernel ? s.kernel->source : s.source;
  }

  void list_modules() const {
    if (modules_listed) return;
    modules_listed = true;
    for (const auto& path : sources.modules) module_files.emplace(rules.module_of(path), path);
    if (!sources.kernel || sources.kernel->modules.empty()) return;
    boost::system::error_code ec;
    for (boost::filesystem::recursive_directory_iterator it(sources.kernel->modules, ec), end;
         !ec && it != end; it.increment(ec))
      if (rules.is_module(it->path())) module_files.emplace(rules.module_of(it->path()), it->path());
  }

  /// Null when there is no file for it, or it cannot be read.
  const DebugInfo* module(const std::string& printed) const {
    list_modules();
    const std::string name = rules.module_name(printed);
    const auto file = module_files.find(name);
    if (file == module_files.end()) return nullptr;
    auto [it, fresh] = modules.try_emplace(name);
    if (fresh) {
      try {
        it->second = std::make_unique<DebugInfo>(rules.symbol_file(file->second), "read a module's symbols");
      } catch (const Error& error) {
        module_errors[name] = error.reason();
      }
    }
    return it->second.get();
  }

  std::vector<StackFrame> expand(const DebugInfo& info, std::uint64_t address, bool return_address,
                                 bool source_text = true) const {
    return crash::expand(info, source, address, return_address, source_text);
  }

  std::vector<StackFrame> at_symbol(std::string_view symbol, std::uint64_t offset, std::uint64_t size,
                                    std::string_view module_printed, bool return_address, Place* out,
                                    std::uint64_t address = 0) const {
    const DebugInfo* info = module_printed.empty() ? &kernel : module(std::string(module_printed));
    if (!info) return {};
    Place place = place_of(*info, symbol, size, offset, module_printed.empty() ? address : 0);
    std::string found_in(module_printed);
    if (!place.symbol && module_printed.empty() && !rules.names_modules()) {
      found_in = module_with(symbol, size, offset);
      if (!found_in.empty()) {
        info = module(found_in);
        place = place_of(*info, symbol, size, offset);
      }
    }
    if (out) *out = place;
    if (!place.symbol) return {};
    // At offset 0 there is no call before it in this function.
    auto frames = expand(*info, place.symbol->address + offset, return_address && offset > 0);
    if (frames.empty()) return frames;
    frames.back().function = symbol;
    frames.back().offset = offset;
    if (size) frames.back().size = size;
    for (auto& frame : frames) frame.module = found_in;
    return frames;
  }

  /// The module with such a function, where reports do not say; empty: none. One that was given comes before
  /// those of the kernel's tree, which may not even be loaded.
  std::string module_with(std::string_view symbol, std::uint64_t size, std::uint64_t offset) const {
    if (!kernel.named(symbol).empty()) return {};
    list_modules();
    for (const bool given : {true, false})
      for (const auto& [name, file] : module_files) {
        const bool is_given =
            std::any_of(sources.modules.begin(), sources.modules.end(),
                        [&name = name, this](const Path& p) { return rules.module_of(p) == name; });
        if (is_given != given) continue;
        const DebugInfo* info = module(name);
        if (info && place_of(*info, symbol, size, offset).fit == Fit::exact) return name;
      }
    return {};
  }

  void check_kernel(CrashReport& report) const;
  crash::FaultPlace fault_place(const CrashReport& report) const;
  void explain(CrashReport& report) const;
};

Symbolizer::Symbolizer(SymbolSources sources) : state_(new State(std::move(sources))) {}
Symbolizer::Symbolizer(Symbolizer&&) noexcept = default;
Symbolizer::~Symbolizer() = default;

std::vector<StackFrame> Symbolizer::at_symbol(std::string_view symbol, std::uint64_t offset,
                                              std::uint64_t size, std::string_view module,
                                              bool return_address) const {
  const std::lock_guard lock(state_->mutex);
  return state_->at_symbol(symbol, offset, size, module, return_address, nullptr);
}

std::vector<StackFrame> Symbolizer::at_address(std::uint64_t address, std::int64_t kaslr_offset,
                                               bool return_address) const {
  return at_addresses({address}, kaslr_offset, return_address).front();
}

std::vector<std::vector<StackFrame>> Symbolizer::at_addresses(const std::vector<std::uint64_t>& addresses,
                                                              std::int64_t kaslr_offset, bool return_address,
                                                              bool source_text) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::vector<StackFrame>> found;
  found.reserve(addresses.size());
  for (const std::uint64_t address : addresses) {
    found.push_back(state_->expand(state_->kernel, address - static_cast<std::uint64_t>(kaslr_offset),
                                   return_address, source_text));
    for (auto& frame : found.back()) frame.address = address;
  }
  return found;
}

Path Symbolizer::build_index() const {
  Path file, folder;
  {
    const std::lock_guard lock(state_->mutex);
    file = state_->kernel.file().path();
    folder = state_->index_folder;
  }
  // Read anew, beside this one: others need not wait for it.
  const Path written = DebugInfo(file, "make an index of the kernel's symbols").write_index(folder);
  const std::lock_guard lock(state_->mutex);
  if (!written.empty()) state_->kernel.use_index();
  return written;
}

bool Symbolizer::indexed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->kernel.indexed();
}

std::string Symbolizer::decode(std::string_view text, bool source_text) const {
  const std::lock_guard lock(state_->mutex);
  const State& state = *state_;
  return crash::annotate(text, state.rules, source_text, [&](const StackFrame& printed, bool return_address) {
    Place place;
    auto frames = state.at_symbol(printed.function, printed.offset, printed.size, printed.module,
                                  return_address, &place, printed.address);
    // Another build's line would mislead.
    if (place.fit != Fit::exact) frames.clear();
    return frames;
  });
}

std::string Symbolizer::build_id() const {
  const std::lock_guard lock(state_->mutex);
  return state_->kernel.file().build_id();
}

namespace {

void note(CrashReport& report, std::string text) {
  if (std::find(report.notes.begin(), report.notes.end(), text) == report.notes.end())
    report.notes.push_back(std::move(text));
}

/// The address of a frame that was printed without a symbol, or 0.
std::uint64_t bare_address(const StackFrame& frame) {
  if (frame.function.starts_with("0x")) return std::strtoull(frame.function.c_str(), nullptr, 16);
  return frame.function.empty() ? frame.address : 0;
}

}  // namespace

void Symbolizer::State::check_kernel(CrashReport& report) const {
  const std::string file = kernel.file().path().filename().string();
  const std::string ours = kernel.file().build_id();
  const guest::PrintedBuildIds printed = rules.build_ids(report.text);
  if (!printed.kernel.empty() && !ours.empty() && printed.kernel != ours)
    note(report,
         fmt::format("the report is of the kernel with build id {}, {} has {}", printed.kernel, file, ours));
  if (sources.kernel && !sources.kernel->build_id.empty() && sources.kernel->build_id != ours)
    note(report, fmt::format("{} has build id {}, the kernel it was given for {}", file,
                             ours.empty() ? "none" : ours, sources.kernel->build_id));
  if (!release) release = rules.release(kernel.file());
  if (!release->empty() && !report.release.empty() && !rules.same_release(report.release, *release))
    note(report, fmt::format("the report is of kernel {}, {} of {}", report.release, file, *release));
  for (const auto& [name, id] : printed.modules) {
    const auto* info = module(name);
    const std::string have = info ? info->file().build_id() : std::string();
    if (!have.empty() && have != id)
      note(report, fmt::format("module {} has build id {}, its file {}", name, id, have));
  }
}

namespace {

/// How many of a file's functions are as the report prints them. A few may differ in a right file (kallsyms
/// leaves some symbols out); most in a wrong one.
struct Agreement {
  int asked = 0, misfits = 0;
  std::string example;
  bool wrong() const { return misfits * 2 > asked; }
};

bool has_symbol(const StackFrame& frame) {
  return frame.offset || frame.size;
}
bool is_done(const StackFrame& frame) {
  return frame.inlined || frame.line > 0;
}  // here or by another program

}  // namespace

/// The frame of the instruction that faulted; of a jump to what is no code, of the call before it.
crash::FaultPlace Symbolizer::State::fault_place(const CrashReport& report) const {
  const auto& frames = report.frames();
  std::size_t at = 0;
  while (at < frames.size() && !rules.is_pc(report, frames[at])) ++at;
  const bool called = report.fault->access == "execute";
  if (called) at = at == frames.size() ? 0 : at + 1;
  while (called && at < frames.size() && (!frames[at].reliable || frames[at].function.empty())) ++at;
  crash::FaultPlace place;
  if (at >= frames.size()) return place;
  const auto& frame = frames[at];
  if (const auto address = bare_address(frame); address && frame.module.empty()) {
    if (!report.kaslr_offset && rules.moved_by_kaslr(address)) return place;
    place.info = &kernel;
    place.pc = address - static_cast<std::uint64_t>(report.kaslr_offset.value_or(0));
  } else {
    std::string in = frame.module;
    if (in.empty() && !rules.names_modules()) in = module_with(frame.function, frame.size, frame.offset);
    const auto* info = in.empty() ? &kernel : module(in);
    const auto found = info ? place_of(*info, frame.function, frame.size, frame.offset) : Place{};
    if (found.fit != Fit::exact || found.ambiguous) return place;
    place.info = info;
    place.pc = found.symbol->address + frame.offset;
  }
  place.return_address = called;
  const auto lines = expand(*place.info, place.pc, called);
  if (!lines.empty()) place.source = lines[0].source;
  place.code = [info = place.info](std::uint64_t address, std::size_t size) {
    return info->code(address, size);
  };
  return place;
}

void Symbolizer::State::explain(CrashReport& report) const {
  const auto* console = guest::guest_for(sources.kernel ? sources.kernel->os : sources.os).console();
  if (!report.fault || !console) return;
  if (const auto place = fault_place(report); place.info)
    crash::explain_fault(*report.fault, place, crash::numeric_registers(report), console->faults());
}

void Symbolizer::symbolize(CrashReport& report) const {
  const std::lock_guard lock(state_->mutex);
  const State& state = *state_;
  state.check_kernel(report);
  state.explain(report);
  std::map<std::string, Agreement> files;  // by module
  for (const auto& trace : report.traces)
    for (const auto& frame : trace.frames) {
      if (is_done(frame) || bare_address(frame) || !has_symbol(frame)) continue;
      const DebugInfo* info = frame.module.empty() ? &state.kernel : state.module(frame.module);
      if (!info) {
        const auto error = state.module_errors.find(state.rules.module_name(frame.module));
        note(report, error == state.module_errors.end()
                         ? fmt::format("no file with symbols for module {}", frame.module)
                         : fmt::format("module {}: {}", frame.module, error->second));
        continue;
      }
      auto& file = files[frame.module];
      ++file.asked;
      if (place_of(*info, frame.function, frame.size, frame.offset, frame.module.empty() ? frame.address : 0)
              .fit == Fit::exact)
        continue;
      if (frame.module.empty() && !state.rules.names_modules() &&
          !state.module_with(frame.function, frame.size, frame.offset).empty())
        continue;
      ++file.misfits;
      if (file.example.empty()) file.example = frame.function;
    }
  for (const auto& [module, file] : files)
    if (file.wrong())
      note(report,
           fmt::format(
               "{} of {} functions of {} are missing in its file or differ in size ({}): it is not the "
               "file of the kernel that crashed",
               file.misfits, file.asked,
               module.empty() ? state.kernel.file().path().filename().string() : module, file.example));

  for (auto& trace : report.traces) {
    std::vector<StackFrame> out;
    for (auto& frame : trace.frames) {
      std::vector<StackFrame> found;
      if (is_done(frame)) {
        if (frame.source.empty()) frame.source = state.source.line(frame.file, frame.line);
        report.symbolized |= frame.line > 0;
      } else if (const auto address = bare_address(frame); address && frame.module.empty()) {
        if (report.kaslr_offset || !state.rules.moved_by_kaslr(address))
          found = state.expand(state.kernel,
                               address - static_cast<std::uint64_t>(report.kaslr_offset.value_or(0)),
                               !state.rules.is_pc(report, frame));
      } else if (has_symbol(frame)) {
        Place place;
        found = state.at_symbol(frame.function, frame.offset, frame.size, frame.module,
                                !state.rules.is_pc(report, frame), &place, frame.address);
        // Another build's line would mislead.
        if (place.fit != Fit::exact && files[frame.module].wrong()) found.clear();
        if (place.fit == Fit::exact && place.ambiguous)
          note(report, fmt::format("{} has several functions of this name and size; the first is shown",
                                   frame.function));
      }
      if (found.empty()) {
        out.push_back(std::move(frame));
        continue;
      }
      for (auto& f : found) {
        f.address = frame.address;
        f.reliable = frame.reliable;
        report.symbolized |= f.line > 0;
      }
      out.insert(out.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    trace.frames = std::move(out);
  }
  if (!state.kernel.has_dwarf())
    note(report, fmt::format("{} has no debug information", state.kernel.file().path().string()));
}

}  // namespace kdev
