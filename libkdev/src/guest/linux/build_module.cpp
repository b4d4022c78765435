#include "guest/linux/build_module.hpp"

#include <fmt/format.h>

#include <sstream>

#include "guest/linux/build_make.hpp"

namespace kdev::guest {

std::optional<Refusal> linux_no_module_in(Host& host, const Path& dir) {
  bool makefile = false, names_modules = false;
  for (const char* name : {"Kbuild", "Makefile"}) {
    const Path file = dir / name;
    if (!host.is_file(file)) continue;
    makefile = true;
    names_modules |= host.read_file(file).find("obj-m") != std::string::npos;
  }
  if (!makefile)
    return Refusal{"there is no Makefile or Kbuild file in it",
                   "write one with a line such as: obj-m := hello.o"};
  if (!names_modules) return Refusal{"its Makefile has no obj-m", "name the modules: obj-m := hello.o"};
  return std::nullopt;
}

bool linux_module_product(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const char* end : {".o", ".ko", ".mod", ".mod.c", ".cmd", ".order", ".symvers", ".o.d", ".a", ".dwo"})
    if (name.ends_with(end)) return true;
  return name == ".tmp_versions" || name == ".git" || name.ends_with('~') || name.ends_with(".swp");
}

Command linux_make_module(const MakeRequest& request, const Path& dir, const Path& original) {
  MakeRequest module = request;
  module.variables["M"] = dir.string();
  // Debug information and __FILE__ name the user's folder, not the copy.
  std::string& flags = module.variables["KCFLAGS"];
  flags +=
      fmt::format("{}-ffile-prefix-map={}={}", flags.empty() ? "" : " ", dir.string(), original.string());
  module.targets = {"modules"};
  return linux_make(module);
}

std::vector<Path> linux_made_modules(Host& host, const Path& dir) {
  std::vector<Path> made;
  const Path order = dir / "modules.order";  // a module comes after those that obj-m names before it
  std::istringstream lines(host.exists(order) ? host.read_file(order) : "");
  for (std::string line; std::getline(lines, line);) {
    Path path(line);
    path.replace_extension(".ko");  // since 6.2 it lists objects
    if (!path.is_absolute()) path = dir / path;
    if (host.exists(path)) made.push_back(path);
  }
  return made;
}

}  // namespace kdev::guest
