// gdb on a dump: written anew as what gdb reads.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "debug/target.hpp"
#include "guest/guest.hpp"
#include "host/hostfs.hpp"
#include "host/temporary_folder.hpp"

namespace kdev {
namespace {

constexpr const char* core_name = "core";

/// The commands of a line "gdb -iex A [-c CORE | KERNEL CORE] -ex B ...", in the order in which gdb obeys
/// them.
std::vector<std::string> commands_of(const std::vector<std::string>& line) {
  std::vector<std::string> first, files, others;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == "-iex" && i + 1 < line.size())
      first.push_back(line[++i]);
    else if (line[i] == "-ex" && i + 1 < line.size())
      others.push_back(line[++i]);
    else if (line[i] != "-c")
      files.push_back(line[i]);
  }
  if (files.size() == 2) first.push_back(fmt::format("file \"{}\"", files[0]));
  // By its name in gdb's folder: gdb takes quotes here for a part of the name.
  first.push_back(fmt::format("core-file {}", core_name));
  first.insert(first.end(), others.begin(), others.end());
  return first;
}

std::uint64_t slide_of(const Core& core) {
  const std::string info = core.vmcoreinfo();
  const std::string key = "KERNELOFFSET=";
  const std::size_t at = info.find(key);
  return at == std::string::npos ? 0 : std::strtoull(info.c_str() + at + key.size(), nullptr, 16);
}

}  // namespace

DebugSession DebugSession::core(const Core& core, const Deadline& deadline) {
  const std::string attempted = "debug a dump";
  if (core.kernel_file().empty())
    throw ConfigError({.attempted = attempted,
                       .reason = "it was opened without its kernel",
                       .hint = "name the file that has the kernel's debug information (vmlinux, kernel.full)",
                       .log = {}});
  auto folder = std::make_shared<TemporaryFolder>(hostfs::temporary() / "kdev-debug");
  const WrittenDump written = core.write_elf(folder->path / core_name, {}, deadline);
  const guest::Guest& guest = guest::guest_for(core.os());
  auto target = std::make_unique<debug::Target>();
  target->name = "the dump (" + core.format() + ")";
  target->symbols = core.kernel_file();
  target->source = core.source_tree();
  target->gdb = guest.gdb();
  target->names = &guest.symbols();
  target->options = {.cwd = folder->path, .log = folder->path / "gdb.log", .lease = "", .on_start = {}};
  target->core = commands_of(written.command);
  target->core_slide = slide_of(core);
  target->keep = folder;
  return DebugSession(std::move(target), deadline);
}

DebugSession DebugSession::core(const Path& file, SymbolSources symbols, const Deadline& deadline) {
  return core(Core(file, std::move(symbols), deadline), deadline);
}

}  // namespace kdev
