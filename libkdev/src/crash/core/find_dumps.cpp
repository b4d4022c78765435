#include "crash/core/find_dumps.hpp"

#include <fmt/format.h>

#include "guest/guest.hpp"

namespace kdev {
namespace crash {
namespace {

/// Fills in where the dump lies, and what is wrong with that.
void place(DumpInfo& info, const guest::CoreBytes& media, const Partition& partition, const std::string& last,
           std::uint64_t sector) {
  info.partition = partition.number;
  info.partition_name = partition.name;
  if (!info.problem.empty()) return;
  const auto room = partition.size - sector;  // the last header's own is taken
  if (info.block_size != sector && info.block_size != 0) {
    info.problem =
        fmt::format("its header states blocks of {} bytes, the medium has {}", info.block_size, sector);
    return;
  }
  if (info.length > info.extent || info.extent > room || info.key_size > room - info.extent ||
      sector > room - info.extent - info.key_size) {
    info.problem = fmt::format("its header states {} bytes, more than the {} before it", info.length, room);
    return;
  }
  info.offset = partition.offset + room - info.extent;
  std::string first(last.size(), '\0');
  if (!media.read(info.offset - info.key_size - sector, first.data(), first.size()))
    info.problem = "its first header cannot be read";
  else if (first != last)
    info.problem = "the headers before and behind it differ: it is cut off, or was written over";
}

}  // namespace

std::vector<DumpInfo> dumps_on(const guest::CoreBytes& media) {
  std::vector<DumpInfo> found;
  for (const auto& partition : partitions(media))
    for (const std::uint64_t sector : {512, 4096}) {
      std::string last(512, '\0');
      if (partition.size < 2 * sector) continue;
      if (!media.read(partition.offset + partition.size - sector, last.data(), last.size())) continue;
      std::optional<DumpInfo> info;
      for (const guest::Guest* g : guest::all_guests()) {
        if (const auto* rules = g->core(); rules && (info = rules->dump_header(last))) break;
      }
      if (!info) continue;
      place(*info, media, partition, last, sector);
      // A partition at the medium's end shares its last sector: then the dump is the partition's.
      if (partition.number && partition.offset + partition.size == media.size())
        std::erase_if(found, [](const DumpInfo& d) { return d.partition == 0; });
      found.push_back(std::move(*info));
      break;
    }
  return found;
}

}  // namespace crash

std::vector<DumpInfo> find_dumps(const Path& image, const Deadline& deadline) {
  const auto media = crash::open_media(image, "look for dumps on " + image.string(), deadline);
  return crash::dumps_on(*media);
}

}  // namespace kdev
