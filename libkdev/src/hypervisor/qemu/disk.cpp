// Disks, by qemu-img(1).
#include <fmt/format.h>

#include <array>
#include <boost/endian/conversion.hpp>
#include <fstream>
#include <kdev/error.hpp>

#include "common/json.hpp"
#include "host/hostfs.hpp"
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

void Qemu::make_raw(const MachineDisk& disk, const Path& raw, const Deadline& deadline) const {
  const Path full = hostfs::absolute(disk.file);  // a name that begins with '-' is no option
  qemu_img(fmt::format("read the disk {}", disk.file.string()),
           {"convert", "-f", name_of(disk.format), "-O", "raw", "-S", "4k", full.string(), raw.string()},
           deadline);
}

bool Qemu::refers_to_files(const MachineDisk& disk) const {
  if (disk.format == MachineDisk::Format::raw) return false;
  // QEMU's docs/interop/qcow2.txt: magic, version; at 8 the backing file's name, at 72 (version 3) the
  // incompatible features, whose bit 2 is an external data file. qemu-img info would open what they name.
  std::array<unsigned char, 80> header{};
  std::ifstream in(disk.file.string(), std::ios::binary);
  in.read(reinterpret_cast<char*>(header.data()), header.size());
  const std::string_view magic(reinterpret_cast<const char*>(header.data()), 4);
  if (in.gcount() < 72 || magic != "QFI\xfb")
    throw FormatError({.attempted = "look at the disk " + disk.file.string(),
                       .reason = "it is no qcow2 image",
                       .hint = "",
                       .log = disk.file});
  const bool newer = boost::endian::load_big_u32(&header[4]) >= 3 && in.gcount() == header.size();
  return boost::endian::load_big_u64(&header[8]) || (newer && boost::endian::load_big_u64(&header[72]) & 4);
}

}  // namespace kdev::hypervisor
