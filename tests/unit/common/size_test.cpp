#include "common/size.hpp"

#include <gtest/gtest.h>

#include <kdev/error.hpp>

using namespace kdev;

namespace {

TEST(Size, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_size("512M", "a size", 1), 512ull << 20);
  EXPECT_EQ(parse_size("2GiB", "a size", 1), 2ull << 30);
  EXPECT_EQ(parse_size("3T", "a size", 1), 3ull << 40);
  EXPECT_EQ(parse_size("64K", "a size", 1), 64ull << 10);
  EXPECT_EQ(parse_size("4096", "a size", 1), 4096u);
  EXPECT_EQ(parse_size("256", "a memory size", 1u << 20), 256ull << 20);
}

TEST(Size, RefusesWhatIsNone) {
  for (const char* text :
       {"", "G", "0", "0M", "-1G", "1.5G", "12X", "12MB", "M12", "99999999999T", "18446744073709551615K"})
    EXPECT_THROW(parse_size(text, "a size", 1), ConfigError) << text;
}

}  // namespace
