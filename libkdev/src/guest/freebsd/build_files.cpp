#include "guest/freebsd/build_files.hpp"

#include <string>

namespace kdev::guest {
namespace {

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool ends_with_any(std::string_view path, std::initializer_list<const char*> ends) {
  for (const char* end : ends)
    if (path.ends_with(end)) return true;
  return false;
}

}  // namespace

bool freebsd_ignored(std::string_view path) {
  const std::string_view file = base_name(path);
  for (const char* name : {".git", ".svn", ".hg", "__pycache__"})
    if (file == name) return true;
  if (file.ends_with('~') || file.starts_with(".#") || (file.starts_with('.') && file.ends_with(".swp")))
    return true;
  // Indexes of editors, in the top folder only.
  for (const char* index :
       {"tags", "TAGS", "cscope.out", "compile_commands.json", ".cache", ".vscode", ".clangd"})
    if (path == index) return true;
  return false;
}

bool freebsd_config_input(std::string_view path) {
  if (!path.starts_with("sys/") || path.find("/conf/") == path.npos) return false;
  return !ends_with_any(path, {".mk", ".sh", ".awk", ".c"});
}

bool freebsd_hidden_input(std::string_view path) {
  // Sources stand in the .depend files; what else lies there may be turned into one.
  if (!path.starts_with("sys/") || freebsd_config_input(path)) return false;
  return !ends_with_any(path, {".c", ".h", ".S", ".s", ".inc", ".md"});
}

bool freebsd_untracked_input(std::string_view path) {
  // Flags and rules: nothing that is made depends on these files.
  if (path.starts_with("share/mk/")) return true;
  if (!path.starts_with("sys/")) return false;
  return path.ends_with(".mk") || base_name(path).starts_with("Makefile");
}

bool freebsd_matters_to_modules(std::string_view path) {
  if (path.starts_with("share/mk/")) return true;
  return path.starts_with("sys/") && ends_with_any(path, {".h", ".m", ".mk", ".awk", ".sh"});
}

Path freebsd_recorded_output(const Path& file) {
  // share/mk/bsd.dep.mk: .depend.NAME.o, written by the compiler (-MD). In META_MODE make writes NAME.o.meta.
  const std::string name = file.filename().string();
  if (name.ends_with(".o.meta")) return file.parent_path() / file.stem();
  constexpr std::string_view start = ".depend.";
  if (!name.starts_with(start) || name.size() == start.size()) return {};
  return file.parent_path() / name.substr(start.size());
}

std::vector<Path> freebsd_half_written(Host& host, const std::vector<Path>& files) {
  // The compiler renames a whole object into place. One that the assembler or objcopy writes may be cut off:
  // those have no record.
  std::vector<Path> doubtful;
  for (const Path& file : files) {
    if (file.extension() != ".o") continue;
    const std::string name = file.filename().string();
    const bool recorded = host.exists(file.parent_path() / (".depend." + name)) ||
                          host.exists(file.parent_path() / (name + ".meta"));
    if (host.link_status(file).size == 0 || !recorded) doubtful.push_back(file);
  }
  return doubtful;
}

}  // namespace kdev::guest
