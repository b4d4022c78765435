// A disk as bsdinstall(8) and the release's own images lay it out: gptboot(8) for BIOS, loader.efi(8) for
// UEFI, swap for dumps, UFS.
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "common/conf_variables.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/kernel_variables.hpp"

namespace kdev::guest {
namespace {

namespace fs = boost::filesystem;
using Entry = ImageEntry;

// The smallest FAT32 that firmware takes for one (usr.sbin/bsdinstall/partedit: release images use as much).
constexpr std::uint64_t esp_bytes = 33u << 20;

Entry file_of(std::string path, const Path& source, unsigned mode = 0444) {
  return {.path = std::move(path), .mode = mode, .source = source};
}

Entry text_of(std::string path, std::string content) {
  return {.path = std::move(path), .mode = 0644, .content = std::move(content)};
}

void need(const Path& boot, const char* name) {
  boost::system::error_code ec;
  if (!boot.empty() && fs::exists(boot / name, ec)) return;
  throw ConfigError({.attempted = "lay out a FreeBSD disk",
                     .reason = fmt::format("there is no boot loader {}", (boot / name).string()),
                     .hint = "SeedImage.userland(ws.build_userland()) has the tree's own",
                     .log = {}});
}

/// What loader(8) reads at run time: scripts, defaults, hints. Its other flavours and the blocks that start
/// it stay out.
std::vector<Entry> loader_files(const Path& boot) {
  std::vector<Entry> entries;
  for (const char* name : {"loader", "loader.efi", "device.hints"})
    if (fs::exists(boot / name)) entries.push_back(file_of(fmt::format("/boot/{}", name), boot / name));
  for (const char* folder : {"defaults", "lua"})
    for (const fs::directory_entry& e : fs::directory_iterator(boot / folder))
      entries.push_back(file_of(fmt::format("/boot/{}/{}", folder, e.path().filename().string()), e.path()));
  return entries;
}

}  // namespace

std::vector<ImageEntry> FreebsdGuest::kernel_entries(const KernelArtifact& kernel,
                                                     const std::string& name) const {
  const std::string dir = "/boot/" + (name.empty() ? "kernel" : name);
  std::vector<Entry> entries{file_of(dir + "/kernel", kernel.image, 0555)};
  const Path modules = kernel.modules / "boot/kernel";
  boost::system::error_code ec;
  if (!kernel.modules.empty() && fs::is_directory(modules, ec))
    for (const fs::directory_entry& e : fs::directory_iterator(modules))
      if (e.path().extension() == ".ko" || e.path().filename() == "linker.hints")
        entries.push_back(file_of(dir + "/" + e.path().filename().string(), e.path(), 0555));
  return entries;
}

DiskMount FreebsdGuest::mount_first_disk() const {
  // A disk that was grown has its second partition table where its end was: gpart(8) calls that corrupt.
  return {.mount =
              "gpart recover vtbd0 >/dev/null 2>&1\n"
              "gpart show -p vtbd0 || exit 1\n"
              "root=$(gpart show -p vtbd0 | sed -n 's/^ *[0-9]* *[0-9]* *\\(vtbd0[a-z0-9]*\\) *freebsd-ufs "
              ".*/\\1/p' | tail -n 1)\n"
              "[ -n \"$root\" ] || { echo 'no partition of it is of the type freebsd-ufs' >&2; exit 1; }\n"
              "fsck_ffs -p /dev/$root >&2 || exit 1\n"
              "mount /dev/$root /mnt\n",
          .unmount = "umount /mnt",
          .at = "/mnt"};
}

std::vector<ImageEntry> FreebsdGuest::agent_service(const Path& agent) const {
  // As rc(8) runs local scripts; without rc.subr(8), as there is nothing to configure. The agent loads its
  // port's driver itself, where the kernel has not got it.
  return {{.path = "/usr/local/libexec/kdev-agent", .mode = 0555, .source = agent},
          {.path = "/usr/local/etc/rc.d/kdev_agent",
           .mode = 0555,
           .content = "#!/bin/sh\n"
                      "# PROVIDE: kdev_agent\n"
                      "# REQUIRE: FILESYSTEMS\n"
                      "# KEYWORD: nojail\n"
                      "case \"$1\" in\n"
                      "*start) /usr/local/libexec/kdev-agent </dev/null >/dev/console 2>&1 & ;;\n"
                      "esac\n"}};
}

FileChange FreebsdGuest::select_kernel(const std::string& name, bool once) const {
  // nextboot(8): the loader overwrites the first line before it boots, so it has to be the first, and as long
  // as its "NO " version (stand/lua/config.lua, checkNextboot).
  if (once)
    return {"/boot/nextboot.conf", [name](const std::string&) {
              return fmt::format("nextboot_enable=\"YES\"\nkernel=\"{}\"\n", name);
            }};
  return {"/boot/loader.conf",
          [name](const std::string& before) { return conf_set(before, "kernel", name); }};
}

DiskLayout FreebsdGuest::disk_layout(const DiskRequest& request) const {
  for (const char* name : {"pmbr", "gptboot", "loader", "loader.efi", "defaults", "lua"})
    need(request.boot, name);
  std::map<std::string, std::string> variables = request.plan.environment;
  DiskLayout layout;
  layout.boot_code = request.boot / "pmbr";
  layout.defaults = loader_files(request.boot);
  std::string fstab = "/dev/gpt/rootfs / ufs rw 1 1\n";
  if (request.swap) fstab += "/dev/gpt/swapfs none swap sw 0 0\n";
  layout.defaults.push_back(text_of("/etc/fstab", fstab));

  layout.entries = kernel_entries(request.kernel, "");
  for (const Path& module : request.plan.modules) {
    if (module.parent_path() == request.kernel.modules / "boot/kernel") continue;  // among the kernel's own
    // loader(8) looks for it by the name that its variable gives.
    const std::string path = "/boot/modules/" + module.filename().string();
    layout.entries.push_back(file_of(path, module));
    for (auto& [name, value] : variables)
      if (name.ends_with("_name") && value == module.string()) value = path;
  }
  layout.entries.push_back(
      text_of("/boot/loader.conf.d/kdev.conf", loader_conf_text(variables, request.plan.cmdline)));

  layout.partitions = {
      {"freebsd-boot", "bootfs", request.boot / "gptboot"},
      {"efi", "efiesp",
       DiskPartition::Fat{{file_of("/EFI/BOOT/BOOTX64.EFI", request.boot / "loader.efi", 0644)}, esp_bytes}}};
  if (request.swap)
    layout.partitions.push_back({"freebsd-swap", "swapfs", DiskPartition::Blank{request.swap}});
  layout.partitions.push_back({"freebsd-ufs", "rootfs", DiskPartition::Root{}});
  return layout;
}

}  // namespace kdev::guest
