#include "crash/core/kernel_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "crash/index_cache.hpp"
#include "crash/register_variables.hpp"
#include "crash/symbol_place.hpp"

namespace kdev::crash {
namespace {

const std::string attempted = "read the kernel's symbols";

Path kernel_of(const SymbolSources& s) {
  return s.vmlinux.empty() && s.kernel ? s.kernel->vmlinux : s.vmlinux;
}
Path source_of(const SymbolSources& s) {
  return s.source.empty() && s.kernel ? s.kernel->source : s.source;
}

bool is_code(const ElfSymbol& s) {
  return s.function || s.type == 't' || s.type == 'T';
}

}  // namespace

KernelImage::KernelImage(const SymbolSources& sources, const guest::SymbolRules& rules)
    : sources_(sources),
      rules_(rules),
      kernel_(kernel_of(sources), attempted, {},
              sources.index.empty() ? default_index_folder() : sources.index),
      source_(source_of(sources), kernel_.tree(rules.known_source())),
      types_(kernel_.dwarf()),
      symbols_(kernel_.symbols()) {
  if (symbols_.empty())
    throw FormatError({.attempted = attempted,
                       .reason = fmt::format("{} has no symbols", kernel_.file().path().string()),
                       .hint = fmt::format("use the {} that was not stripped", rules.kernel_file()),
                       .log = {}});
  by_name_.reserve(symbols_.size());
  for (const auto& s : symbols_) by_name_.emplace(s.name, &s);
}

std::optional<guest::KernelSymbol> KernelImage::symbol(std::string_view name) const {
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return std::nullopt;
  return guest::KernelSymbol{it->second->address + slide_at(it->second->address), it->second->size};
}

std::optional<guest::KernelSymbol> KernelImage::static_variable(std::string_view function,
                                                                std::string_view name) const {
  const auto it = by_name_.find(function);
  if (it == by_name_.end()) return std::nullopt;
  const auto scopes = kernel_.scopes(it->second->address);
  if (scopes.entries.empty()) return std::nullopt;
  for (const auto& v : variables_in({scopes.entries[0]}))
    if (v.name == name)
      if (const auto address = static_address(v))
        return guest::KernelSymbol{*address + slide_at(*address), 0};
  return std::nullopt;
}

std::string KernelImage::variable_at(std::uint64_t address) const {
  const Place place = at(address);
  if (!place.info) return {};
  const auto* symbol = place.info->data_around(address - place.slide);
  if (!symbol) return {};
  const auto offset = address - place.slide - symbol->address;
  auto text = offset ? fmt::format("{}+{:#x}", symbol->name, offset) : std::string(symbol->name);
  return place.module.empty() ? text : fmt::format("{} [{}]", text, place.module);
}

std::uint64_t KernelImage::slide_at(std::uint64_t address) const {
  // Those of per-CPU variables are offsets.
  return slide_ && rules_.moved_by_kaslr(address) ? slide_ : 0;
}

bool KernelImage::has_symbols_in(std::uint64_t low, std::uint64_t size) const {
  low -= slide_at(low);
  const auto it = std::lower_bound(symbols_.begin(), symbols_.end(), low,
                                   [](const ElfSymbol& s, std::uint64_t a) { return s.address < a; });
  return it != symbols_.end() && it->address - low < size;
}

KernelImage::Place KernelImage::at(std::uint64_t address) const {
  for (const auto& m : modules_)
    if (address >= m.low && address < m.high) return {m.info.get(), m.name, m.slide};
  return {&kernel_, {}, slide_at(address)};
}

const ElfSymbol* KernelImage::code_at(std::uint64_t address) const {
  const Place place = at(address);
  if (!place.info) return nullptr;
  address -= place.slide;
  if (const auto* symbol = place.info->covering(address)) return symbol;
  if (place.info != &kernel_) return nullptr;
  auto it = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                             [](std::uint64_t a, const ElfSymbol& s) { return a < s.address; });
  for (int back = 0; it != symbols_.begin() && back < 16; ++back)
    if (--it; is_code(*it) && address - it->address < std::max(it->extent, it->size)) return &*it;
  return nullptr;
}

