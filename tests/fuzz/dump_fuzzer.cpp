// Any bytes are a medium with dumps or without, and a minidump, an ELF core file, or neither.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <kdev/error.hpp>

#include "crash/core/elf_core.hpp"
#include "crash/core/find_dumps.hpp"
#include "crash/core/flattened.hpp"
#include "guest/guest.hpp"

namespace {

struct Bytes final : kdev::guest::CoreBytes {
  const std::uint8_t* data;
  std::size_t length;
  Bytes(const std::uint8_t* d, std::size_t n) : data(d), length(n) {}
  std::uint64_t size() const override { return length; }
  bool read(std::uint64_t offset, void* to, std::size_t size) const override {
    if (offset > length || size > length - offset) return false;
    if (size) std::memcpy(to, data + offset, size);
    return true;
  }
};

void look(kdev::guest::CoreMemory& memory, const Bytes& bytes) {
  if (bytes.length > 8) memory.set_page_tables(bytes.data[bytes.length - 1] * 4096u, 4 + bytes.length % 2);
  memory.notes();
  memory.raw_messages();
  memory.problems();
  memory.physical_ranges();
  memory.kernel_mappings({});
  char piece[5000];
  for (const std::uint64_t base :
       {0ull, 0x1000ull, 0xfffff80000000000ull, 0xfffffe0000000000ull, 0xffffffff80000000ull,
        0xffff000000000000ull, 0xffffa00000000000ull, ~0ull, ~0ull - 4096})
    for (const std::uint64_t step : {0ull, 1ull, 4095ull, 0x200000ull, 0x40000000ull}) {
      memory.read_virtual(base + step, piece, sizeof(piece));
      memory.read_physical(base + step, piece, sizeof(piece));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  for (const auto& info : kdev::crash::dumps_on(bytes)) {
    if (info.problem.empty() && (info.offset > size || info.length > size - info.offset)) std::abort();
    if (!(kdev::DumpInfo::from_json(info.to_json()) == info) && info.problem.empty()) std::abort();
  }
  try {
    std::vector<std::string> problems;
    kdev::crash::unflatten(bytes, "fuzz", problems, {});
    for (const kdev::guest::Guest* g : kdev::guest::all_guests()) {
      if (!g->core()) continue;
      if (const auto memory = g->core()->open(bytes)) look(*memory, bytes);
    }
    int abi = 0;
    if (const auto memory = kdev::crash::open_elf_core(bytes, &abi)) {
      for (const kdev::guest::Guest* g : kdev::guest::all_guests()) {
        if (!g->core() || !g->core()->owns_elf(abi, *memory)) continue;
        // As far as it can be read without the kernel's file.
        if (const auto place = g->core()->place(*memory, nullptr))
          memory->set_page_tables(place->page_tables, place->levels);
        g->core()->messages(*memory, nullptr);
        g->core()->build_id(*memory);
      }
      look(*memory, bytes);
    }
  } catch (const kdev::FormatError&) {
  }
  return 0;
}
