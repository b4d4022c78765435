#include "guest/linux/conf_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <kdev/error.hpp>

#include "guest/conf_merge.hpp"

using namespace kdev;
using namespace kdev::guest;
using testing::ElementsAre;
using testing::Pair;

namespace {

ConfLine line(std::string_view text) {
  const auto parsed = parse_conf_line(text, "here");
  return parsed ? *parsed : ConfLine{"none", "none", false};
}

ConfSetting setting(std::string option, std::string value, std::string origin = "user", bool wanted = true) {
  return {std::move(option), std::move(value), std::move(origin), wanted};
}

}  // namespace

TEST(ConfText, ReadsEveryKindOfLine) {
  EXPECT_EQ(line("CONFIG_SMP=y").value, "y");
  EXPECT_EQ(line("  CONFIG_NR_CPUS=8  ").value, "8");
  EXPECT_EQ(line("# CONFIG_SMP is not set").value, "n");
  EXPECT_EQ(line("#CONFIG_SMP is not set").option, "SMP");
  EXPECT_EQ(line("CONFIG_X=0xff").value, "0xff");
  EXPECT_EQ(line(R"(CONFIG_CMDLINE="a \"b\" c\\d")").value, R"(a "b" c\d)");
  EXPECT_TRUE(line("CONFIG_CMDLINE=\"\"").quoted);
  EXPECT_EQ(line("CONFIG_X=").value, "n");
  EXPECT_FALSE(parse_conf_line("", "here"));
  EXPECT_FALSE(parse_conf_line("# a comment", "here"));
  EXPECT_FALSE(parse_conf_line("# CONFIG_SMP is a fine thing", "here"));
}

TEST(ConfText, RefusesWhatMakesNoSense) {
  for (const char* bad : {"SMP=y", "CONFIG_SMP", "hello", "CONFIG_A-B=y", "CONFIG_=y", "CONFIG_X=\"open"}) {
    try {
      parse_conf_line(bad, "frag:7");
      ADD_FAILURE() << bad;
    } catch (const ConfigError& e) {
      EXPECT_NE(std::string(e.what()).find("frag:7"), std::string::npos);
    }
  }
}

TEST(ConfText, ValuesAreWrittenAsTheyAreRead) {
  for (const std::string value :
       {"y", "m", "n", "8", "-1", "0x1f", "text with spaces", "quote\"back\\slash", ""}) {
    const ConfLine back = line(conf_line_text("X", value));
    EXPECT_EQ(back.value, value);
  }
  EXPECT_EQ(conf_line_text("X", "n"), "# CONFIG_X is not set\n");
  EXPECT_EQ(conf_line_text("X", "0xzz"), "CONFIG_X=\"0xzz\"\n");
}

TEST(ConfText, ParsesWhatIsSet) {
  EXPECT_THAT(parse_conf("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"n\"\nCONFIG_D=m"),
              ElementsAre(Pair("A", "y"), Pair("C", "n"), Pair("D", "m")));
}

TEST(ConfText, LaterSettingsWin) {
  const auto merged = merge_settings({setting("A", "y", "base", false), setting("B", "y"),
                                      setting("A", "n", "preset"), setting("A", "m", "user")});
  EXPECT_THAT(merged.final, ElementsAre(setting("A", "m", "user"), setting("B", "y")));
  EXPECT_THAT(merged.overridden, ElementsAre(setting("A", "y", "base", false), setting("A", "n", "preset")));
}

TEST(ConfText, WhoInsistsIsRememberedOverWhoJustAsks) {
  const auto merged = merge_settings({setting("A", "y", "preset", true), setting("A", "y", "base", false)});
  EXPECT_THAT(merged.final, ElementsAre(setting("A", "y", "preset", true)));
  EXPECT_TRUE(merged.overridden.empty());
}

TEST(ConfText, MergingReplacesLinesAndPutsWhatIsOnLast) {
  EXPECT_EQ(merge_conf("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_KEEP=3\n",
                       {setting("B", "y"), setting("A", "n"), setting("C", "m")}),
            "CONFIG_KEEP=3\n# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=m\n");
}

TEST(ConfText, AStringThatLooksLikeSomethingElseKeepsItsQuotes) {
  for (const char* text : {"y", "m", "n", "-1", "8", "0x1f"}) {
    const std::string kept = kept_value(text, true);
    EXPECT_EQ(kept, "\"" + std::string(text) + "\"");
    EXPECT_EQ(kept_value(text, false), text);
    EXPECT_EQ(bare_value(kept), text);
    EXPECT_EQ(bare_value(text), text);
    EXPECT_EQ(conf_line_text("X", kept), "CONFIG_X=\"" + std::string(text) + "\"\n");
  }
  EXPECT_EQ(kept_value("-rc1", true), "-rc1");
  // Whatever is read as a string is written as the same string.
  for (const char* text :
       {R"("-1")", R"("")", R"("\"y\"")", R"("\"a\" b \"c\"")", R"("\"\"8\"\"")", R"("a\\b")"}) {
    const ConfLine read = line("CONFIG_X=" + std::string(text));
    EXPECT_EQ(conf_line_text("X", kept_value(read.value, read.quoted)),
              "CONFIG_X=" + std::string(text) + "\n");
  }
}
