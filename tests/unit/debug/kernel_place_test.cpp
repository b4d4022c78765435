// A kernel's place in memory, told by its build id: here that of any file with one.
#include "debug/kernel_place.hpp"

#include <gtest/gtest.h>

#include <map>

using namespace kdev;
using namespace kdev::debug;

namespace {

/// Memory of pieces; between them nothing can be read.
struct Memory {
  std::map<std::uint64_t, std::string> pieces;
  std::string operator()(std::uint64_t address, std::size_t size) const {
    auto it = pieces.upper_bound(address);
    if (it == pieces.begin()) return {};
    --it;
    const std::uint64_t from = address - it->first;
    return from < it->second.size() ? it->second.substr(from, size) : std::string();
  }
};

/// As a linker writes it: sizes, type 3, owner.
std::string note(const std::string& id) {
  std::string text("\x04\0\0\0", 4);
  text += static_cast<char>(id.size());
  return text + std::string("\0\0\0\x03\0\0\0GNU\0", 11) + id;
}

BuildIdPlace place_of(const std::string& id) {
  return {.address = 0xffffffff81a00100, .note = note(id), .id = "", .first = 0xffffffff81000000};
}

const std::string mine(20, '\x5a'), other(20, '\xa5');

BuildIdPlace mine_at() {
  BuildIdPlace place = place_of(mine);
  for (int i = 0; i < 20; ++i) place.id += "5a";
  return place;
}

TEST(KernelPlace, AFilesOwnNoteIsFound) {
  const auto place = find_build_id("/proc/self/exe");
  ASSERT_TRUE(place) << "the linker writes build ids";
  EXPECT_EQ(40u, place->id.size());
  EXPECT_EQ(16u + 20, place->note.size());
  EXPECT_EQ(std::string("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", 16), place->note.substr(0, 16));
  EXPECT_NE(0u, place->address);
}

TEST(KernelPlace, TheFirstSlideAtWhichTheNoteLiesIsIt) {
  const BuildIdPlace place = mine_at();
  const std::vector<std::uint64_t> slides{0, 0x1000000, 0x2000000, 0x3000000};
  Memory memory;
  EXPECT_FALSE(find_slide(place, slides, memory));
  memory.pieces[place.address] = note(other);
  memory.pieces[place.address + 0x2000000] = note(mine);
  memory.pieces[place.address + 0x3000000] = note(mine);
  EXPECT_EQ(0x2000000u, find_slide(place, slides, memory));
  // Half of it can be read.
  memory.pieces[place.address + 0x1000000] = note(mine).substr(0, 20);
  EXPECT_EQ(0x2000000u, find_slide(place, slides, memory));
  memory.pieces[place.address] = note(mine);
  EXPECT_EQ(0u, find_slide(place, slides, memory));
}

TEST(KernelPlace, AnotherKernelIsNamedAndNotAProgramThatItCarries) {
  const BuildIdPlace place = mine_at();
  const std::vector<std::uint64_t> slides{0, 0x1000000};
  Memory memory;
  EXPECT_EQ("", other_build_id(place, slides, memory, 4 << 20));
  std::string kernel(2 << 20, '\x90');
  // The vDSO begins with an ELF header, on its page.
  kernel.replace(0x4000, 4,
                 "\x7f"
                 "ELF");
  kernel.replace(0x4120, note(mine).size(), note(std::string(20, '\x11')));
  // Across two pieces of what is read at once.
  const std::size_t at = (256 << 10) - 7;
  kernel.replace(at, note(other).size(), note(other));
  memory.pieces[0xffffffff82000000] = kernel;
  std::string expected;
  for (int i = 0; i < 20; ++i) expected += "a5";
  EXPECT_EQ(expected, other_build_id(place, slides, memory, 4 << 20));
  EXPECT_EQ("", other_build_id(place, {0}, memory, 4 << 20)) << "nothing is mapped there";
  // Cut off within the id.
  memory.pieces[0xffffffff82000000] = kernel.substr(0, at + 20);
  EXPECT_EQ("", other_build_id(place, slides, memory, 4 << 20));
}

}  // namespace
