#pragma once
// The command line of the tree's make, anywhere: tools/build/make.py bootstraps bmake where there is none.
#include <kdev/host.hpp>
#include <string>
#include <vector>

#include "guest/build_rules.hpp"

namespace kdev::guest {

/// TARGET and TARGET_ARCH (build(7)).
struct FreebsdTarget {
  std::string machine = "amd64", machine_arch = "amd64";
};
FreebsdTarget freebsd_target(const Variables& variables);

/// Configuration files of the workspace at `root`, in place of /etc/src.conf, make.conf and src-env.conf.
struct FreebsdConfFiles {
  explicit FreebsdConfFiles(const Path& root);
  Path src, make, src_env;
};

/// OBJTOP (share/mk/src.sys.obj.mk) in the workspace at `root`.
Path freebsd_obj_top(const Path& root, const Path& source, const Variables& variables);

/// KERNCONF: what the kernel's output tree and configuration file are called.
std::string freebsd_kernconf(const Path& output_tree);
/// The folder of an output tree with that file.
constexpr const char* freebsd_kernconf_folder = "kernconf";

/// ConfigError, where the tree cannot be built on another system, or is not whole.
void require_freebsd_cross_build(Host& host, const Path& source);

/// Arguments are targets and variables. With the environment emptied: the tree's makefiles read it at many
/// places.
Command freebsd_make(Host& host, const MakeRequest& request, const std::vector<std::string>& arguments,
                     bool parallel = true);
/// bmake in a folder, in the environment of the cross build (the target "buildenv"), which `outer` is to
/// know of.
Command freebsd_make_in(Host& host, const MakeRequest& request, const Path& dir,
                        const std::vector<std::string>& arguments,
                        const std::vector<std::string>& outer = {});

}  // namespace kdev::guest
