// The artifact holds what installkernel made of the build, under the name "kernel": installing it elsewhere
// takes no make, and no output tree.
#include "guest/freebsd/install.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>
#include <set>
#include <sstream>

#include "host/copy_tree.hpp"

namespace kdev::guest {
namespace {

constexpr const char* usual = "kernel";
constexpr const char* debug_folder = "usr/lib/debug";  // DEBUGDIR (share/mk/bsd.own.mk)

/// "boot/kernel/kernel" of "./boot/kernel/kernel type=file ...", and of ".//boot/kernel/kernel", as mtree(8)
/// writes it.
std::string name_in(const std::string& line) {
  const std::string word = line.substr(0, line.find(' '));
  std::string name;
  for (std::size_t i = word.starts_with("./"); i < word.size(); ++i)
    if (word[i] != '/' || (!name.empty() && name.back() != '/')) name += word[i];
  return name;
}

bool is_below(const std::string& name, const std::string& folder) {
  return name == folder || name.starts_with(folder + "/");
}

std::vector<std::string> lines_of(Host& host, const Path& file) {
  std::vector<std::string> lines;
  std::istringstream in(host.is_file(file) ? host.read_file(file) : "");
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

InstalledKernel freebsd_install_kernel(Host& host, const KernelArtifact& kernel, const Path& dest,
                                       const std::string& asked) {
  const std::string name = asked.empty() ? usual : asked;
  const Path from = kernel.modules / "boot" / usual, debug = kernel.modules / debug_folder / "boot" / usual;
  if (kernel.modules.empty() || !host.is_file(from / "kernel"))
    throw HostError({.attempted = "install kernel " + kernel.release,
                     .reason = "its artifact holds no installed kernel",
                     .hint = "build it again",
                     .log = {}});
  InstalledKernel installed{.name = name,
                            .kernel = dest / "boot" / name / "kernel",
                            .modules = dest / "boot" / name,
                            .metalog = dest / "METALOG"};
  replace_tree(host, from, installed.modules);
  const Path debug_to = dest / debug_folder / "boot" / name;
  host.remove_all(debug_to);
  if (host.is_directory(debug)) {
    replace_tree(host, debug, debug_to);
    installed.debug = debug_to;
  }

  // Lines about an earlier kernel of that name go; folders are stated once.
  const std::string own = "boot/" + name, own_debug = fmt::format("{}/boot/{}", debug_folder, name);
  std::string text;
  std::set<std::string> stated;
  for (const std::string& line : lines_of(host, installed.metalog)) {
    const std::string path = name_in(line);
    if (is_below(path, own) || is_below(path, own_debug)) continue;
    stated.insert(path);
    text += line + "\n";
  }
  const auto state_folder = [&](const std::string& path) {
    for (std::size_t end = 0; end != path.npos;) {
      end = path.find('/', end + 1);
      const std::string folder = path.substr(0, end);
      if (stated.insert(folder).second)
        text += fmt::format("./{} type=dir uname=root gname=wheel mode=0755\n", folder);
    }
  };
  state_folder(own);
  if (!installed.debug.empty()) state_folder(own_debug);
  for (const std::string& line : lines_of(host, kernel.modules / "METALOG")) {
    std::string path = name_in(line);
    for (const auto& [was, now] : {std::pair(std::string("boot/") + usual, own),
                                   std::pair(fmt::format("{}/boot/{}", debug_folder, usual), own_debug)})
      if (is_below(path, was)) {
        text += fmt::format("./{}{}{}\n", now, path.substr(was.size()), line.substr(line.find(' ')));
        break;
      }
  }
  host.write_file(installed.metalog, text);
  return installed;
}

}  // namespace kdev::guest
