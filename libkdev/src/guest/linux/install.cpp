#include "guest/linux/install.hpp"

#include <kdev/error.hpp>

#include "host/copy_tree.hpp"

namespace kdev::guest {

InstalledKernel linux_install_kernel(Host& host, const KernelArtifact& kernel, const Path& dest,
                                     const std::string& asked) {
  if (kernel.bzimage.empty())
    throw ConfigError({.attempted = "install kernel " + kernel.release,
                       .reason = "it was built without the compressed image that boot loaders take",
                       .hint = "build it with the targets bzImage, vmlinux and modules",
                       .log = {}});
  const std::string name = asked.empty() ? kernel.release : asked;
  InstalledKernel installed{
      .name = name, .kernel = dest / "boot" / ("vmlinuz-" + name), .modules = {}, .debug = {}, .metalog = {}};
  const auto put = [&](const Path& file, const Path& to) {
    if (file.empty()) return;
    host.make_directories(to.parent_path());
    host.remove_all(to);
    host.copy_file(file, to);
  };
  put(kernel.system_map, dest / "boot" / ("System.map-" + name));
  put(kernel.config, dest / "boot" / ("config-" + name));
  installed.debug = dest / "usr/lib/debug/boot";
  put(kernel.vmlinux, installed.debug / ("vmlinux-" + name));
  if (!kernel.modules.empty()) {
    // Modules are found by uname -r. /lib may be a link, to a folder of another root when it is absolute.
    const bool merged = host.link_status(dest / "lib").type == FileStatus::Type::link;
    installed.modules = dest / (merged ? "usr/lib/modules" : "lib/modules") / kernel.release;
    replace_tree(host, kernel.modules / "lib/modules" / kernel.release, installed.modules);
  }
  put(kernel.bzimage, installed.kernel);  // last: what boots has its modules
  return installed;
}

}  // namespace kdev::guest
