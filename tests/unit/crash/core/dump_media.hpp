#pragma once
// Media with dumps on them, written by the tests.
#include <boost/crc.hpp>
#include <boost/filesystem.hpp>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <kdev/core.hpp>
#include <string>

namespace kdev::test {

/// A folder of the test's own; gone afterwards.
class Folder {
 public:
  Folder()
      : path_(boost::filesystem::temp_directory_path() /
              boost::filesystem::unique_path("kdev-core-%%%%%%%%")) {
    boost::filesystem::create_directories(path_);
  }
  ~Folder() {
    boost::system::error_code ec;
    boost::filesystem::remove_all(path_, ec);
  }
  Path operator/(const std::string& name) const { return path_ / name; }
  Path path() const { return path_; }
  Path write(const std::string& name, const std::string& content) const {
    std::ofstream((path_ / name).string(), std::ios::binary) << content;
    return path_ / name;
  }

 private:
  Path path_;
};

inline std::string content_of(const Path& file) {
  std::ifstream in(file.string(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void put_le(std::string& s, std::size_t at, std::uint64_t v, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) s[at + i] = static_cast<char>(v >> (8 * i));
}
inline void put_be(std::string& s, std::size_t at, std::uint64_t v, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) s[at + i] = static_cast<char>(v >> (8 * (size - 1 - i)));
}

/// struct kerneldumpheader, sys/sys/kerneldump.h.
struct Header {
  std::string magic = "FreeBSD Kernel Dump";
  std::uint64_t length = 0, extent = 0;
  std::uint32_t version = 4, key_size = 0, block_size = 512;
  int compression = 0;
  std::string panic = "page fault";

  std::string bytes() const {
    std::string s(512, '\0');
    s.replace(0, magic.size(), magic);
    s.replace(20, 5, "amd64");
    put_be(s, 32, version, 4);
    put_be(s, 36, 2, 4);
    put_be(s, 40, length, 8);
    put_be(s, 48, 1700000000, 8);
    put_be(s, 56, key_size, 4);
    put_be(s, 60, block_size, 4);
    s.replace(64, 4, "node");
    const std::string text = "FreeBSD 13.2-RELEASE KDEV\n    root@host:/obj\n";
    s.replace(128, text.size(), text);
    s.replace(320, panic.size(), panic);
    s[495] = static_cast<char>(compression);
    put_be(s, 496, extent ? extent : length, 8);
    char parity[4] = {};
    for (std::size_t at = 0; at < 512; ++at) parity[at % 4] ^= s[at];
    s.replace(508, 4, parity, 4);
    return s;
  }
};

/// Puts a dump at the end of `medium`[0, end).
inline void put_dump(std::string& medium, std::size_t end, const Header& header, const std::string& data) {
  const std::size_t sector = header.block_size;
  const std::size_t at = end - sector - (header.extent ? header.extent : header.length);
  medium.replace(at, data.size(), data);
  medium.replace(at - header.key_size - sector, 512, header.bytes());
  medium.replace(end - sector, 512, header.bytes());
}

inline std::uint32_t crc_of(const std::string& s) {
  boost::crc_32_type crc;
  crc.process_bytes(s.data(), s.size());
  return crc.checksum();
}

struct GptEntry {
  std::uint64_t first, last;
  std::string name;
};

/// A GUID partition table of 128 entries at block 1, its copy at the medium's end.
inline void put_gpt(std::string& medium, const std::vector<GptEntry>& parts, std::size_t sector = 512) {
  std::string entries(128 * 128, '\0');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    entries[i * 128] = 1;
    put_le(entries, i * 128 + 32, parts[i].first, 8);
    put_le(entries, i * 128 + 40, parts[i].last, 8);
    for (std::size_t c = 0; c < parts[i].name.size(); ++c) entries[i * 128 + 56 + 2 * c] = parts[i].name[c];
  }
  const auto header_at = [&](std::uint64_t table) {
    std::string h(512, '\0');
    h.replace(0, 8, "EFI PART");
    put_le(h, 8, 0x10000, 4);
    put_le(h, 12, 92, 4);
    put_le(h, 72, table, 8);
    put_le(h, 80, 128, 4);
    put_le(h, 84, 128, 4);
    put_le(h, 88, crc_of(entries), 4);
    put_le(h, 16, crc_of(h.substr(0, 92)), 4);
    return h;
  };
  const std::size_t blocks = medium.size() / sector, table_blocks = entries.size() / sector;
  medium.replace(sector, 512, header_at(2));
  medium.replace(2 * sector, entries.size(), entries);
  medium.replace((blocks - 1) * sector, 512, header_at(blocks - 1 - table_blocks));
  medium.replace((blocks - 1 - table_blocks) * sector, entries.size(), entries);
}

/// Bytes that no two places have alike, with holes.
inline std::string pattern(std::size_t size) {
  std::string s(size, '\0');
  for (std::size_t i = 0; i + 8 <= size; i += 8)
    if (i / 16384 % 2 == 0) put_le(s, i, i * 0x9e3779b97f4a7c15ull + 1, 8);
  return s;
}

}  // namespace kdev::test