const ElfSymbol* KernelImage::symbol_at(std::uint64_t address) const {
  if (const auto* code = code_at(address)) return code;
  const Place place = at(address);
  if (place.info != &kernel_) return nullptr;
  address -= place.slide;
  auto it = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                             [](std::uint64_t a, const ElfSymbol& s) { return a < s.address; });
  for (int back = 0; it != symbols_.begin() && back < 16; ++back)
    if (--it; address - it->address < it->size) return &*it;
  return nullptr;
}

std::string KernelImage::name_of(std::uint64_t address) const {
  const ElfSymbol* found = symbol_at(address);
  if (!found || found->name.empty()) return {};
  const auto offset = address - at(address).slide - found->address;
  return offset ? fmt::format("{}+{}", found->name, offset) : std::string(found->name);
}

bool KernelImage::may_be_code(std::uint64_t address) const {
  const Place place = at(address);
  return (!place.info && !place.module.empty()) || code_at(address);
}

std::vector<StackFrame> KernelImage::expand(std::uint64_t address, bool return_address) const {
  const Place place = at(return_address ? address - 1 : address);
  std::vector<StackFrame> frames;
  if (place.info) frames = crash::expand(*place.info, source_, address - place.slide, return_address);
  if (frames.empty()) {
    frames.emplace_back();
    if (const auto* symbol = code_at(return_address ? address - 1 : address)) {
      frames[0].function = symbol->name;
      frames[0].offset = address - place.slide - symbol->address;
      frames[0].size = symbol->extent;
    }
  }
  for (auto& frame : frames) {
    frame.module = place.module;
    frame.address = address;
  }
  return frames;
}

std::vector<StackFrame> KernelImage::expand(const StackFrame& printed, bool return_address) const {
  std::uint64_t address = bare_address(printed);
  if (!address) {
    const DebugInfo* info = printed.module.empty() ? &kernel_ : nullptr;
    std::uint64_t slide = 0;
    for (const auto& m : modules_)
      if (!printed.module.empty() && m.name == rules_.module_of(printed.module)) {
        info = m.info.get();
        slide = m.slide;
      }
    if (!info || (!printed.offset && !printed.size)) return {};
    const auto place = place_of(*info, printed.function, printed.size, printed.offset, 0);
    if (place.fit != Fit::exact) return {};
    address = place.symbol->address + printed.offset;
    address += info == &kernel_ ? slide_at(address) : slide;
  }
  auto frames = expand(address, return_address);
  if (frames.back().function.empty()) return {};
  for (auto& frame : frames) frame.reliable = printed.reliable;
  return frames;
}

Path KernelImage::file_of(const std::string& name) {
  if (!listed_) {
    listed_ = true;
    for (const auto& path : sources_.modules) files_.emplace(rules_.module_of(path), path);
    boost::system::error_code ec;
    if (sources_.kernel && !sources_.kernel->modules.empty())
      for (boost::filesystem::recursive_directory_iterator it(sources_.kernel->modules, ec), end;
           !ec && it != end; it.increment(ec))
        if (rules_.is_module(it->path())) files_.emplace(rules_.module_of(it->path()), it->path());
  }
  const auto it = files_.find(name);
  return it == files_.end() ? Path() : it->second;
}

Path KernelImage::add_module(const guest::ModuleState& m, std::vector<std::string>& notes) {
  if (m.module.size > UINT64_MAX - m.module.address) return {};
  Loaded loaded{rules_.module_of(m.module.name), m.module.address, m.module.address + m.module.size, nullptr,
                0};
  const Path file = file_of(loaded.name);
  Path used;
  if (!file.empty()) {
    try {
      used = rules_.symbol_file(file);
      auto info = std::make_unique<DebugInfo>(used, "read a module's symbols", m.sections);
      if (const auto id = info->file().build_id(); !id.empty() && !m.build_id.empty() && id != m.build_id) {
        // Its lines would mislead.
        notes.push_back(
            fmt::format("{} is not the file of the module that was loaded: its build id is {}, that one's {}",
                        used.filename().string(), id, m.build_id));
        used.clear();
      } else {
        const auto base = m.sections.empty() ? info->file().shared_base() : std::nullopt;
        loaded.slide = base ? m.module.address - *base : 0;
        if (base || !m.sections.empty())
          loaded.info = std::move(info);
        else
          used.clear();
      }
    } catch (const Error& error) {
      notes.push_back(fmt::format("module {}: {}", loaded.name, error.reason()));
      used.clear();
    }
  }
  modules_.push_back(std::move(loaded));
  return used;
}

}  // namespace kdev::crash
