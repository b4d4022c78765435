// A medium's partitions. Own code for two tables of fixed layout: what libraries for this bring (libblkid,
// libfdisk) is made for the block devices of the running machine.
#include <boost/crc.hpp>

#include "crash/core/media.hpp"

namespace kdev::crash {
namespace {

std::uint64_t le(std::string_view s, std::size_t at, std::size_t size) {
  std::uint64_t v = 0;
  for (std::size_t i = size; i-- > 0;) v = v << 8 | static_cast<unsigned char>(s[at + i]);
  return v;
}

std::uint32_t crc32(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

/// The name of an entry, UTF-16; what is not ASCII becomes '?'.
std::string label(std::string_view utf16) {
  std::string s;
  for (std::size_t at = 0; at + 1 < utf16.size(); at += 2) {
    const auto c = le(utf16, at, 2);
    if (!c) break;
    s += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '?';
  }
  return s;
}

/// False: there is no table at that block.
bool read_gpt(const guest::CoreBytes& media, std::uint64_t sector, std::uint64_t block,
              std::vector<Partition>& out) {
  std::string header(512, '\0');
  if (block > media.size() / sector || !media.read(block * sector, header.data(), header.size()))
    return false;
  if (!header.starts_with("EFI PART")) return false;
  const auto header_size = le(header, 12, 4);
  if (header_size < 92 || header_size > header.size()) return false;
  std::string summed = header.substr(0, header_size);
  summed.replace(16, 4, 4, '\0');
  if (crc32(summed) != le(header, 16, 4)) return false;
  const auto entries_at = le(header, 72, 8), count = le(header, 80, 4), entry_size = le(header, 84, 4);
  if (entry_size < 128 || entry_size > 4096 || count > 4096 || entries_at > media.size() / sector)
    return false;
  std::string entries(count * entry_size, '\0');
  if (!media.read(entries_at * sector, entries.data(), entries.size())) return false;
  if (crc32(entries) != le(header, 88, 4)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto entry = std::string_view(entries).substr(i * entry_size, entry_size);
    if (entry.substr(0, 16).find_first_not_of('\0') == std::string_view::npos) continue;
    const auto first = le(entry, 32, 8), last = le(entry, 40, 8);
    // Beyond the medium: a cut-off image; what lies there cannot be read anyway.
    if (last < first || last >= media.size() / sector) continue;
    out.push_back(
        {static_cast<int>(i) + 1, label(entry.substr(56, 72)), first * sector, (last - first + 1) * sector});
  }
  return true;
}

void read_mbr(const guest::CoreBytes& media, std::vector<Partition>& out) {
  std::string sector(512, '\0');
  if (!media.read(0, sector.data(), sector.size()) || le(sector, 510, 2) != 0xaa55) return;
  for (int i = 0; i < 4; ++i) {
    const auto entry = std::string_view(sector).substr(446 + 16 * static_cast<std::size_t>(i), 16);
    const auto type = le(entry, 4, 1), first = le(entry, 8, 4), count = le(entry, 12, 4);
    // Also a file system's first sector has that signature: a status byte is 0 or 0x80.
    if (le(entry, 0, 1) & 0x7f) return;
    if (type == 0 || type == 0xee || count == 0 || first == 0 || first + count > media.size() / 512) continue;
    out.push_back({i + 1, {}, first * 512, count * 512});
  }
}

}  // namespace

std::vector<Partition> partitions(const guest::CoreBytes& media) {
  std::vector<Partition> found{{0, {}, 0, media.size()}};
  for (const std::uint64_t sector : {512, 4096}) {
    const auto blocks = media.size() / sector;
    if (blocks < 3) continue;
    if (read_gpt(media, sector, 1, found) || read_gpt(media, sector, blocks - 1, found)) return found;
  }
  read_mbr(media, found);
  return found;
}

}  // namespace kdev::crash
