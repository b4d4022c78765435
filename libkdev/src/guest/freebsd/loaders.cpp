#include "guest/freebsd/loaders.hpp"

#include "guest/freebsd/build_make.hpp"

namespace kdev::guest {

bool freebsd_builds_loaders(Host& host, const MakeRequest& request) {
  if (!host.is_file(request.source / "stand/Makefile")) return false;
  const Path conf = FreebsdConfFiles(request.root).src;
  return !host.exists(conf) || host.read_file(conf).find("WITHOUT_BOOT=") == std::string::npos;
}

bool freebsd_loader_source(std::string_view path) {
  // Of 13.2; what the makefiles below stand/ reach for with SYSDIR and .PATH.
  for (const char* folder : {"cddl/boot/", "cddl/contrib/opensolaris/", "contrib/libfdt/", "contrib/openzfs/",
                             "contrib/zlib/", "contrib/zstd/", "crypto/", "geom/eli/", "kern/md",
                             "kern/subr_boot.c", "libkern/", "opencrypto/", "teken/", "ufs/ffs/"})
    if (path.starts_with("sys/") && path.substr(4).starts_with(folder)) return true;
  return false;
}

MakeStep freebsd_make_loaders(Host& host, const MakeRequest& request, const std::string& inputs) {
  return {.title = "loaders",
          .command = freebsd_make(host, request, {"-DWORLDFAST", "SUBDIR_OVERRIDE=stand", "everything"}),
          .stamp = request.root / "obj" / (".kdev-loaders-" + freebsd_target(request.variables).machine_arch),
          .key = inputs + "\n" + request.digest(freebsd_loader_source),
          .once = true};
}

void freebsd_install_loaders(Host& host, const MakeRequest& request, const Path& boot, const Path& scratch,
                             const RunOptions& run) {
  host.make_directories(scratch);
  // Without root's rights: owners go into METALOG.
  const std::vector<std::string> places = {"DESTDIR=" + scratch.string(), "-DNO_ROOT",
                                           "METALOG=" + (scratch / "METALOG").string()};
  std::vector<std::string> folders = places;
  folders.push_back("distrib-dirs");
  host.check("lay out a FreeBSD root", freebsd_make(host, request, folders, false), run);
  host.check("install the boot loaders",
             freebsd_make_in(host, request, request.source / "stand", {"install"}, places), run);
  host.rename(scratch / "boot", boot);
  host.remove_all(scratch);
  // The loader reads them before loader.conf; etc/Makefile installs them with the rest of a distribution.
  const Path hints =
      request.source / "sys" / freebsd_target(request.variables).machine / "conf/GENERIC.hints";
  if (host.is_file(hints)) host.copy_file(hints, boot / "device.hints");
}

}  // namespace kdev::guest
