#include "guest/consoles.hpp"

#include <gmock/gmock.h>

#include <kdev/error.hpp>

#include "guest/guest.hpp"

namespace kdev::guest {
namespace {

TEST(ConsoleSystems, HaveEveryGuestsConsole) {
  for (const Guest* guest : all_guests()) {
    if (!guest->console()) continue;
    EXPECT_EQ(guest->console(), &console_rules_for(to_string(guest->os())));
  }
}

TEST(ConsoleSystems, AnUnknownOneIsAnErrorThatNamesThoseThereAre) {
  try {
    console_rules_for("plan9");
    FAIL();
  } catch (const ConfigError& e) {
    for (const ConsoleSystem& row : console_systems())
      EXPECT_THAT(e.what(), testing::HasSubstr(std::string(row.name)));
  }
}

TEST(ConsoleSystems, TheirTablesAreSound) {
  for (const ConsoleSystem& row : console_systems()) {
    const ConsoleRules& rules = row.rules();
    EXPECT_FALSE(rules.marks().empty()) << row.name;
    for (const CrashFormat& format : rules.formats()) {
      if (!format.begins()) continue;
      EXPECT_FALSE(format.kind.empty()) << row.name << ": " << format.start;
      EXPECT_FALSE(format.titles.empty()) << row.name << ": " << format.start;
    }
    // No line is one of a report that has nothing in it.
    EXPECT_FALSE(rules.begins_report(""));
    EXPECT_FALSE(rules.begins_report("hello, world"));
  }
}

}  // namespace
}  // namespace kdev::guest
