#include <kdev/host.hpp>

#include "guest/linux/conf_text.hpp"
#include "guest/linux/linux.hpp"
#include "host/hostfs.hpp"

namespace kdev::guest {

namespace {

std::map<std::string, std::string> config_of(const KernelArtifact& kernel) {
  if (kernel.config.empty() || !hostfs::exists(kernel.config)) return {};
  return parse_conf(local_host()->read_file(kernel.config));
}

}  // namespace

bool linux_needs_boot_image(const std::map<std::string, std::string>& config) {
  const auto kasan = config.find("KASAN");
  return kasan != config.end() && kasan->second == "y";
}

std::vector<BootPlan> linux_boot_plans(const BootRequest& request) {
  // Warnings reach the console from the first line (loglevel comes first: it counts from where it stands);
  // the agent raises the level once the guest is up, so that a boot does not wait for the serial line.
  // earlyprintk: a kernel that dies before its console is there still says why. no_timer_check: on a busy
  // host the check finds that the timer does not tick, and panics ("IO-APIC + timer doesn't work").
  // unknown_nmi_panic: an injected NMI makes a hung guest tell where it hangs.
  std::string cmdline =
      "loglevel=5 console=ttyS0 earlyprintk=serial,ttyS0,115200 panic=0 no_timer_check unknown_nmi_panic "
      "tsc=reliable";
  // An oops waits for somebody at the debugger's port, too: no kernel has one unasked.
  if (request.debug_port)
    cmdline += " kgdboc=ttyS1";
  else if (request.debugger_on_console)
    cmdline += " kgdboc=ttyS0";
  if (request.debug_wait) cmdline += " kgdbwait";
  if (!request.cmdline.empty()) cmdline += " " + request.cmdline;
  const KernelArtifact& kernel = request.kernel;
  std::vector<BootPlan> plans;
  const Path& elf = kernel.image.empty() ? kernel.vmlinux : kernel.image;
  if (!elf.empty() && !linux_needs_boot_image(config_of(kernel)))
    plans.push_back({BootPlan::Kind::direct_elf, elf, {}, cmdline});
  if (!kernel.bzimage.empty()) plans.push_back({BootPlan::Kind::direct_image, kernel.bzimage, {}, cmdline});
  return plans;
}

}  // namespace kdev::guest
