// Any headers, notes, bitmaps, descriptors and packed pages are a kdump-compressed file or a FormatError. Blocks are mostly zeros: the input has the first bytes of each.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <kdev/error.hpp>
#include <string>

#include "crash/core/kdump_core.hpp"
#include "guest/guest.hpp"

namespace {

constexpr std::size_t block = 4096, given = 480, most_blocks = 64;
// Other than most of a header, what follows is not the input's: it would hardly ever get past it.
constexpr std::string_view signature = "KDUMP   ", machine = "x86_64";
constexpr std::size_t machine_at = 12 + 4 * 65;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > most_blocks * given) return 0;
  std::string file;
  for (std::size_t at = 0; at < size; at += given) {
    file.append(reinterpret_cast<const char*>(data) + at, std::min(given, size - at));
    // The last one may be cut off.
    if (at + given < size) file.resize((at / given + 1) * block);
  }
  if (file.size() > machine_at + machine.size()) {
    file.replace(0, signature.size(), signature);
    file.replace(machine_at, machine.size() + 1, std::string(machine) + '\0');
  }
  const int fd = ::memfd_create("kdump", MFD_CLOEXEC);
  if (fd < 0 || ::pwrite(fd, file.data(), file.size(), 0) != static_cast<ssize_t>(file.size())) std::abort();
  const kdev::crash::FileBytes bytes(kdev::UniqueFd(fd), file.size());
  try {
    const auto memory = kdev::crash::open_kdump_core(bytes);
    if (!memory) return 0;
    char piece[5000];
    for (const auto& range : memory->physical_ranges()) {
      const auto end = range.address + std::min<std::uint64_t>(range.size, 8 * block);
      for (auto at = range.address; at < end; at += 1500) memory->read_physical(at, piece, sizeof(piece));
    }
    for (const std::uint64_t at : {0ull, 4095ull, 0x100000000ull, ~0ull - 10})
      memory->read_physical(at, piece, sizeof(piece));
    memory->problems();
    for (const kdev::guest::Guest* g : kdev::guest::all_guests()) {
      if (!g->core() || !g->core()->owns_elf(0, *memory)) continue;
      if (const auto place = g->core()->place(*memory, nullptr))
        memory->set_page_tables(place->page_tables, place->levels);
      g->core()->messages(*memory, nullptr);
      g->core()->build_id(*memory);
      g->core()->vmcoreinfo(*memory, nullptr);
    }
    memory->read_virtual(0xffffffff81000000, piece, sizeof(piece));
    memory->kernel_mappings({});
  } catch (const kdev::FormatError&) {
  }
  return 0;
}
