// SeedImages that are whole disks.
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/seed_image.hpp>

#include "common/size.hpp"
#include "guest/guest.hpp"
#include "host/hostfs.hpp"
#include "host/sparse_file.hpp"
#include "host/temporary_folder.hpp"
#include "hypervisor/hypervisor.hpp"
#include "image/boot_disk.hpp"
#include "image/fetch.hpp"
#include "image/unpack_disk.hpp"

namespace kdev {

SeedImage SeedImage::disk(const Path& file, Os os, bool agent) {
  SeedImage image;
  image.disk_ = hostfs::absolute(file);
  if (!hostfs::is_file(image.disk_))
    throw HostError({.attempted = "use " + file.string() + " as a disk image",
                     .reason = "there is no such file",
                     .hint = "",
                     .log = {}});
  image.os_ = os;
  image.agent_ = agent;
  return image;
}

SeedImage SeedImage::from_url(const std::string& url, Os os, const std::string& sha256,
                              const std::string& checksums, bool agent) {
  if (url.find("://") == std::string::npos)
    throw ConfigError({.attempted = "use " + url + " as a disk image",
                       .reason = "it is no URL",
                       .hint = "SeedImage.disk() takes a file",
                       .log = {}});
  if (!sha256.empty() &&
      (sha256.size() != 64 || sha256.find_first_not_of("0123456789abcdefABCDEF") != sha256.npos))
    throw ConfigError({.attempted = "use " + url + " as a disk image",
                       .reason = "\"" + sha256 + "\" is no SHA-256",
                       .hint = "64 hexadecimal digits",
                       .log = {}});
  SeedImage image;
  image.url_ = url;
  image.sha256_ = sha256;
  image.checksums_ = checksums;
  image.os_ = os;
  image.agent_ = agent;
  return image;
}

SeedImage SeedImage::grow(const std::string& size) const {
  parse_size(size, "the size of a disk", 1);
  SeedImage image = *this;
  image.disk_size_ = size;
  return image;
}

DiskFile SeedImage::fetch(const Path& cache_dir, const EventSink& on_event, const Deadline& deadline) const {
  if (!is_disk())
    throw ConfigError({.attempted = "fetch a disk image",
                       .reason = "the image is no disk",
                       .hint = "SeedImage.disk() and from_url() make one",
                       .log = {}});
  const Path packed = url_.empty() ? disk_
                                   : kdev::fetch({.url = url_, .sha256 = sha256_, .checksums = checksums_},
                                                 cache_dir, on_event, deadline);
  const Path file = unpack_disk(packed, cache_dir, deadline);
  if (!url_.empty() && hypervisor::all_hypervisors().front()->refers_to_files(hypervisor::disk_at(file)))
    throw FormatError({.attempted = "use " + url_ + " as a disk image",
                       .reason = "it names another file as a part of it",
                       .hint = "qemu-img convert makes a whole one",
                       .log = file});
  return {.file = file,
          .size = static_cast<std::uint64_t>(local_host()->status(file).size),
          .real_size = real_size(file)};
}

DiskFile SeedImage::write_disk(const Path& file, const KernelArtifact& kernel, const std::string& variables,
                               const Deadline& deadline) const {
  const guest::Guest& guest = guest::guest_for(kernel.os);
  for (const BootPlan& plan : guest.boot_plans(
           {.kernel = kernel, .cmdline = variables, .agent = agent_is_init(), .loaders = !boot_.empty()})) {
    if (plan.kind != BootPlan::Kind::disk_bios) continue;
    const Path target = hostfs::absolute(file);
    const TemporaryFolder temporary(target.parent_path());
    const Path made = realize_boot_disk(
        *this, guest.disk_layout({.kernel = kernel, .plan = plan, .boot = boot_, .swap = swap_bytes_}),
        temporary.path, deadline);
    local_host()->rename(made, target);
    return {.file = target,
            .size = static_cast<std::uint64_t>(local_host()->status(target).size),
            .real_size = real_size(target)};
  }
  throw ConfigError({.attempted = "write the disk " + file.string(),
                     .reason = "the image has no boot loaders",
                     .hint = "SeedImage.userland(ws.build_userland()) brings the tree's own",
                     .log = {}});
}

}  // namespace kdev
