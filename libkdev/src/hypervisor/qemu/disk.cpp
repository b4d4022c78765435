// Disks, by qemu-img(1).
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "common/json.hpp"
#include "hypervisor/qemu/qemu.hpp"

namespace kdev::hypervisor {
namespace {

const char* name_of(MachineDisk::Format format) {
  return format == MachineDisk::Format::qcow2 ? "qcow2" : "raw";
}

std::string qemu_img(const std::string& attempted, std::vector<std::string> arguments,
                     const Deadline& deadline) {
  Host& host = *local_host();
  if (!host.which("qemu-img"))
    throw HostError({.attempted = attempted,
                     .reason = "qemu-img is not installed",
                     .hint = "apt install qemu-utils",
                     .log = {}});
  arguments.insert(arguments.begin(), "qemu-img");
  const ProcessResult result = host.run(Command{.argv = std::move(arguments)}, {.deadline = deadline});
  if (!result.ok())
    throw HostError({.attempted = attempted,
                     .reason = fmt::format("{}: {}", describe(result.status), result.err),
                     .hint = {},
                     .log = {}});
  return result.out;
}

}  // namespace

void Qemu::make_disk(const MachineDisk& disk, std::uint64_t size, const Deadline& deadline) const {
  qemu_img("make the disk " + disk.file.string(),
           {"create", "-q", "-f", name_of(disk.format), disk.file.string(), std::to_string(size)}, deadline);
}

MachineDisk Qemu::make_overlay(const MachineDisk& base, const Path& file, const Deadline& deadline) const {
  MachineDisk overlay = base;
  overlay.file = file;
  overlay.format = MachineDisk::Format::qcow2;
  qemu_img(
      "make an overlay of " + base.file.string(),
      {"create", "-q", "-f", "qcow2", "-F", name_of(base.format), "-b", base.file.string(), file.string()},
      deadline);
  return overlay;
}

void Qemu::grow_disk(const MachineDisk& disk, std::uint64_t size, const Deadline& deadline) const {
  const std::string attempted = fmt::format("grow the disk {} to {} bytes", disk.file.string(), size);
  const std::string said = qemu_img(
      attempted, {"info", "--output=json", "-f", name_of(disk.format), disk.file.string()}, deadline);
  const auto now = static_cast<std::uint64_t>(
      json::get_int(json::parse_object(said, "qemu-img's answer"), "virtual-size"));
  if (now == size) return;
  if (now > size)
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("it has {} bytes already", now),
                       .hint = "what is on it would be cut off: make another",
                       .log = {}});
  qemu_img(attempted, {"resize", "-q", "-f", name_of(disk.format), disk.file.string(), std::to_string(size)},
           deadline);
}

}  // namespace kdev::hypervisor
