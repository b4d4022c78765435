#include <cstdlib>

#include <fmt/format.h>

#include "hypervisor/qemu/qemu.hpp"

namespace kdev::hypervisor {
namespace {

void add(std::vector<std::string>& argv, std::initializer_list<std::string> more) { argv.insert(argv.end(), more); }

/// A chardev on a listening socket that kdev bound and passes: no race for the path, no limit on its length.
std::string socket_chardev(const char* id, int fd) { return fmt::format("socket,id={},fd={},server=on,wait=off", id, fd); }

}  // namespace

std::string qemu_program() {
  const char* program = std::getenv("KDEV_QEMU");
  return program && *program ? program : "qemu-system-x86_64";
}

bool Qemu::can_boot(BootPlan::Kind kind) const {
  using Kind = BootPlan::Kind;
  return kind == Kind::direct_elf || kind == Kind::direct_image || kind == Kind::direct_multiboot;
}

std::vector<std::string> Qemu::command_line(const MachineSpec& spec) const {
  std::vector<std::string> argv{qemu_program()};
  add(argv, {"-name", "guest=" + spec.name});
  // Nothing that was not asked for: no default devices, no user configuration, no display.
  add(argv, {"-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35"});
  if (spec.accel == Accel::kvm)
    add(argv, {"-accel", "kvm", "-cpu", "host"});
  else
    add(argv, {"-accel", "tcg,thread=multi", "-cpu", "qemu64"});
  add(argv, {"-m", fmt::format("{}M", spec.memory >> 20), "-smp", std::to_string(spec.cpus)});
  // A panicking guest goes on until it has printed everything; a rebooting one ends.
  add(argv, {"-no-reboot", "-action", "panic=none"});
  add(argv, {"-kernel", spec.plan.kernel.string()});
  if (!spec.plan.initrd.empty()) add(argv, {"-initrd", spec.plan.initrd.string()});
  // Nobody reads a command line in a multiboot file.
  if (spec.plan.kind != BootPlan::Kind::direct_multiboot) add(argv, {"-append", spec.plan.cmdline});
  add(argv, {"-chardev", socket_chardev("qmp", qmp_fd), "-mon", "chardev=qmp,mode=control"});
  add(argv, {"-chardev", socket_chardev("console", console_fd), "-serial", "chardev:console"});
  if (spec.agent_port)
    add(argv, {"-device", "virtio-serial-pci", "-chardev", socket_chardev("agent", agent_fd), "-device",
               "virtserialport,chardev=agent,name=org.kdev.agent.0"});
  add(argv, {"-device", "pvpanic-pci", "-device", "vmcoreinfo"});
  argv.insert(argv.end(), spec.extra_args.begin(), spec.extra_args.end());
  return argv;
}

}  // namespace kdev::hypervisor
