#pragma once
// A second, independent view of newc archives, for tests: fields at fixed places (the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst), nothing of libarchive.
#include <cstdlib>
#include <string>
#include <vector>

namespace kdev::test {

struct NewcEntry {
  unsigned long inode, mode, uid, gid, links, mtime, size, rdev_major, rdev_minor;
  std::string name, data;
};

/// Up to and with the trailer.
inline std::vector<NewcEntry> parse_newc(const std::string& bytes) {
  std::vector<NewcEntry> out;
  for (std::size_t at = 0; at + 110 <= bytes.size();) {
    if (bytes.compare(at, 6, "070701") != 0) return {};
    unsigned long field[13];
    for (int i = 0; i < 13; ++i)
      field[i] = std::strtoul(bytes.substr(at + 6 + 8 * i, 8).c_str(), nullptr, 16);
    NewcEntry e{field[0], field[1], field[2],  field[3], field[4], field[5],
                field[6], field[9], field[10], {},       {}};
    e.name = bytes.substr(at + 110, field[11] - 1);
    const std::size_t data = (at + 110 + field[11] + 3) & ~std::size_t{3};
    e.data = bytes.substr(data, field[6]);
    at = (data + field[6] + 3) & ~std::size_t{3};
    out.push_back(e);
    if (e.name == "TRAILER!!!") break;
  }
  return out;
}

/// One entry as bytes; the header is right, the rest is as given.
inline std::string newc_entry(const std::string& name, unsigned mode, const std::string& data = "",
                              unsigned inode = 1, unsigned links = 1) {
  char header[111];
  std::snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", inode,
                mode, 0, 0, links, 0, data.size(), 0, 0, 0, 0, name.size() + 1, 0);
  std::string out = header + name + '\0';
  out.append(-out.size() % 4, '\0');
  out += data;
  out.append(-out.size() % 4, '\0');
  return out;
}

inline std::string newc_trailer() {
  return newc_entry("TRAILER!!!", 0, "", 0);
}

}  // namespace kdev::test
