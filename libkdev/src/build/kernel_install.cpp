// Workspace::install_kernel(): a stored kernel laid out as in a guest's root.
#include <fmt/format.h>

#include <kdev/error.hpp>
#include <kdev/workspace.hpp>

#include "guest/build_rules.hpp"
#include "guest/guest.hpp"
#include "workspace/layout.hpp"

namespace kdev {

InstalledKernel Workspace::install_kernel(const KernelArtifact& kernel, const Path& dest,
                                          const std::string& name) const {
  // It becomes part of file names, and a word of boot loaders.
  if (name == "." || name == ".." || name.find_first_of("/ \t\n\"'") != name.npos)
    throw ConfigError({.attempted = "install kernel " + kernel.release,
                       .reason = fmt::format("\"{}\" cannot be the name of an installed kernel", name),
                       .hint = "",
                       .log = {}});
  const guest::BuildRules* rules = guest::guest_for(kernel.os).build();
  if (!rules)
    throw ConfigError({.attempted = "install kernel " + kernel.release,
                       .reason = fmt::format("kernels of {} are not installed yet", os_title(kernel.os)),
                       .hint = "",
                       .log = {}});
  return rules->install_kernel(host(), kernel, dest.empty() ? sysroot() : expand_user(host(), dest), name);
}

}  // namespace kdev
