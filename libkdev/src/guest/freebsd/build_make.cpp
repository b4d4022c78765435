#include "guest/freebsd/build_make.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

namespace kdev::guest {
namespace {

constexpr const char* path_of_build = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where clang and lld lie under their plain names (Debian: /usr/lib/llvm-14/bin).
Path cross_bindir(Host& host) {
  const auto clang = host.which("clang");
  if (!clang)
    throw HostError({.attempted = "find the cross compiler",
                     .reason = "clang is not there",
                     .hint = "apt-get install clang lld llvm",
                     .log = {}});
  return host.canonical(*clang).parent_path();
}

/// Whether the host's make can watch what each command reads (META_MODE of src-env.conf(5)): by filemon(4),
/// where share/mk/sys.mk looks for it.
bool has_filemon(Host& host) {
  const Path device = "/dev/filemon";
  return host.status(device).exists() && host.run({.argv = {"uname", "-s"}}).out == "FreeBSD\n";
}

}  // namespace

void require_freebsd_cross_build(Host& host, const Path& source) {
  const auto refuse = [&](std::string reason, std::string hint) {
    throw ConfigError({.attempted = "build " + source.string(),
                       .reason = std::move(reason),
                       .hint = std::move(hint),
                       .log = {}});
  };
  if (!host.is_file(source / "tools/build/make.py"))
    refuse("tools/build/make.py is not there: the tree cannot be built on another system",
           "use a tree of FreeBSD 13 or later");
  // A tree of the kernel alone has newvers.sh and sys/, and none of these.
  for (const char* file : {"Makefile.inc1", "share/mk/bsd.own.mk", "tools/build/mk", "usr.sbin/config"})
    if (!host.exists(source / file))
      refuse(fmt::format("{} is not there: the tree is not whole", file),
             "check out all of src: the kernel is built with tools from the rest of it");
}

FreebsdTarget freebsd_target(const Variables& variables) {
  FreebsdTarget target;
  if (const auto machine = variables.find("TARGET"); machine != variables.end())
    target = {machine->second, machine->second == "arm64" ? "aarch64" : machine->second};
  if (const auto arch = variables.find("TARGET_ARCH"); arch != variables.end())
    target.machine_arch = arch->second;
  return target;
}

FreebsdConfFiles::FreebsdConfFiles(const Path& root)
    : src(root / "conf/src.conf"), make(root / "conf/make.conf"), src_env(root / "conf/src-env.conf") {}

Path freebsd_obj_top(const Path& root, const Path& source, const Variables& variables) {
  const FreebsdTarget target = freebsd_target(variables);
  return root / "obj" / source.relative_path() / (target.machine + "." + target.machine_arch);
}

std::string freebsd_kernconf(const Path& output_tree) {
  return output_tree.filename().string();
}

Command freebsd_make(Host& host, const MakeRequest& request, const std::vector<std::string>& arguments,
                     bool parallel) {
  const FreebsdTarget target = freebsd_target(request.variables);
  const FreebsdConfFiles conf(request.root);
  // Of the environment is kept what finds strays (a lease's token), and where things are cached.
  Command command{.argv = {"sh", "-c",
                           "exec env -i HOME=\"$HOME\" ${KDEV_LEASE:+KDEV_LEASE=\"$KDEV_LEASE\"} "
                           "${CCACHE_DIR:+CCACHE_DIR=\"$CCACHE_DIR\"} \"$@\"",
                           "sh"}};
  const auto add = [&](std::string word) { command.argv.push_back(std::move(word)); };
  add(std::string("PATH=") + path_of_build);
  add("LC_ALL=C");
  add("MAKEOBJDIRPREFIX=" + (request.root / "obj").string());
  add("SRCCONF=" + conf.src.string());
  add("__MAKE_CONF=" + conf.make.string());
  add("SRC_ENV_CONF=" + conf.src_env.string());
  add("BROKEN_TESTS=opt-debug-x-trace");  // of bmake's own tests: it fails where there is no terminal
  if (has_filemon(host)) add("WITH_META_MODE=yes");  // sys.mk wants it in the environment
  if (!request.ccache.empty() && !request.toolchain_id.empty())
    add("CCACHE_COMPILERCHECK=string:" + request.toolchain_id);
  add("python3");
  add("-B");
  add((request.source / "tools/build/make.py").string());
  add("--cross-bindir=" + cross_bindir(host).string());
  add("--no-clean");
  add("TARGET=" + target.machine);
  add("TARGET_ARCH=" + target.machine_arch);
  add("NO_KERNELCLEAN=yes");
  add("WITH_REPRODUCIBLE_BUILD=yes");
  if (!request.ccache.empty()) add("WITH_CCACHE_BUILD=yes");
  if (parallel) add(fmt::format("-j{}", request.jobs));
  for (const auto& [name, value] : request.variables)
    if (name != "TARGET" && name != "TARGET_ARCH") add(name + "=" + value);
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

Command freebsd_make_in(Host& host, const MakeRequest& request, const Path& dir,
                        const std::vector<std::string>& arguments, const std::vector<std::string>& outer) {
  Command bmake{
      .argv = {(request.root / "obj/bmake-install/bin/bmake").string(), fmt::format("-j{}", request.jobs)}};
  bmake.argv.insert(bmake.argv.end(), arguments.begin(), arguments.end());
  // The target hands its value to sh.
  const std::string shell = describe(bmake);
  std::vector<std::string> words = outer;
  words.insert(words.end(), {"BUILDENV_DIR=" + dir.string(), "BUILDENV_SHELL=" + shell, "buildenv"});
  return freebsd_make(host, request, words, false);
}

}  // namespace kdev::guest
