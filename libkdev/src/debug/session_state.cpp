// A debug session's beginning and end, and the modules' symbols.
#include "debug/session_state.hpp"

#include <algorithm>

#include "common/elf_file.hpp"

namespace kdev {
namespace {

constexpr Seconds close_limit{10};

/// The file's section names, by their places in its table.
std::map<std::size_t, std::string> section_names(const Path& file) {
  const ElfFile elf(file, "read the sections of a module");
  std::map<std::size_t, std::string> names;
  std::size_t strings = 0;
  if (elf_getshdrstrndx(elf.handle(), &strings) != 0) return names;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.handle(), section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    if (const char* name = elf_strptr(elf.handle(), strings, header.sh_name))
      names[elf_ndxscn(section)] = name;
  }
  return names;
}

/// A word of gdb's command line.
std::string word(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
  return quoted + '"';
}

}  // namespace

using debug::soon;

void DebugSession::State::connect(const Deadline& deadline) {
  const debug::Target& t = *target;
  gdb = std::make_unique<debug::Gdb>(t.options);
  for (const char* setting :
       {"confirm off", "pagination off", "width 0", "height 0", "remotetimeout 10", "print symbol on"})
    command(std::string("-gdb-set ") + setting, deadline);
  command("-gdb-set mi-async on", deadline);
  if (t.gdb)
    for (const std::string& line : t.gdb->setup()) gdb->console(line, deadline);
  command("-file-exec-and-symbols " + debug::mi_quote(t.symbols.string()), deadline);
  const auto features = command("-list-features", deadline);
  if (const auto* list = features.results.if_contains("features"); list && list->is_array())
    for (const auto& feature : list->as_array())
      python = python || (feature.is_string() && feature.as_string() == "python");
  if (t.gdb && python) {
    const Path script = t.options.cwd / "kdev-gdb.py";
    local_host()->write_file(script, t.gdb->script());
    gdb->console("source ./" + script.filename().string(), deadline);
  }
  command("-target-select remote " + t.stub, deadline);
  connected = true;
  take(gdb->wait_stop(deadline, "connect gdb to " + t.name));
  fresh = false;
  if (python) read_modules();
}

std::vector<std::string> DebugSession::State::read_modules() {
  std::vector<std::string> added;
  if (!target->gdb || !python) return added;
  const std::string said = gdb->console("kdev-modules", soon());
  for (std::string_view rest = said; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.starts_with('{')) continue;
    const json::object module = json::parse_object(line, "a module as gdb sees it");
    const std::string name = json::get_string(module, "name");
    const auto* places = module.if_contains("sections");
    const auto file = std::find_if(target->modules.begin(), target->modules.end(),
                                   [&](const Path& path) { return path.filename() == name; });
    if (file == target->modules.end() || !places || !places->is_array() || modules.contains(name)) continue;
    const auto names = section_names(*file);
    std::string sections;
    for (const auto& place : places->as_array()) {
      const json::array& pair = place.as_array();
      const auto found = names.find(pair.at(0).to_number<std::size_t>());
      if (found != names.end())
        sections += fmt::format(" -s {} {:#x}", word(found->second), pair.at(1).to_number<std::uint64_t>());
    }
    const Path symbols = target->names ? target->names->symbol_file(*file) : *file;
    gdb->console("add-symbol-file " + word(symbols.string()) + sections, soon());
    modules.insert(name);
    added.push_back(name);
  }
  return added;
}

void DebugSession::State::leave() noexcept {
  try {
    const Deadline deadline = Deadline::after(close_limit);
    // A running kernel without breakpoints does not notice that gdb goes.
    if (!stop && breakpoints.empty()) return;
    if (!stop) halt(deadline);
    gdb->command("-break-delete", deadline);
    breakpoints.clear();
    abandoned = target->crashed && target->crashed();
    gdb->command(abandoned ? "-target-disconnect" : "-target-detach", deadline);
  } catch (const std::exception&) {
    // gdb or the stub answers no more. A kernel that it had stopped is to be left by other means; then it has
    // no breakpoints in it, as gdb puts them in only when it lets a kernel run.
    abandoned = stop.has_value();
  }
}

void DebugSession::State::end() noexcept {
  if (!target) return;
  if (gdb) {
    if (connected) leave();
    gdb->end();
    gdb.reset();
  }
  connected = false;
  stop.reset();
  const auto done = std::move(target);
  try {
    if (abandoned && done->abandoned) done->abandoned();
  } catch (const std::exception&) {
    // It stays in its stub.
  }
  if (done->closed) done->closed();
}

}  // namespace kdev
