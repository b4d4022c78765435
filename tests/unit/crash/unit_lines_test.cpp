// Line tables read here say what libdw says of them, and damaged ones harm nobody.
#include <dwarf.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "crash/debug_info.hpp"
#include "crash/line_program.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev::crash {
namespace {

template <class Take>
void each_unit(Dwarf* dwarf, Take take) {
  Dwarf_CU* cu = nullptr;
  Dwarf_Die die;
  std::uint8_t type = 0;
  while (dwarf_get_units(dwarf, cu, &cu, nullptr, &type, &die, nullptr) == 0) take(&die);
}

std::uint64_t offset_of(Dwarf_Die* unit) {
  Dwarf_Attribute attribute;
  Dwarf_Word offset = 0;
  EXPECT_EQ(0, dwarf_formudata(dwarf_attr(unit, DW_AT_stmt_list, &attribute), &offset));
  return offset;
}

class UnitLinesTest : public testing::Test {
 protected:
  /// A program of several units and sections.
  Path compiled(const std::vector<std::string>& options) const {
    const Path program = fixture_.dir() / "program";
    std::ofstream((fixture_.dir() / "entry.S").string())
        << "  .text\n  .globl entry\nentry:\n  nop\n  nop\n  ret\n  .section .text.cold,\"ax\"\n  nop\n";
    std::vector<std::string> command = {
        "cc",      "-O2", "-ffreestanding", "-ffunction-sections", "-nostdlib", "-static",
        "-no-pie", "-o",  program.string()};
    command.insert(command.end(), options.begin(), options.end());
    for (const char* file : {"linux/drivers/kernel.c", "linux/drivers/other.c", "entry.S"})
      command.push_back((fixture_.dir() / file).string());
    fixture_.run(command);
    return program;
  }
  const test::Fixture fixture_;
};

TEST_F(UnitLinesTest, AsLibdwHasThem) {
  for (const char* version : {"-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"}) {
    const DebugInfo info(compiled({version}), "test");
    const LineSections sections = LineSections::of(info.dwarf());
    int units = 0, known = 0;
    each_unit(info.dwarf(), [&](Dwarf_Die* unit) {
      ++units;
      std::vector<LineRow> rows;
      LineProgram program(sections, offset_of(unit), nullptr);
      EXPECT_TRUE(program.read_header() && program.run(rows)) << "libdw is not needed for " << version;
      const UnitLines lines(unit, sections);
      const UnitLines asked(unit, {});  // of libdw
      EXPECT_EQ(asked.rows().size(), lines.rows().size());
      std::vector<Dwarf_Addr> at = {0, 1, ~Dwarf_Addr{0}};
      for (const auto& row : lines.rows())
        for (int around = -2; around <= 2; ++around)
          at.push_back(row.address + static_cast<Dwarf_Addr>(around));
      for (const Dwarf_Addr pc : at) {
        const LineRow *ours = lines.at(pc), *theirs = asked.at(pc);
        Dwarf_Line* direct = dwarf_getsrc_die(unit, pc);
        ASSERT_EQ(direct == nullptr, ours == nullptr) << version << std::hex << " " << pc;
        ASSERT_EQ(direct == nullptr, theirs == nullptr) << version << std::hex << " " << pc;
        if (!direct) continue;
        int number = 0;
        dwarf_lineno(direct, &number);
        EXPECT_EQ(number, static_cast<int>(ours->line)) << version << std::hex << " " << pc;
        EXPECT_EQ(number, static_cast<int>(theirs->line));
        EXPECT_EQ(asked.file(theirs->file), lines.file(ours->file)) << version;
        EXPECT_TRUE(Path(lines.file(ours->file)).is_absolute());
        ++known;
      }
    });
    EXPECT_EQ(3, units) << version;
    EXPECT_GT(known, 100) << version;
  }
}

TEST_F(UnitLinesTest, CompressedSections) {
  const DebugInfo info(compiled({"-gdwarf-5", "-gz=zlib"}), "test");
  const LineSections sections = LineSections::of(info.dwarf());
  each_unit(info.dwarf(), [&](Dwarf_Die* unit) {
    const UnitLines lines(unit, sections), asked(unit, {});
    ASSERT_FALSE(asked.rows().empty());
    for (const auto& row : asked.rows()) {
      const LineRow *ours = lines.at(row.address), *theirs = asked.at(row.address);
      ASSERT_EQ(theirs == nullptr, ours == nullptr);
      if (theirs) {
        EXPECT_EQ(theirs->line, ours->line);
      }
    }
  });
}

TEST_F(UnitLinesTest, DamagedOnesEnd) {
  for (const char* version : {"-gdwarf-3", "-gdwarf-5"}) {
    const DebugInfo info(compiled({version}), "test");
    const LineSections whole = LineSections::of(info.dwarf());
    std::vector<std::uint64_t> offsets;
    each_unit(info.dwarf(), [&](Dwarf_Die* unit) { offsets.push_back(offset_of(unit)); });
    const auto read = [&](const std::string& bytes) {
      const LineSections sections{bytes, whole.line_strings, whole.strings};
      for (const std::uint64_t offset : offsets) {
        std::vector<LineRow> rows;
        LineProgram program(sections, offset, "/");
        if (program.read_header()) program.run(rows);
        EXPECT_LE(rows.size(), bytes.size()) << "a row takes a byte";
      }
    };
    const std::string bytes(whole.line);
    for (std::size_t size = 0; size < bytes.size(); ++size) read(bytes.substr(0, size));
    std::mt19937 random(7);
    for (int round = 0; round < 5000; ++round) {
      std::string damaged = bytes;
      for (int i = 1 + static_cast<int>(random() % 3); i > 0; --i)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      read(damaged);
    }
  }
}

}  // namespace
}  // namespace kdev::crash
