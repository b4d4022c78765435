#include "crash/core/page_walk.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <kdev/error.hpp>
#include <map>

namespace kdev {
namespace {

using guest::Mapping;
using guest::MemoryRange;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t page = 4096, present = 1, large = 0x80;

struct Tables {
  std::map<std::uint64_t, std::vector<std::uint64_t>> tables;  // by physical address
  void set(std::uint64_t table, std::size_t index, std::uint64_t entry) {
    tables.try_emplace(table, 512).first->second[index] = entry;
  }
  std::vector<Mapping> walk(int levels, const Deadline& deadline = {}) const {
    const auto read = [this](std::uint64_t address, void* to, std::size_t size) {
      const auto it = tables.find(address);
      if (it == tables.end() || size != page) return false;
      std::memcpy(to, it->second.data(), size);
      return true;
    };
    return crash::kernel_mappings_x86_64(read, 0x1000, levels, deadline);
  }
};

TEST(PageWalk, PagesOfAllSizes) {
  Tables t;
  t.set(0x1000, 255, 0x2000 | present);  // programs' half
  t.set(0x1000, 256, 0x2000 | present);
  t.set(0x1000, 511, 0x3000 | present);
  t.set(0x2000, 0,
        0x40000000 | present | large | 1ull << 12 | 1ull << 63);  // 1 GiB; attributes are no address
  t.set(0x2000, 1, 0x80000000 | present | large);                 // goes on
  t.set(0x2000, 2, 0x80000000 | large);                           // not there
  t.set(0x3000, 510, 0x4000 | present);
  t.set(0x4000, 8, 0x200000 | present | large);  // 2 MiB
  t.set(0x4000, 9, 0x5000 | present);
  t.set(0x5000, 0, 0x400000 | present);          // goes on
  t.set(0x5000, 1, 0x700000 | present | large);  // that bit means something else here
  EXPECT_THAT(t.walk(4), ElementsAre(Mapping{0xffff800000000000, 0x40000000, 0x80000000},
                                     Mapping{0xffffffff81000000, 0x200000, 0x201000},
                                     Mapping{0xffffffff81201000, 0x700000, 0x1000}));
  Tables five;
  five.tables = t.tables;
  five.set(0x9000, 0, 0);
  five.tables[0x8000] = five.tables[0x1000];
  five.tables[0x1000].assign(512, 0);
  five.set(0x1000, 256, 0x8000 | present);
  five.set(0x8000, 0, 0x2000 | present);
  const auto walked = five.walk(5);
  ASSERT_FALSE(walked.empty());
  EXPECT_EQ((Mapping{0xff00000000000000, 0x40000000, 0x80000000}), walked[0]);
  EXPECT_THAT(five.walk(3), IsEmpty());
}

TEST(PageWalk, TablesThatLeadToThemselvesEnd) {
  Tables t;
  for (std::size_t i = 0; i < 512; ++i) {
    t.set(0x1000, i, 0x1000 | present);
    t.set(0x2000, i, 0x2000 | present);
  }
  EXPECT_THAT(t.walk(4), IsEmpty());
  t.set(0x1000, 300, 0x2000 | present);
  EXPECT_THAT(t.walk(5), IsEmpty());
  EXPECT_THROW(t.walk(4, Deadline::after(Seconds(0))), TimeoutError);
}

TEST(MemoryRuns, AreMergedAndCut) {
  EXPECT_THAT(guest::merged({{8, 4}, {0, 4}, {2, 4}, {12, 1}, {3, 1}}),
              ElementsAre(MemoryRange{0, 6}, MemoryRange{8, 5}));
  EXPECT_THAT(guest::without({{0, 10}, {20, 10}}, {{2, 2}, {6, 16}, {29, 100}}),
              ElementsAre(MemoryRange{0, 2}, MemoryRange{4, 2}, MemoryRange{22, 7}));
  EXPECT_THAT(guest::without({{0, 10}}, {}), ElementsAre(MemoryRange{0, 10}));
  EXPECT_THAT(guest::without({{5, 5}}, {{0, 20}}), IsEmpty());
  EXPECT_THAT(guest::within({{100, 0, 10}, {200, 5, 2}, {300, 15, 9}}, {{2, 3}, {6, 10}}),
              ElementsAre(Mapping{102, 2, 3}, Mapping{106, 6, 4}, Mapping{201, 6, 1}, Mapping{300, 15, 1}));
}

}  // namespace
}  // namespace kdev
