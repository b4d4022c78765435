#include "guest/guest.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <kdev/error.hpp>

#include "guest/freebsd/freebsd.hpp"
#include "guest/linux/linux.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev {
namespace guest {

const SymbolRules& Guest::symbols() const {
  static const SymbolRules rules;
  return rules;
}

const std::vector<Scaffold>& Guest::scaffolds() const {
  static const std::vector<Scaffold> none;
  return none;
}

DiskLayout Guest::disk_layout(const DiskRequest&) const {
  throw ConfigError({.attempted = "lay out a disk for " + os_title(os()),
                     .reason = "kdev does not know how its disks are booted",
                     .hint = "",
                     .log = {}});
}

std::vector<ImageEntry> Guest::kernel_entries(const KernelArtifact&, const std::string&) const {
  throw ConfigError({.attempted = "install a kernel on a disk of " + os_title(os()),
                     .reason = "kdev does not know how its disks are booted",
                     .hint = "",
                     .log = {}});
}

DiskMount Guest::mount_first_disk() const {
  throw ConfigError({.attempted = "change a disk of " + os_title(os()),
                     .reason = "kdev does not know how its disks are mounted",
                     .hint = "",
                     .log = {}});
}

std::vector<ImageEntry> Guest::agent_service(const Path&) const {
  throw ConfigError({.attempted = "put the agent on a disk of " + os_title(os()),
                     .reason = "kdev does not know how its services are started",
                     .hint = "",
                     .log = {}});
}

FileChange Guest::select_kernel(const std::string& name, bool) const {
  throw ConfigError({.attempted = fmt::format("choose kernel {} on a disk of {}", name, os_title(os())),
                     .reason = "kdev does not know how its disks are booted",
                     .hint = "",
                     .log = {}});
}

const std::vector<const Guest*>& all_guests() {
  static const LinuxGuest linux_guest;
  static const FreebsdGuest freebsd_guest;
  static const std::vector<const Guest*> table = {&linux_guest, &freebsd_guest};
  return table;
}

const Guest& guest_for(Os os) {
  for (const Guest* g : all_guests())
    if (g->os() == os) return *g;
  throw ConfigError(
      {.attempted = "find the guest " + to_string(os), .reason = "not in the table", .hint = "", .log = {}});
}

}  // namespace guest

std::string to_string(Os os) {
  switch (os) {
    case Os::linux:
      return "linux";
    case Os::freebsd:
      return "freebsd";
  }
  return "?";
}

std::string os_title(Os os) {
  switch (os) {
    case Os::linux:
      return "Linux";
    case Os::freebsd:
      return "FreeBSD";
  }
  return "?";
}

Os running_os() {
  utsname name{};
  uname(&name);
  for (const guest::Guest* g : guest::all_guests())
    if (os_title(g->os()) == name.sysname) return g->os();
  throw ConfigError({.attempted = "ask which kernel this machine runs",
                     .reason = fmt::format("it is {}, which kdev does not know", name.sysname),
                     .hint = "name the operating system",
                     .log = {}});
}

Os os_from_string(std::string_view name) {
  for (Os os : {Os::linux, Os::freebsd})
    if (to_string(os) == name) return os;
  throw ConfigError({.attempted = "read the name of an operating system",
                     .reason = "unknown: '" + std::string(name) + "'",
                     .hint = "linux or freebsd",
                     .log = {}});
}

}  // namespace kdev
