#include "guest/freebsd/build_module.hpp"

#include <fmt/format.h>

#include "guest/freebsd/build_make.hpp"

namespace kdev::guest {

std::optional<Refusal> freebsd_no_module_in(Host& host, const Path& dir) {
  const Path makefile = dir / "Makefile";
  if (!host.is_file(makefile))
    return Refusal{"there is no Makefile in it",
                   "write one: KMOD=hello, SRCS=hello.c, .include <bsd.kmod.mk>"};
  if (host.read_file(makefile).find("bsd.kmod.mk") == std::string::npos)
    return Refusal{"its Makefile does not include bsd.kmod.mk", "the last line: .include <bsd.kmod.mk>"};
  return std::nullopt;
}

bool freebsd_module_product(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const char* end : {".o", ".ko", ".kld", ".ko.full", ".ko.debug"})
    if (name.ends_with(end)) return true;
  for (const char* own : {"machine", "x86", "i386", "export_syms", ".git"})  // links that kmod.mk makes
    if (name == own) return true;
  return name.starts_with(".depend") || name.ends_with('~') || name.ends_with(".swp");
}

Command freebsd_make_module(Host& host, const MakeRequest& request, const Path& dir, const Path& original) {
  // Debug information and __FILE__ name the user's folder, not the copy.
  return freebsd_make_in(
      host, request, dir,
      {"MAKEOBJDIR=" + dir.string(), "SYSDIR=" + (request.source / "sys").string(),
       "KERNBUILDDIR=" + request.obj.string(),
       fmt::format("DEBUG_FLAGS=-g -ffile-prefix-map={}={}", dir.string(), original.string()),
       "WITHOUT_SPLIT_KERNEL_DEBUG=yes",  // the debug information stays in the .ko
       "all"});
}

std::vector<Path> freebsd_made_modules(Host& host, const Path& dir) {
  std::vector<Path> made;
  for (const Path& file : host.files_below(dir))
    if (file.extension() == ".ko") made.push_back(file);
  return made;
}

}  // namespace kdev::guest
