#include <fmt/format.h>

#include <cstdlib>

#include "common/json.hpp"
#include "hypervisor/qemu/firmware.hpp"
#include "hypervisor/qemu/qemu.hpp"

namespace kdev::hypervisor {
namespace {

void add(std::vector<std::string>& argv, std::initializer_list<std::string> more) {
  argv.insert(argv.end(), more);
}

/// A chardev on a listening socket that kdev bound and passes: no race for the path, no limit on its length.
std::string socket_chardev(const char* id, int fd) {
  return fmt::format("socket,id={},fd={},server=on,wait=off", id, fd);
}

/// A recorded device's is over pipes (pipe_port.hpp), and connected from the start: when a peer comes is not
/// recorded.
std::string device_chardev(const char* id, int fd, bool recorded) {
  return recorded ? fmt::format("pipe,id={0},path=/proc/self/fd/{1}/{0}", id, dir_fd)
                  : socket_chardev(id, fd);
}

/// What QEMU 7.2's record and replay (docs/system/replay.rst) take of this machine.
void add_tape(std::vector<std::string>& argv, const MachineSpec& spec) {
  if (spec.tape == MachineSpec::Tape::none) return;
  // Only the input of character devices that some -serial names is recorded, and four of those are the
  // platform's own: as the fifth the agent's is nobody's port, but recorded.
  if (spec.agent_port) {
    for (int port = 1; port < 4; ++port) add(argv, {"-serial", "null"});
    add(argv, {"-serial", "chardev:agent"});
  }
  std::string file;
  for (const char c : spec.tape_file.string()) file += c == ',' ? ",," : std::string(1, c);
  add(argv, {"-icount", fmt::format("shift=auto,rr={},rrfile={}",
                                    spec.tape == MachineSpec::Tape::record ? "record" : "replay", file)});
}

/// A block node in QEMU's own words (qapi/block-core.json: BlockdevOptions); commas in names do no harm
/// there.
json::object file_node(const Path& file, bool read_only) {
  return {{"driver", "file"}, {"filename", file.string()}, {"read-only", read_only}, {"discard", "unmap"}};
}

void add_disk(std::vector<std::string>& argv, const MachineSpec& spec, std::size_t index) {
  const MachineDisk& disk = spec.disks[index];
  const std::string name = fmt::format("disk{}", index);
  const json::object node{{"driver", disk.format == MachineDisk::Format::qcow2 ? "qcow2" : "raw"},
                          {"node-name", name},
                          {"read-only", disk.read_only},
                          {"discard", "unmap"},
                          {"cache", json::object{{"no-flush", !disk.keep}}},
                          {"file", file_node(disk.file, disk.read_only)}};
  const bool boots = index == 0 && spec.plan.boots_disk();
  // In an option's list of values a comma is written twice.
  std::string serial;
  for (const char c : disk.serial) serial += c == ',' ? ",," : std::string(1, c);
  add(argv, {"-blockdev", json::dump(node), "-device",
             fmt::format("virtio-blk-pci,drive={}{}{}", name, serial.empty() ? "" : ",serial=" + serial,
                         boots ? ",bootindex=1" : "")});
}

void add_boot(std::vector<std::string>& argv, const MachineSpec& spec) {
  const BootPlan& plan = spec.plan;
  if (plan.kind == BootPlan::Kind::disk_uefi) {
    json::object code = file_node(find_firmware().value().code, true),
                 variables = file_node(spec.dir / uefi_variables, false);
    code["node-name"] = "firmware";
    variables["node-name"] = "uefi-variables";
    add(argv, {"-blockdev", json::dump(code), "-blockdev", json::dump(variables)});
    add(argv, {"-machine", "pflash0=firmware,pflash1=uefi-variables"});
  }
  if (plan.boots_disk()) return;
  add(argv, {"-kernel", plan.kernel.string()});
  if (!plan.initrd.empty()) add(argv, {"-initrd", plan.initrd.string()});
  // Nobody reads a command line in a multiboot file.
  if (plan.kind != BootPlan::Kind::direct_multiboot) add(argv, {"-append", plan.cmdline});
}

}  // namespace

std::string qemu_program() {
  const char* program = std::getenv("KDEV_QEMU");
  return program && *program ? program : "qemu-system-x86_64";
}

bool Qemu::can_boot(BootPlan::Kind kind) const {
  using Kind = BootPlan::Kind;
  switch (kind) {
    case Kind::direct_elf:
    case Kind::direct_image:
    case Kind::direct_multiboot:
    case Kind::disk_bios:
      return true;
    case Kind::disk_uefi:
      return find_firmware().has_value();
  }
  return false;
}

std::vector<std::string> Qemu::command_line(const MachineSpec& spec) const {
  std::vector<std::string> argv{qemu_program()};
  const bool taped = spec.tape != MachineSpec::Tape::none;
  add(argv, {"-name", "guest=" + spec.name});
  // Nothing that was not asked for: no default devices, no user configuration, no display.
  add(argv, {"-nodefaults", "-no-user-config", "-display", "none", "-machine",
             fmt::format("q35,memory-backend={}", memory_name)});
  if (spec.accel == Accel::kvm)
    add(argv, {"-accel", "kvm", "-cpu", "host"});
  else
    add(argv, {"-accel", taped ? "tcg,thread=single" : "tcg,thread=multi", "-cpu", "qemu64"});
  add(argv, {"-m", fmt::format("{}M", spec.memory >> 20), "-smp", std::to_string(spec.cpus)});
  // In a file without a name that kdev has as well: to be read in place, and there when QEMU is not.
  add(argv, {"-object", fmt::format("memory-backend-file,id={},size={}M,mem-path=/proc/self/fd/{},share=on",
                                    memory_name, spec.memory >> 20, memory_fd)});
  // A panicking guest goes on until it has printed everything; a rebooting one ends.
  add(argv, {"-no-reboot", "-action", "panic=none"});
  if (spec.paused) add(argv, {"-S"});
  add_boot(argv, spec);
  for (std::size_t i = 0; i < spec.disks.size(); ++i) add_disk(argv, spec, i);
  add(argv, {"-chardev", socket_chardev("qmp", qmp_fd), "-mon", "chardev=qmp,mode=control"});
  add(argv, {"-chardev", socket_chardev("control", control_fd), "-mon", "chardev=control,mode=control"});
  add(argv, {"-chardev", device_chardev("console", console_fd, taped), "-serial", "chardev:console"});
  if (spec.debug_port)
    add(argv, {"-chardev", socket_chardev("debug", debug_fd), "-device", "isa-serial,chardev=debug,index=1"});
  if (spec.agent_port)
    // With ioeventfd another thread hears of the guest's notification, at no moment that a replay could
    // repeat.
    add(argv, {"-device", taped ? "virtio-serial-pci,ioeventfd=off" : "virtio-serial-pci", "-chardev",
               device_chardev("agent", agent_fd, taped), "-device",
               "virtserialport,chardev=agent,name=org.kdev.agent.0"});
  add(argv, {"-device", "pvpanic-pci", "-device", "vmcoreinfo"});
  add_tape(argv, spec);
  argv.insert(argv.end(), spec.extra_args.begin(), spec.extra_args.end());
  return argv;
}

}  // namespace kdev::hypervisor
