#pragma once
// A FreeBSD/amd64 kernel as one ELF32 file that a multiboot loader starts: no FreeBSD loader, no disk. What
// the loader would do at boot is done here on the host; shim.S does the few things that only the machine
// itself can.
#include <cstdint>
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <vector>

namespace kdev::guest {

/// sys/sys/reboot.h
enum BootHowto : std::uint32_t {
  rb_askname = 0x1,  ///< ask for the root file system
  rb_single = 0x2,   ///< stay in single user mode
  rb_kdb = 0x40,     ///< enter the debugger as soon as it works
  rb_verbose = 0x800,
  rb_serial = 0x1000,  ///< console on uart0
};

struct DirectImage {
  Path kernel;                ///< ELF64, with its symbol table
  Path root;                  ///< file system image that becomes md0; empty: none
  std::vector<Path> modules;  ///< NAME.ko files, linked with the kernel when it starts
  std::string entropy;        ///< seeds the kernel's random numbers, as /boot/entropy does; empty: none
  /// The kernel's environment: hints and tunables, as /boot/loader.conf sets them.
  std::map<std::string, std::string> environment;
  std::uint32_t howto = rb_serial;
  std::string kernel_name = "/boot/kernel/kernel";  ///< what kern.bootfile says
};

/// Writes the file. FormatError when the kernel is none of FreeBSD/amd64 or has no room for what goes along
/// (all of it has to lie below 1 GiB of physical memory); HostError when it cannot be read or written.
void write_direct_image(const DirectImage& image, const Path& out);

/// The module metadata that the kernel finds (sys/sys/linker.h, MODINFO_*; stand/common/modinfo.c), for
/// tests.
struct Modinfo {
  std::uint32_t type = 0;
  std::string data;
  bool operator==(const Modinfo&) const = default;
};
std::string encode_modinfo(const std::vector<Modinfo>& records);

}  // namespace kdev::guest
