#include <fmt/format.h>
#include <sys/random.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>
#include <set>

#include "common/system_error.hpp"
#include "guest/freebsd/direct_image.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/kernel_variables.hpp"

namespace kdev::guest {
namespace {

namespace fs = boost::filesystem;

/// NAME_load="YES" of loader.conf; NAME_name says which file, if it is not NAME.ko of the kernel's own.
Path module_file(const KernelArtifact& kernel, const std::string& name,
                 const std::map<std::string, std::string>& environment) {
  const auto given = environment.find(name + "_name");
  const Path file = given == environment.end() ? Path(name + ".ko") : Path(given->second);
  if (file.is_absolute()) return file;
  for (const Path& folder : {kernel.modules, kernel.modules / "boot/kernel", kernel.image.parent_path()}) {
    boost::system::error_code ec;
    if (!folder.empty() && fs::is_regular_file(folder / file, ec)) return folder / file;
  }
  throw ConfigError(
      {.attempted = fmt::format("preload module {} ({}_load)", name, name),
       .reason = fmt::format("{} is not among the modules of kernel {}", file.string(), kernel.release),
       .hint = fmt::format("build it with the kernel, or let {}_name be its full path", name),
       .log = {}});
}

}  // namespace

std::vector<BootPlan> FreebsdGuest::boot_plans(const BootRequest& request) const {
  const KernelArtifact& kernel = request.kernel;
  if (kernel.image.empty()) return {};
  const KernelVariables given = read_kernel_variables(request.cmdline);
  BootPlan plan{BootPlan::Kind::direct_multiboot, kernel.image, {}, given.flags};
  // Nobody is at a screen or keyboard there, and looking for a mouse alone takes a second.
  for (const char* device : {"atkbdc", "atkbd", "psm", "vga", "sc", "orm"})
    plan.environment[fmt::format("hint.{}.0.disabled", device)] = "1";
  if (request.agent) plan.environment["init_path"] = "/init";
  // uart_cpu_getdev() in sys/dev/uart/uart_cpu_x86.c: how the gdb stub finds its port.
  if (request.debug_port) plan.environment["hw.uart.dbgport"] = "io:0x2f8,br:115200";
  if (request.unattended) {
    plan.environment["debug.debugger_on_panic"] = "0";
    plan.environment["kern.panic_reboot_wait_time"] = "0";
  }
  BootPlan disk = plan;

  // What the loader would take from the root, which lies in memory here.
  const KernelVariables loaded = read_loader_conf(request.text ? request.text("/boot/loader.conf") : "");
  if (!loaded.flags.empty()) plan.cmdline += (plan.cmdline.empty() ? "" : " ") + loaded.flags;

  plan.environment["hw.uart.console"] = "io:0x3f8,br:115200";
  if (request.root) {
    plan.environment["vfs.root.mountfrom"] = "ufs:/dev/md0";
    plan.environment["vfs.root.mountfrom.options"] = "rw";
  }
  for (const auto* variables : {&loaded.environment, &given.environment})
    for (const auto& [name, value] : *variables) plan.environment[name] = value;
  std::set<std::string> modules;
  for (const auto* names : {&loaded.modules, &given.modules}) modules.insert(names->begin(), names->end());
  for (const std::string& name : modules) plan.modules.push_back(module_file(kernel, name, plan.environment));
  if (!request.loaders) return {plan};

  disk.environment.insert({{"autoboot_delay", "-1"},  // no waiting, and no key stops it
                           {"beastie_disable", "YES"},
                           {"console", "comconsole"},
                           {"comconsole_speed", "115200"},
                           {"loader_logo", "none"}});
  // By label, which needs GEOM_LABEL, else where it lies. What was not unmounted has to be checked before it
  // is written to: the agent does both.
  disk.environment["vfs.root.mountfrom"] = "ufs:/dev/gpt/rootfs ufs:/dev/vtbd0p4 ufs:/dev/vtbd0p3";
  disk.environment["vfs.root.mountfrom.options"] = "ro";
  for (const auto& [name, value] : given.environment) disk.environment[name] = value;
  // What the image's own loader.conf names its loader finds by itself.
  for (const std::string& name : given.modules)
    disk.modules.push_back(module_file(kernel, name, disk.environment));
  disk.kind = BootPlan::Kind::disk_bios;
  BootPlan uefi = disk;
  uefi.kind = BootPlan::Kind::disk_uefi;
  return {plan, disk, uefi};
}

BootPlan FreebsdGuest::prepare(BootPlan plan, const Path& dir) const {
  if (plan.boots_disk()) return plan;
  DirectImage image{.kernel = plan.kernel,
                    .root = plan.initrd,
                    .modules = plan.modules,
                    .entropy = std::string(4096, '\0'),
                    .environment = plan.environment,
                    .howto = howto_of(plan.cmdline)};
  for (std::size_t done = 0; done < image.entropy.size();) {
    const ssize_t n = ::getrandom(image.entropy.data() + done, image.entropy.size() - done, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error("get random bytes for a guest", errno);
    done += static_cast<std::size_t>(n);
  }
  const Path file = dir / "direct.elf";
  write_direct_image(image, file);
  return {BootPlan::Kind::direct_multiboot, file, {}, {}};
}

}  // namespace kdev::guest
