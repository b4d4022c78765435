#include <fmt/format.h>

#include <kdev/crash.hpp>
#include <kdev/error.hpp>

#include "crash/annotate.hpp"
#include "crash/expand.hpp"
#include "crash/symbolizer_state.hpp"

namespace kdev {

using crash::DebugInfo;
using crash::Fit;
using crash::SymbolPlace;

Symbolizer::State::State(SymbolSources sources)
    : files(std::move(sources)), source(files.source(), files.kernel().tree(files.rules().known_source())) {
  if (files.debuginfod().configured())
    source.fetch_by([this](const std::string& build_id, const std::string& name) {
      return files.debuginfod().source(build_id, name);
    });
}

std::vector<StackFrame> Symbolizer::State::at_symbol(const StackFrame& printed, bool return_address,
                                                     SymbolPlace* out) {
  const bool of_kernel = printed.module.empty();
  const auto place_in = [&](const DebugInfo& info, std::uint64_t address) {
    return place_of(info, printed.function, printed.size, printed.offset, address);
  };
  const DebugInfo* info = of_kernel ? &files.kernel() : files.module(printed.module);
  if (!info) return {};
  SymbolPlace place = place_in(*info, of_kernel ? printed.address : 0);
  std::string found_in = printed.module;
  if (!place.symbol && of_kernel && !files.rules().names_modules()) {
    found_in = files.module_with(printed.function, printed.size, printed.offset);
    if (!found_in.empty()) {
      info = files.module(found_in);
      place = place_in(*info, 0);
    }
  }
  if (out) *out = place;
  if (!place.symbol) return {};
  // At offset 0 there is no call before it in this function.
  auto frames = crash::expand(*info, source, place.symbol->address + printed.offset,
                              return_address && printed.offset > 0);
  if (frames.empty()) return frames;
  frames.back().function = printed.function;
  frames.back().offset = printed.offset;
  if (printed.size) frames.back().size = printed.size;
  for (auto& frame : frames) frame.module = found_in;
  return frames;
}

std::vector<std::string> Symbolizer::State::notes() const {
  std::vector<std::string> notes = files.debuginfod().notes();
  if (!index_problem.empty()) notes.push_back(index_problem);
  return notes;
}

Symbolizer::Symbolizer(SymbolSources sources) : state_(new State(std::move(sources))) {}
Symbolizer::Symbolizer(Symbolizer&&) noexcept = default;
Symbolizer::~Symbolizer() = default;

std::vector<StackFrame> Symbolizer::at_symbol(std::string_view symbol, std::uint64_t offset,
                                              std::uint64_t size, std::string_view module,
                                              bool return_address) const {
  const std::lock_guard lock(state_->mutex);
  StackFrame printed;
  printed.function = symbol;
  printed.offset = offset;
  printed.size = size;
  printed.module = module;
  return state_->at_symbol(printed, return_address);
}

std::vector<StackFrame> Symbolizer::at_address(std::uint64_t address, std::int64_t kaslr_offset,
                                               bool return_address) const {
  return at_addresses({address}, kaslr_offset, return_address).front();
}

std::vector<std::vector<StackFrame>> Symbolizer::at_addresses(const std::vector<std::uint64_t>& addresses,
                                                              std::int64_t kaslr_offset, bool return_address,
                                                              bool source_text) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::uint64_t> linked(addresses);
  for (auto& address : linked) address -= static_cast<std::uint64_t>(kaslr_offset);
  auto found = crash::expand_all(state_->files.kernel(), state_->source, linked, return_address, source_text);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (auto& frame : found[i]) frame.address = addresses[i];
  return found;
}

void Symbolizer::symbolize(CrashReport& report) const {
  const std::lock_guard lock(state_->mutex);
  state_->symbolize(report);
}

Path Symbolizer::build_index() const {
  std::vector<Path> files;
  Path folder;
  {
    const std::lock_guard lock(state_->mutex);
    files = state_->files.without_index();
    folder = state_->files.index_folder();
  }
  std::string problem;
  for (const auto& file : files) {
    try {
      // Read anew, beside these: others need not wait for it.
      crash::write_index(ElfFile(file, "make an index of symbols"), folder);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      problem = fmt::format("there is no index of {}: {}: {}", file.filename().string(), error.attempted(),
                            error.reason());
    }
  }
  const std::lock_guard lock(state_->mutex);
  state_->index_problem = problem;
  state_->files.use_indexes();
  return state_->files.kernel().index_file();
}

bool Symbolizer::indexed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->files.kernel().indexed();
}

std::vector<std::string> Symbolizer::notes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->notes();
}

std::string Symbolizer::decode(std::string_view text, bool source_text) const {
  const std::lock_guard lock(state_->mutex);
  State& state = *state_;
  state.files.refresh();
  if (state.files.debuginfod().configured()) state.files.expect(state.files.rules().build_ids(text).modules);
  return crash::annotate(text, state.files.rules(), source_text,
                         [&](const StackFrame& printed, bool return_address) {
                           SymbolPlace place;
                           auto frames = state.at_symbol(printed, return_address, &place);
                           // Another build's line would mislead.
                           if (place.fit != Fit::exact) frames.clear();
                           return frames;
                         });
}

std::string Symbolizer::build_id() const {
  const std::lock_guard lock(state_->mutex);
  return state_->files.kernel().file().build_id();
}

}  // namespace kdev
