// What packs a page in a kdump-compressed file: makedumpfile's -c, -l, -p and -z.
#include <dlfcn.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>

#include "crash/core/kdump_pages.hpp"

namespace kdev::crash {
namespace {

/// LZO is under the GPL: loaded where it is, linked nowhere (lzo/lzo1x.h; lzo_uint is a size_t).
using Lzo = int (*)(const unsigned char* from, std::size_t size, unsigned char* to, std::size_t* room,
                    void* nothing);
Lzo lzo() {
  static const auto function = [] {
    void* library = ::dlopen("liblzo2.so.2", RTLD_NOW | RTLD_LOCAL);
    return library ? reinterpret_cast<Lzo>(::dlsym(library, "lzo1x_decompress_safe")) : nullptr;
  }();
  return function;
}

}  // namespace

bool can_expand_lzo() {
  return lzo();
}

bool expand_kdump_page(std::uint32_t flags, std::string_view packed, char* to) {
  std::size_t room = kdump_page;
  const auto* from = reinterpret_cast<const unsigned char*>(packed.data());
  auto* out = reinterpret_cast<unsigned char*>(to);
  switch (flags & KdumpPage::packed) {
    case 0:
      if (packed.size() != kdump_page) return false;
      std::memcpy(to, packed.data(), kdump_page);
      return true;
    case KdumpPage::zlib: {
      uLongf size = room;
      return uncompress(out, &size, from, packed.size()) == Z_OK && size == kdump_page;
    }
    case KdumpPage::lzo:
      return lzo() && lzo()(from, packed.size(), out, &room, nullptr) == 0 && room == kdump_page;
    case KdumpPage::snappy:
      return snappy_uncompress(packed.data(), packed.size(), to, &room) == SNAPPY_OK && room == kdump_page;
    case KdumpPage::zstd:
      return ZSTD_decompress(to, room, packed.data(), packed.size()) == kdump_page;
    default:
      return false;
  }
}

}  // namespace kdev::crash
