#pragma once
// A kernel, libraries and programs of FreeBSD for the tests that boot it, as a build of the tree left them:
//   KDEV_FREEBSD_SRC        the tree
//   KDEV_FREEBSD_WORKSPACE  holds obj/, the MAKEOBJDIRPREFIX of its build
//   KDEV_FREEBSD_KERNCONF   which kernel of several there; default: the one with DDB built last
//   KDEV_FREEBSD_ROOT       a folder with /bin/sh and what else guests get; default: the tree's /rescue
//   KDEV_MAKEFS             makefs of the tree; default: the one among its bootstrap tools
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <kdev/kdev.hpp>

#include "common/elf_file.hpp"
#include "guest/guest.hpp"

namespace kdev::test {

class FreebsdBuild {
 public:
  FreebsdBuild() {
    const Path source = env("KDEV_FREEBSD_SRC"), workspace = env("KDEV_FREEBSD_WORKSPACE");
    if (source.empty() || workspace.empty()) {
      missing_ = "KDEV_FREEBSD_SRC and KDEV_FREEBSD_WORKSPACE do not name a tree and its build";
      return;
    }
    const Path obj = workspace / ("obj" + source.string()) / "amd64.amd64";
    sysroot_ = obj / "tmp";
    kernel_.os = Os::freebsd;
    kernel_.arch = "amd64";
    kernel_.source = source;
    kernel_.obj = find_kernel(obj / "sys");
    kernel_.image = kernel_.obj / "kernel";
    kernel_.vmlinux = kernel_.obj / "kernel.debug";
    if (boost::filesystem::exists(kernel_.vmlinux)) kernel_.build_id = elf_build_id(kernel_.vmlinux);
    const auto tree = guest::guest_for(Os::freebsd).detect(*local_host(), source);
    kernel_.release = tree ? tree->version : "";
    rescue_ = obj / "rescue/rescue/rescue";
    makefs_ = env("KDEV_MAKEFS");
    if (makefs_.empty()) makefs_ = sysroot_ / "legacy/usr/sbin/makefs";
    root_ = env("KDEV_FREEBSD_ROOT");
    want(kernel_.image, "the kernel");
    want(sysroot_ / "usr/lib/libc.a", "the C library");
    want(makefs_, "makefs (KDEV_MAKEFS)");
    if (root_.empty()) want(rescue_, "/rescue (or KDEV_FREEBSD_ROOT)");
    if (!local_host()->which("clang")) missing_ = "clang is not installed";
    if (!local_host()->which("qemu-system-x86_64")) missing_ = "qemu-system-x86_64 is not installed";
  }

  /// Why nothing can be booted here; empty: all is there.
  const std::string& missing() const { return missing_; }
  const KernelArtifact& kernel() const { return kernel_; }
  const Path& makefs() const { return makefs_; }
  /// The folder's programs, or /rescue as /bin; the agent as /init.
  SeedImage image(const Path& dir) const {
    namespace fs = boost::filesystem;
    const Path agent = guest::guest_for(Os::freebsd).make_agent(*local_host(), sysroot_, dir, {});
    SeedImage image = root_.empty() ? SeedImage::from_entries(rescue()) : SeedImage::directory(root_);
    for (const char* folder : {"/dev", "/tmp", "/mnt", "/root"}) image = image.add_directory(folder);
    return image.add_file(agent, "/init", 0755);
  }
  /// NAME.ko of this kernel; empty when it was not built.
  Path module(const std::string& name) const {
    namespace fs = boost::filesystem;
    if (!fs::is_directory(kernel_.obj / "modules")) return {};
    for (const auto& entry : fs::recursive_directory_iterator(kernel_.obj / "modules"))
      if (entry.path().filename() == name + ".ko") return entry.path();
    return {};
  }

 private:
  static Path env(const char* name) {
    const char* value = std::getenv(name);
    return value ? Path(value) : Path();
  }
  void want(const Path& path, const std::string& what) {
    if (missing_.empty() && !boost::filesystem::exists(path))
      missing_ = "the build has not got as far as " + what + ": there is no " + path.string();
  }
  static Path find_kernel(const Path& sys) {
    namespace fs = boost::filesystem;
    if (const Path conf = env("KDEV_FREEBSD_KERNCONF"); !conf.empty()) return sys / conf;
    Path newest = sys / "KERNCONF";
    std::time_t when = 0;
    if (!fs::is_directory(sys)) return newest;
    for (const auto& entry : fs::directory_iterator(sys)) {
      // The tests look at what a debug kernel says.
      if (!fs::exists(entry.path() / "opt_ddb.h") ||
          local_host()->read_file(entry.path() / "opt_ddb.h").find("#define DDB") == std::string::npos)
        continue;
      if (!fs::exists(entry.path() / "kernel") || fs::last_write_time(entry.path() / "kernel") <= when)
        continue;
      newest = entry.path();
      when = fs::last_write_time(newest / "kernel");
    }
    return newest;
  }
  std::vector<ImageEntry> rescue() const {
    std::vector<ImageEntry> entries{{.path = "/bin/sh", .mode = 0755, .source = rescue_}};
    for (const char* name : {"cat", "dd", "echo", "kldstat", "ls", "mount", "sleep", "sysctl"})
      entries.push_back({.path = std::string("/bin/") + name, .mode = 0755, .target = "/bin/sh"});
    return entries;
  }

  std::string missing_;
  KernelArtifact kernel_;
  Path sysroot_, rescue_, makefs_, root_;
};

}  // namespace kdev::test
