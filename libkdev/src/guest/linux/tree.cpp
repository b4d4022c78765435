#include <fmt/format.h>

#include <kdev/error.hpp>
#include <map>
#include <sstream>

#include "guest/linux/build_make.hpp"
#include "guest/linux/kconfig.hpp"
#include "guest/linux/linux.hpp"
#include "guest/tree_files.hpp"

namespace kdev::guest {
namespace {

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin + 1));
}

/// The first assignments of the top Makefile: VERSION = 6, PATCHLEVEL = 1, SUBLEVEL = 192, EXTRAVERSION =
/// -rc1.
std::map<std::string, std::string> version_variables(Host& host, const Path& makefile) {
  std::map<std::string, std::string> result;
  std::istringstream lines(head_of(host, makefile, 8192));
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = trimmed(std::string_view(line).substr(0, equals));
    for (const char* known : {"VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION"})
      if (name == known) result.emplace(name, trimmed(std::string_view(line).substr(equals + 1)));
  }
  return result;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// "6.1.192", "6.1.0-rc1"; "2.6.39" had all three, "6.1" with an empty SUBLEVEL is "6.1". Empty: not Linux's
/// Makefile.
std::string version_of(Host& host, const Path& tree) {
  auto v = version_variables(host, tree / "Makefile");
  if (!is_number(v["VERSION"]) || !is_number(v["PATCHLEVEL"])) return "";
  std::string version = v["VERSION"] + "." + v["PATCHLEVEL"];
  if (is_number(v["SUBLEVEL"])) version += "." + v["SUBLEVEL"];
  return version + v["EXTRAVERSION"];
}

}  // namespace

TreeMarks LinuxGuest::marks(Host& host, const Path& path) const {
  TreeMarks marks = look_for(
      host, path, {"Kbuild", "Kconfig", "arch/", "include/linux/", "init/main.c", "scripts/", "kernel/"});
  (version_of(host, path).empty() ? marks.missing : marks.found)
      .push_back("Makefile with VERSION and PATCHLEVEL");
  return marks;
}

std::optional<SourceTree> detect_linux(Host& host, const Path& path) {
  const std::string version = version_of(host, path);
  if (version.empty() || !look_for(host, path, {"Kbuild", "Kconfig", "arch/", "init/main.c"}).missing.empty())
    return {};
  return SourceTree{.os = Os::linux, .path = resolved_tree(host, path), .version = version};
}

std::vector<Path> linux_in_place_leftovers(Host& host, const Path& tree) {
  std::vector<Path> result;
  for (const Path& name : {Path(".config"), Path("include/config"),
                           "arch" / Path(linux_srcarch(linux_arch({}))) / "include/generated"})
    if (host.exists(tree / name)) result.push_back(tree / name);
  return result;
}

void LinuxGuest::check_tree(Host& host, const SourceTree& tree) const {
  const std::vector<Path> leftovers = linux_in_place_leftovers(host, tree.path);
  if (leftovers.empty()) return;
  std::string names;
  for (const Path& p : leftovers)
    names += (names.empty() ? "" : ", ") + p.lexically_relative(tree.path).string();
  throw ConfigError(
      {.attempted = "build from " + tree.path.string(),
       .reason = fmt::format("the tree was configured or built in place ({}): it cannot be built out of tree",
                             names),
       .hint = fmt::format("save its .config if you need it, then: make -C {} mrproper", tree.path.string()),
       .log = {}});
}

}  // namespace kdev::guest
