#include "vm/disks.hpp"

#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "common/size.hpp"
#include "host/hostfs.hpp"
#include "host/sparse_file.hpp"

namespace kdev::vm {
namespace {

namespace fs = boost::filesystem;
using hypervisor::MachineDisk;

// What a virtio-blk device tells of it (virtio 1.2, 5.2.6.1: VIRTIO_BLK_ID_BYTES).
constexpr std::size_t serial_bytes = 20;

[[noreturn]] void cannot_be(const Disk& disk, std::string reason, std::string hint) {
  throw ConfigError({.attempted = fmt::format("attach the disk {}", disk.file.string()),
                     .reason = std::move(reason),
                     .hint = std::move(hint),
                     .log = {}});
}

MachineDisk prepare(const Disk& disk, const Path& made, const hypervisor::Hypervisor& hypervisor,
                    const Deadline& deadline) {
  const std::uint64_t size = disk.size.empty() ? 0 : parse_size(disk.size, "the size of a disk", 1);
  if (disk.serial.size() > serial_bytes)
    cannot_be(disk, fmt::format("its serial \"{}\" is longer than {} bytes", disk.serial, serial_bytes), "");
  MachineDisk result = hypervisor::disk_at(hostfs::absolute(disk.file));
  result.serial = disk.serial;
  result.read_only = disk.read_only;
  result.keep = disk.keep;
  if (disk.read_only && size && disk.keep) cannot_be(disk, "it is read-only, and shall grow", "");
  boost::system::error_code ec;
  if (disk.file.empty()) {
    if (!size) cannot_be(disk, "it has neither a file nor a size", "Disk.blank(\"1G\") is an empty one");
    result.file = made.string() + ".raw";
    if (!fs::exists(result.file, ec)) make_sparse_file(result.file, size);
    return result;
  }
  const bool there = fs::exists(result.file, ec);
  if (!there && !(disk.keep && size))
    cannot_be(disk, "there is no such file", disk.keep ? "give it a size, to have it made" : "");
  if (disk.keep) {
    if (!there)
      hypervisor.make_disk(result, size, deadline);
    else if (size)
      hypervisor.grow_disk(result, size, deadline);
    return result;
  }
  if (disk.read_only && !size) return result;
  const Path file = made.string() + ".qcow2";
  if (fs::exists(file, ec)) {
    result.file = file;
    result.format = MachineDisk::Format::qcow2;
    return result;
  }
  MachineDisk overlay = hypervisor.make_overlay(result, file, deadline);
  if (size) hypervisor.grow_disk(overlay, size, deadline);
  return overlay;
}

}  // namespace

std::vector<MachineDisk> prepare_disks(const std::vector<Disk>& disks, const Path& dir,
                                       const hypervisor::Hypervisor& hypervisor, const Deadline& deadline) {
  std::vector<MachineDisk> result;
  for (std::size_t i = 0; i < disks.size(); ++i)
    result.push_back(prepare(disks[i], dir / fmt::format("disk{}", i), hypervisor, deadline));
  return result;
}

}  // namespace kdev::vm
