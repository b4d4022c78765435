// What a VM's machine is made of, from its spec.
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "common/size.hpp"
#include "guest/guest.hpp"
#include "image/boot_disk.hpp"
#include "image/edited.hpp"
#include "image/makefs.hpp"
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

void VM::State::no_way(const std::string& attempted) const {
  const bool disk = spec.boot == BootMethod::bios || spec.boot == BootMethod::uefi;
  std::string reason = "no way to boot this kernel: the artifact has no fitting image",
              hint = "build it again";
  if (spec.boot == BootMethod::bzimage) hint = "build it with targets = {\"bzImage\"}";
  if (disk && spec.image.boot().empty()) {
    reason = "the image has no boot loaders";
    hint = "SeedImage.userland(ws.build_userland()) brings the tree's own";
  } else if (spec.boot == BootMethod::uefi) {
    reason = "no UEFI firmware is installed that fits";
    hint = "apt install ovmf";
  }
  throw ConfigError({.attempted = attempted, .reason = reason, .hint = hint, .log = {}});
}

Path VM::State::root_file(const guest::Guest& guest, const Deadline& deadline) {
  if (guest.root_format() != RootFormat::ufs) return spec.image.realize(dir->image_cache(), deadline);
  return realize_ufs(spec.image, dir->image_cache(),
                     {.makefs = spec.image.makefs().empty() ? find_makefs() : spec.image.makefs(),
                      .free_bytes = spec.image.free_bytes() ? spec.image.free_bytes() : 32u << 20},
                     deadline);
}

BootPlan VM::State::disk_plan(const std::string& attempted) const {
  if (!spec.image.added().empty() || !spec.image.edits().empty())
    throw ConfigError({.attempted = attempted,
                       .reason = "files and changes were added to a disk image, and are not on it yet",
                       .hint = "customize(image, kernel, userland) puts them there",
                       .log = {}});
  if (!spec.cmdline.empty() || spec.on_crash.then == AfterCrash::unattended || spec.debug_port)
    throw ConfigError(
        {.attempted = attempted,
         .reason = "a whole disk's own loader says what its kernel is told: cmdline, debug_port and an "
                   "unattended dump have no way to it",
         .hint = "SeedImage.edit() of its loader.conf, and customize()",
         .log = {}});
  BootPlan plan;
  switch (spec.boot) {
    case BootMethod::automatic:
    case BootMethod::bios:
      plan.kind = BootPlan::Kind::disk_bios;
      return plan;
    case BootMethod::uefi:
      plan.kind = BootPlan::Kind::disk_uefi;
      return plan;
    case BootMethod::direct:
    case BootMethod::bzimage:
      break;
  }
  throw ConfigError({.attempted = attempted,
                     .reason = "the image is a whole disk, which firmware boots",
                     .hint = "boot it by bios or uefi",
                     .log = {}});
}

hypervisor::MachineSpec VM::State::machine_spec(const Deadline& deadline) {
  const std::string attempted = fmt::format("boot VM '{}'", spec.name);
  if (spec.cpus < 1)
    throw ConfigError(
        {.attempted = attempted, .reason = fmt::format("{} CPUs", spec.cpus), .hint = "", .log = {}});
  hypervisor::MachineSpec machine;
  machine.memory = parse_size(spec.memory, "the memory size of a VM", 1u << 20);
  const guest::Guest& guest = guest::guest_for(kernel.os);
  const hypervisor::Hypervisor& hypervisor = *hypervisor::all_hypervisors().front();
  if (spec.image.is_disk()) {
    machine.plan = disk_plan(attempted);
    if (!hypervisor.can_boot(machine.plan.kind)) no_way(attempted);
    return complete(std::move(machine), boot_disk, deadline);
  }
  const guest::BootRequest request{.kernel = kernel,
                                   .cmdline = spec.cmdline,
                                   .agent = spec.image.agent_is_init(),
                                   .text =
                                       [this](const std::string& path) {
                                         return spec.image.is_archive() ? std::string()
                                                                        : text_in(spec.image.entries(), path);
                                       },
                                   .loaders = !spec.image.boot().empty(),
                                   .unattended = spec.on_crash.then == AfterCrash::unattended,
                                   .debug_port = spec.debug_port,
                                   .debug_wait = hold == Hold::in_kernel,
                                   .debugger_on_console = !spec.on_crash.ask.empty()};
  // Which way, before the image is made in the form that this way wants.
  const std::vector<BootPlan> plans = guest.boot_plans(request);
  const BootPlan* plan = choose(plans, spec.boot, hypervisor);
  if (!plan) no_way(attempted);
  if (!boost::filesystem::exists(plan->kernel))
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("{} does not exist", plan->kernel.string()),
                       .hint = "build the kernel again: its artifact was removed from the store",
                       .log = {}});
  BootPlan chosen = *plan;
  if (chosen.boots_disk()) {
    // Made once: later boots find what was installed on it meanwhile.
    if (boot_disk.empty())
      boot_disk = realize_boot_disk(
          spec.image,
          guest.disk_layout(
              {.kernel = kernel, .plan = chosen, .boot = spec.image.boot(), .swap = spec.image.swap_bytes()}),
          dir->image_cache(), deadline);
  } else {
    chosen.initrd = root_file(guest, deadline);
  }
  machine.plan = guest.prepare(chosen, dir->path());
  return complete(std::move(machine), chosen.boots_disk() ? boot_disk : Path(), deadline);
}

hypervisor::MachineSpec VM::State::complete(hypervisor::MachineSpec machine, const Path& first_disk,
                                            const Deadline& deadline) {
  machine.name = spec.name;
  machine.cpus = spec.cpus;
  machine.accel = accel;
  machine.agent_port = true;
  machine.debug_port = spec.debug_port;
  machine.dir = dir->path();
  machine.log = dir->hypervisor_log();
  machine.extra_args = spec.qemu_args;
  if (spec.record) {
    machine.tape = hypervisor::MachineSpec::Tape::record;
    machine.tape_file = dir->new_tape();
  }
  std::vector<Disk> wanted = spec.disks;
  if (!first_disk.empty())
    wanted.insert(wanted.begin(), Disk{.file = first_disk, .size = spec.image.disk_size()});
  disks = machine.disks =
      vm::prepare_disks(wanted, dir->path(), *hypervisor::all_hypervisors().front(), deadline);
  return machine;
}

}  // namespace kdev
