// The unit of an address is the same by .debug_aranges and by the units themselves.
#include <gtest/gtest.h>

#include <algorithm>

#include "crash/debug_info.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev::crash {
namespace {

TEST(DwarfLookupTest, TheUnitsAreTheSameWithAndWithoutAranges) {
  const test::Fixture fixture;
  const Path bare = fixture.dir() / "without-aranges";
  fixture.run({"objcopy", "--remove-section", ".debug_aranges", fixture.vmlinux().string(), bare.string()});
  const DebugInfo info(fixture.vmlinux(), "test"), without(bare, "test");
  const auto units = unit_ranges(info.dwarf());
  ASSERT_FALSE(units.empty());
  Dwarf_Die unit;
  ASSERT_TRUE(unit_by_aranges(info.dwarf(), units[0].low, &unit));
  ASSERT_FALSE(unit_by_aranges(without.dwarf(), units[0].low, &unit));
  DwarfLookup by_aranges(info.dwarf()), by_ranges(info.dwarf(), &units);
  std::size_t known = 0;
  for (const auto& range : units)
    for (Dwarf_Addr pc = range.low - 2; pc < std::min(range.high + 2, range.low + 0x1000); ++pc) {
      const auto steps = by_aranges.expand(pc);
      ASSERT_EQ(steps, by_ranges.expand(pc)) << std::hex << pc;
      ASSERT_EQ(steps, without.expand(pc)) << std::hex << pc;
      ASSERT_EQ(by_aranges.scopes(pc).entries.size(), without.scopes(pc).entries.size()) << std::hex << pc;
      known += !steps.empty();
    }
  EXPECT_GT(known, 100u);
}

}  // namespace
}  // namespace kdev::crash
