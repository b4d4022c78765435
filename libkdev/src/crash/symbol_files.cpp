#include "crash/symbol_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "crash/index_cache.hpp"
#include "crash/symbol_place.hpp"
#include "guest/guest.hpp"

namespace kdev::crash {
namespace {

namespace fs = boost::filesystem;

const std::string read_kernel = "read the kernel's symbols";
const std::string read_module = "read a module's symbols";

}  // namespace

SymbolFiles::SymbolFiles(SymbolSources sources)
    : sources_(std::move(sources)),
      rules_(guest::guest_for(sources_.kernel ? sources_.kernel->os : sources_.os).symbols()),
      index_folder_(sources_.index.empty() ? default_index_folder() : sources_.index),
      debuginfod_(sources_.debuginfod),
      kernel_(open_kernel()) {
  if (!kernel_->has_symbols())
    throw FormatError({.attempted = read_kernel,
                       .reason = fmt::format("{} has no symbols", kernel_->file().path().string()),
                       .hint = fmt::format("use the {} that was not stripped", rules_.kernel_file()),
                       .log = {}});
}

std::unique_ptr<DebugInfo> SymbolFiles::open_kernel() {
  const Path file = sources_.vmlinux.empty() && sources_.kernel ? sources_.kernel->vmlinux : sources_.vmlinux;
  if (file.empty() && !sources_.build_id.empty()) {
    if (auto info = fetched(sources_.build_id, read_kernel)) return info;
    throw FormatError({.attempted = read_kernel,
                       .reason = debuginfod_.notes().empty() ? "no debuginfod server is configured"
                                                             : debuginfod_.notes().front(),
                       .hint = fmt::format("set DEBUGINFOD_URLS, or give the {}", rules_.kernel_file()),
                       .log = {}});
  }
  auto info = std::make_unique<DebugInfo>(file, read_kernel, Sections(), index_folder_);
  if (info->has_dwarf()) return info;
  auto better = fetched(info->file().build_id(), read_kernel);
  if (!better) return info;
  stripped_ = std::move(info);
  return better;
}

/// Null: there is none to be had.
std::unique_ptr<DebugInfo> SymbolFiles::fetched(const std::string& build_id, const std::string& attempted) {
  if (build_id.empty() || !debuginfod_.configured()) return nullptr;
  const Path file = debuginfod_.debug_info(build_id);
  if (file.empty()) return nullptr;
  try {
    auto info = std::make_unique<DebugInfo>(file, attempted, Sections(), index_folder_);
    if (info->file().build_id() == build_id && info->has_dwarf()) return info;
  } catch (const Error&) {
    // Whatever a server calls the debug information, it is none.
  }
  return nullptr;
}

const ElfFile* SymbolFiles::linked_kernel() const {
  if (stripped_) return &stripped_->file();
  return sources_.vmlinux.empty() && !sources_.kernel ? nullptr : &kernel_->file();
}

std::string SymbolFiles::kernel_name() const {
  const ElfFile* linked = linked_kernel();
  return linked ? linked->path().filename().string() : "the debug information that debuginfod has";
}

Path SymbolFiles::source() const {
  return sources_.source.empty() && sources_.kernel ? sources_.kernel->source : sources_.source;
}

void SymbolFiles::list_modules() {
  if (listed_) return;
  listed_ = true;
  module_files_.clear();
  for (const auto& path : sources_.modules) module_files_.emplace(rules_.module_of(path), path);
  if (!sources_.kernel || sources_.kernel->modules.empty()) return;
  boost::system::error_code ec;
  for (fs::recursive_directory_iterator it(sources_.kernel->modules, ec), end; !ec && it != end;
       it.increment(ec))
    if (rules_.is_module(it->path())) module_files_.emplace(rules_.module_of(it->path()), it->path());
}

Path SymbolFiles::file_of(const std::string& name) {
  if (const auto known = module_files_.find(name); known != module_files_.end()) return known->second;
  list_modules();
  const auto found = module_files_.find(name);
  return found == module_files_.end() ? Path() : found->second;
}

void SymbolFiles::expect(const std::vector<std::pair<std::string, std::string>>& build_ids) {
  for (const auto& [name, id] : build_ids) build_ids_[rules_.module_name(name)] = id;
}

const DebugInfo* SymbolFiles::module(const std::string& printed) {
  const std::string name = rules_.module_name(printed);
  const Path given = file_of(name);
  const Path file = given.empty() ? Path() : rules_.symbol_file(given);
  boost::system::error_code ec;
  const std::uintmax_t size = file.empty() ? 0 : fs::file_size(file, ec);
  const std::time_t changed = file.empty() || ec ? 0 : fs::last_write_time(file, ec);
  const auto expected = build_ids_.find(name);
  const std::string id = expected == build_ids_.end() ? std::string() : expected->second;
  auto [it, fresh] = modules_.try_emplace(name);
  Module& module = it->second;
  const bool same =
      module.file == file && module.size == size && module.changed == changed && module.id == id;
  // One that is gone (it is being built) is better than none.
  if (!fresh && (same || (ec && module.info))) return module.info.get();
  module = {.info = nullptr, .problem = {}, .id = id, .file = file, .size = size, .changed = changed};
  open_module(module);
  return module.info.get();
}

void SymbolFiles::open_module(Module& module) {
  std::string id = module.id;
  if (!module.file.empty()) {
    try {
      module.info = std::make_unique<DebugInfo>(module.file, read_module, Sections(), index_folder_);
      if (module.info->has_dwarf()) return;
      if (id.empty()) id = module.info->file().build_id();
    } catch (const Error& error) {
      module.problem = error.reason();
    }
  }
  if (auto better = fetched(id, read_module)) module.info = std::move(better);
}

std::string SymbolFiles::module_problem(const std::string& printed) const {
  const auto it = modules_.find(rules_.module_name(printed));
  return it == modules_.end() ? std::string() : it->second.problem;
}

std::string SymbolFiles::module_with(std::string_view symbol, std::uint64_t size, std::uint64_t offset) {
  if (!kernel_->named(symbol).empty()) return {};
  list_modules();
  const auto given = [this](const std::string& name) {
    return std::any_of(sources_.modules.begin(), sources_.modules.end(),
                       [&](const Path& p) { return rules_.module_of(p) == name; });
  };
  std::vector<std::string> names;
  for (const auto& [name, file] : module_files_) names.push_back(name);
  std::stable_partition(names.begin(), names.end(), given);
  for (const auto& name : names) {
    const DebugInfo* info = module(name);
    if (info && place_of(*info, symbol, size, offset).fit == Fit::exact) return name;
  }
  return {};
}

std::vector<Path> SymbolFiles::without_index() const {
  std::vector<Path> files;
  if (!kernel_->indexed()) files.push_back(kernel_->file().path());
  for (const auto& [name, module] : modules_)
    if (module.info && !module.info->indexed()) files.push_back(module.info->file().path());
  return files;
}

void SymbolFiles::use_indexes() {
  kernel_->use_index();
  for (auto& [name, module] : modules_)
    if (module.info) module.info->use_index();
}

}  // namespace kdev::crash
