#include "crash/demangle.hpp"

#include <gmock/gmock.h>

#include <random>

namespace kdev::crash {
namespace {

TEST(Demangle, RustAsItsCompilerHasIt) {
  for (const auto& [symbol, name] : std::vector<std::pair<std::string, std::string>>{
           {"_RNvC3foo3bar", "foo::bar"},
           {"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
           {"_RNvCscSpY9Juk0HT_7___rustc17rust_begin_unwind", "__rustc::rust_begin_unwind"},
           {"_RNCNvC3foo3bar0", "foo::bar::{closure}"},
           {"_RNCNvC3foo3bars_0", "foo::bar::{closure}"},
           {"_RNvMs_C3fooNtB4_3Bar3baz", "<foo::Bar>::baz"},
           {"_RNvXs1_CscPPBqWtAqum_11ashmem_rustNtB5_6AshmemNtNtCs43vyB533jt3_"
            "6kernel10miscdevice10MiscDevice4mmap",
            "<ashmem_rust::Ashmem as kernel::miscdevice::MiscDevice>::mmap"},
           {"_RINvC3foo3barhE", "foo::bar<u8>"},
           {"_RINvC3foo3barRShTjbEE", "foo::bar<&[u8], (usize, bool)>"},
           {"_RINvC3foo3barKj4_E", "foo::bar<0x4>"},
           {"_RNvYhNtC3foo5Trait3baz", "<u8 as foo::Trait>::baz"},
       })
    EXPECT_EQ(name, demangled(symbol)) << symbol;
}

TEST(Demangle, OthersAsTheyAre) {
  EXPECT_EQ("a::b", demangled("_ZN1a1bEi"));
  EXPECT_EQ("core::fmt::write", demangled("_ZN4core3fmt5write17h0123456789abcdefE"));
  for (const char* symbol : {"", "vfs_write", "_R", "_Z", "_RN", "_RNvC3foo", "_RNvC9foo3bar", "_RNvB_3bar",
                             "_RNvBz_3bar", "__cfi__RNvC3foo3bar"})
    EXPECT_EQ(symbol, demangled(symbol));
}

TEST(Demangle, RubbishEndsSoonAndSmall) {
  std::string deep = "_R";
  for (int i = 0; i < 400; ++i) deep += "Nv";
  EXPECT_EQ(deep, demangled(deep));
  // Each step refers to what doubles: the text is bounded.
  std::string doubles = "_RINvC1a1bTC1aC1aE";
  for (const char c : {'d', 'e', 'f'}) doubles += std::string("TB") + c + "_B" + c + "_E";
  EXPECT_LE(demangled(doubles + "E").size(), 1024u + doubles.size());
  // Each pair is made of the one before, twice: unbounded, it would be 2^100 of them.
  std::string pairs = "_Z1fSt4pairIiiE";
  const std::string digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int i = 0; i < 100 && pairs.size() < 500; ++i) {
    const std::string before = std::string("S") + digits[i % digits.size()] + "_";
    pairs += "S_I" + before + before + "E";
  }
  EXPECT_EQ(pairs, demangled(pairs));
  std::mt19937 random(5);
  const std::string letters = "RNvCMXYIBsuTFDSAPOQKLE0123456789_abhjp";
  for (int round = 0; round < 20000; ++round) {
    std::string symbol = "_R";
    for (int i = random() % 60; i > 0; --i) symbol += letters[random() % letters.size()];
    ASSERT_LE(demangled(symbol).size(), 1024u) << symbol;
  }
}

}  // namespace
}  // namespace kdev::crash
