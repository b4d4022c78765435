#include "hypervisor/qemu/memory_map.hpp"

#include <gmock/gmock.h>

#include <kdev/error.hpp>

namespace kdev::hypervisor {
namespace {

using testing::ElementsAre;

// As QEMU 7.2 answers for a q35 machine with 4 GiB; firmware regions cut the low memory into pieces.
constexpr const char* large = R"(FlatView #0
 AS "I/O", root: io
 Root memory region: io
  0000000000000000-0000000000000007 (prio 0, i/o): dma-chan

FlatView #1
 AS "memory", root: system
 AS "cpu-memory-0", root: system
 Root memory region: system
  0000000000000000-00000000000c2fff (prio 0, ram): ram
  00000000000c3000-00000000000e7fff (prio 0, rom): ram @00000000000c3000
  00000000000e8000-000000007fffffff (prio 0, ram): ram @00000000000e8000 KVM
  00000000b0000000-00000000bfffffff (prio 0, i/o): pcie-mmcfg-mmio
  00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios
  00000000fffd0000-00000000ffffffff (prio 0, ram): ram2
  0000000100000000-000000017fffffff (prio 0, ram): ram @0000000080000000

FlatView #2
 AS "cpu-smm-0", root: memory
  0000000000000000-00000000ffffffff (prio 0, ram): ram
)";

TEST(MemoryMap, PiecesThatTouchAreOne) {
  EXPECT_THAT(read_memory_map(large, "ram"),
              ElementsAre(MemoryRange{0, 0x80000000, 0}, MemoryRange{0x100000000, 0x80000000, 0x80000000}));
  EXPECT_THAT(read_memory_map(large, "ram2"), ElementsAre(MemoryRange{0xfffd0000, 0x30000, 0}));
}

TEST(MemoryMap, LinesEndAsTheMonitorHasThem) {
  EXPECT_THAT(read_memory_map("FlatView #0\r\n AS \"memory\", root: system\r\n"
                              "  0000000000000000-000000001fffffff (prio 0, ram): ram\r\n",
                              "ram"),
              ElementsAre(MemoryRange{0, 0x20000000, 0}));
}

TEST(MemoryMap, WithoutTheBackendItIsRefused) {
  for (const char* text : {"", "FlatView #0\n AS \"I/O\", root: io\n  0-1 (prio 0, ram): ram\n",
                           "FlatView #0\n AS \"memory\", root: system\n  5-1 (prio 0, ram): ram\n",
                           "FlatView #0\n AS \"memory\", root: system\n  0-1 (prio 0, ram): ram @x\n",
                           "FlatView #0\n AS \"memory\", root: system\n  0-ffffffffffffffffff (prio 0, ram): ram\n"})
    EXPECT_THROW(read_memory_map(text, "ram"), DebugError) << text;
}

}  // namespace
}  // namespace kdev::hypervisor
