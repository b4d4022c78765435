// gdb on a dump: written anew as what gdb reads.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "debug/target.hpp"

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

}  // namespace

DebugSession DebugSession::core(const Core& core, const Deadline& deadline) {
  const std::string attempted = "debug a dump";
  if (core.kernel_file().empty())
    throw ConfigError({.attempted = attempted,
                       .reason = "it was opened without its kernel",
                       .hint = "name the file that has the kernel's debug information (vmlinux, kernel.full)",
                       .log = {}});
  auto target = debug::make_target(core.os());
  const WrittenDump written = core.write_elf(target->options.cwd / core_name, {}, deadline);
  target->name = "the dump (" + core.format() + ")";
  target->symbols = core.kernel_file();
  target->source = core.source_tree();
  target->core = commands_of(written.command);
  target->core_slide = core.slide();
  return DebugSession(std::move(target), deadline);
}

DebugSession DebugSession::core(const Path& file, SymbolSources symbols, const Deadline& deadline) {
  return core(Core(file, std::move(symbols), deadline), deadline);
}

}  // namespace kdev
