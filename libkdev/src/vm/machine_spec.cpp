// What a VM's machine is made of, from its spec.
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "common/size.hpp"
#include "guest/guest.hpp"
#include "image/ufs.hpp"
#include "vm/disks.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

bool fits(BootPlan::Kind kind, BootMethod method) {
  using Kind = BootPlan::Kind;
  switch (method) {
    case BootMethod::automatic:
      return true;
    case BootMethod::direct:
      return kind == Kind::direct_elf || kind == Kind::direct_multiboot;
    case BootMethod::bzimage:
      return kind == Kind::direct_image;
    case BootMethod::bios:
      return kind == Kind::disk_bios;
    case BootMethod::uefi:
      return kind == Kind::disk_uefi;
  }
  return false;
}

const BootPlan* choose(const std::vector<BootPlan>& plans, BootMethod method,
                       const hypervisor::Hypervisor& hypervisor) {
  for (const BootPlan& plan : plans)
    if (hypervisor.can_boot(plan.kind) && fits(plan.kind, method)) return &plan;
  return nullptr;
}

}  // namespace

hypervisor::MachineSpec VM::State::machine_spec(const Deadline& deadline) {
  const std::string attempted = fmt::format("boot VM '{}'", spec.name);
  if (spec.cpus < 1)
    throw ConfigError(
        {.attempted = attempted, .reason = fmt::format("{} CPUs", spec.cpus), .hint = "", .log = {}});
  hypervisor::MachineSpec machine;
  machine.memory = parse_size(spec.memory, "the memory size of a VM", 1u << 20);
  const guest::Guest& guest = guest::guest_for(kernel.os);
  const Path initrd =
      guest.root_format() == RootFormat::ufs
          ? realize_ufs(spec.image, dir->image_cache(),
                        {.makefs = spec.image.makefs().empty() ? find_makefs() : spec.image.makefs()},
                        deadline)
          : spec.image.realize(dir->image_cache(), deadline);
  const auto plans = guest.boot_plans(
      {.kernel = kernel, .initrd = initrd, .cmdline = spec.cmdline, .agent = spec.image.has_agent()});
  const hypervisor::Hypervisor& hypervisor = *hypervisor::all_hypervisors().front();
  const BootPlan* plan = choose(plans, spec.boot, hypervisor);
  if (!plan)
    throw ConfigError({.attempted = attempted,
                       .reason = "no way to boot this kernel: the artifact has no fitting image",
                       .hint = spec.boot == BootMethod::bzimage ? "build it with targets = {\"bzImage\"}"
                                                                : "build it again",
                       .log = {}});
  if (!boost::filesystem::exists(plan->kernel))
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("{} does not exist", plan->kernel.string()),
                       .hint = "build the kernel again: its artifact was removed from the store",
                       .log = {}});
  machine.name = spec.name;
  machine.plan = guest.prepare(*plan, dir->path());
  machine.cpus = spec.cpus;
  machine.accel = accel;
  machine.agent_port = true;
  machine.dir = dir->path();
  machine.log = dir->hypervisor_log();
  machine.extra_args = spec.qemu_args;
  disks = machine.disks = vm::prepare_disks(spec.disks, dir->path(), hypervisor, deadline);
  return machine;
}

}  // namespace kdev
