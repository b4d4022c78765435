#pragma once
#include "hypervisor/hypervisor.hpp"

namespace kdev::hypervisor {

/// QEMU's system emulator for x86-64, 7.2 and newer.
class Qemu : public Hypervisor {
 public:
  std::string name() const override { return "QEMU"; }
  bool can_boot(BootPlan::Kind kind) const override;
  std::vector<std::string> command_line(const MachineSpec& spec) const override;
  std::string version(const Deadline& deadline) const override;
  void make_disk(const MachineDisk& disk, std::uint64_t size, const Deadline& deadline) const override;
  MachineDisk make_overlay(const MachineDisk& base, const Path& file,
                           const Deadline& deadline) const override;
  void grow_disk(const MachineDisk& disk, std::uint64_t size, const Deadline& deadline) const override;
  void make_raw(const MachineDisk& disk, const Path& raw, const Deadline& deadline) const override;
  bool refers_to_files(const MachineDisk& disk) const override;
  std::unique_ptr<OpenedStub> open_stub_in(const Path& dir, const Deadline& deadline) const override;
  std::unique_ptr<Machine> start(const MachineSpec& spec, Lease& lease,
                                 const Deadline& deadline) const override;
};

/// The program's name, looked up in PATH; KDEV_QEMU overrides it.
std::string qemu_program();

// Numbers under which the child finds the listening sockets it is given.
inline constexpr int qmp_fd = 10;
inline constexpr int console_fd = 11;
inline constexpr int agent_fd = 12;
inline constexpr int debug_fd = 13;
// And the guest's memory.
inline constexpr int memory_fd = 14;
// And the machine's folder, for sockets that QEMU binds itself: no limit on its name's length.
inline constexpr int dir_fd = 15;
// A second control socket, for other processes of the same user, one at a time.
inline constexpr int control_fd = 16;
inline constexpr const char* control_socket = "control.sock";

/// The backend of the guest's memory, by which memory maps name it.
inline constexpr const char* memory_name = "ram";

}  // namespace kdev::hypervisor
