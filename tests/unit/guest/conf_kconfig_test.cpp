// The reader of Kconfig files and what it says about lost options.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem.hpp>
#include <cstdlib>
#include <kdev/error.hpp>

#include "guest/linux/conf_lost.hpp"
#include "guest/linux/kconfig.hpp"
#include "unit/host/temp_dir.hpp"

using namespace kdev;
using namespace kdev::guest;
using kdev::test::TempDir;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

Tristate value(const std::string& expr, const ConfValues& values) {
  return evaluate(parse_kconfig_expr(expr), values);
}
std::vector<std::string> unmet(const std::string& expr, const ConfValues& values,
                               Tristate needed = Tristate::y) {
  return unmet_parts(parse_kconfig_expr(expr), values, needed);
}

/// A tree that is nothing but Kconfig files.
struct Tree {
  TempDir dir;
  explicit Tree(const std::string& top) { dir.write("Kconfig", top); }
  Kconfig read() const { return Kconfig::read(*local_host(), dir.path(), "x86"); }
  LostOption lost(const std::string& option, const std::string& wanted, const ConfValues& values) const {
    const auto all = find_lost(*local_host(), {{option, wanted, "user", true}}, values, dir.path(), "x86_64");
    return all.empty() ? LostOption{} : all.front();
  }
};

}  // namespace

TEST(KconfigExpr, EvaluatesAsTheKernelsToolsDo) {
  const ConfValues values = {{"A", "y"}, {"M", "m"}, {"MODULES", "y"}, {"N", "8"}, {"S", "text"}};
  EXPECT_EQ(value("A", values), Tristate::y);
  EXPECT_EQ(value("M", values), Tristate::m);
  EXPECT_EQ(value("UNKNOWN", values), Tristate::n);
  EXPECT_EQ(value("!M", values), Tristate::m);
  EXPECT_EQ(value("A && M", values), Tristate::m);
  EXPECT_EQ(value("UNKNOWN || M && A", values), Tristate::m);
  EXPECT_EQ(value("!(A && UNKNOWN)", values), Tristate::y);
  EXPECT_EQ(value("A=y && M=m && UNKNOWN!=y", values), Tristate::y);
  EXPECT_EQ(value("N >= 8 && N < 10 && N = 8", values), Tristate::y);
  EXPECT_EQ(value("S = \"text\"", values), Tristate::y);
  EXPECT_EQ(value("S = \"\"", values), Tristate::n);
  EXPECT_EQ(value("m", values), Tristate::m);
  EXPECT_EQ(value("m", {}), Tristate::n);
  EXPECT_EQ(value("A && $(cc-option,-fsanitize=(x))", values), Tristate::y);
}

TEST(KconfigExpr, NamesTheUnmetParts) {
  const ConfValues values = {{"A", "y"}, {"M", "m"}, {"MODULES", "y"}};
  EXPECT_THAT(unmet("A && B && C", values), ElementsAre("B=n", "C=n"));
  EXPECT_THAT(unmet("B || (C && D)", values), ElementsAre("B=n or (C=n and D=n)"));
  EXPECT_THAT(unmet("!A", values), ElementsAre("A=y"));
  EXPECT_THAT(unmet("M", values), ElementsAre("M=m"));
  EXPECT_THAT(unmet("M", values, Tristate::m), IsEmpty());
  EXPECT_THAT(unmet("A=n", values), ElementsAre("A=y is not = n"));
  EXPECT_THAT(unmet("A && (B || A)", values), IsEmpty());
}

TEST(KconfigExpr, PrintsAsWritten) {
  for (const char* text : {"A && (B || C)", "!(A || B)", "A = y || B != \"x\"", "$(cc-option,-a) && !B"})
    EXPECT_EQ(to_string(parse_kconfig_expr(text)), text);
}

TEST(KconfigExpr, RefusesNonsense) {
  for (const char* bad : {"", "A &&", "(A", "A B", "$(open", "\"open", "&& A"})
    EXPECT_THROW(parse_kconfig_expr(bad), ConfigError) << bad;
  EXPECT_THROW(parse_kconfig_expr(std::string(100000, '(')), ConfigError);
  EXPECT_THROW(parse_kconfig_expr(std::string(100000, '!')), ConfigError);
}

TEST(Kconfig, ConditionsComeFromAllAround) {
  const Tree tree(R"(mainmenu "x"
source "arch/$(SRCARCH)/Kconfig"
menu "Drivers"
	depends on HAS_IOMEM
	visible if EXPERT
if PCI
config DRIVER # a comment
	tristate "A driver" if DEBUG
	depends on ACPI || \
		OF
	select LIB if NEW
	help
	  depends on nothing, says the help.

	  config NOT_ONE
endif
endmenu
config LIB
	bool
config AFTER
	bool "after"
)");
  tree.dir.write("arch/x86/Kconfig", "config HAS_IOMEM\n\tdef_bool y\n");
  const Kconfig kconfig = tree.read();
  const KconfigOption* driver = kconfig.find("DRIVER");
  ASSERT_NE(driver, nullptr);
  EXPECT_EQ(driver->type, "tristate");
  EXPECT_EQ(to_string(driver->entries[0].depends), "HAS_IOMEM && PCI && (ACPI || OF)");
  EXPECT_EQ(to_string(driver->entries[0].visible), "EXPERT && DEBUG");
  EXPECT_EQ(kconfig.find("NOT_ONE"), nullptr);
  EXPECT_EQ(kconfig.find("AFTER")->entries[0].depends, nullptr);
  EXPECT_NE(kconfig.find("HAS_IOMEM"), nullptr);  // of arch/x86/Kconfig
  ASSERT_EQ(kconfig.find("LIB")->selected_by.size(), 1u);
  EXPECT_EQ(kconfig.find("LIB")->selected_by[0].by, "DRIVER");
  EXPECT_EQ(to_string(kconfig.find("LIB")->selected_by[0].condition),
            "HAS_IOMEM && PCI && (ACPI || OF) && NEW");
}

TEST(Kconfig, AFileThatSourcesItselfEnds) {
  const Tree tree("config A\n\tbool \"a\"\nsource \"Kconfig\"\n");
  EXPECT_NE(tree.read().find("A"), nullptr);
}

TEST(LostOptions, AreExplained) {
  const Tree tree(R"(config MODULES
	bool "modules"
config DRIVER
	tristate "driver"
	depends on PCI && (ACPI || OF)
config FLAG
	bool "flag"
	depends on DRIVER=y
config HIDDEN
	bool
config USER
	bool "user"
	select HIDDEN
	select FORCED
config FORCED
	bool "forced"
config CPUS
	int "cpus"
	range 2 MAX if SMP
config MAX
	int
choice
	prompt "one of"
config FIRST
	bool "first"
config SECOND
	bool "second"
endchoice
config PRIVATE
	bool "private" if EXPERT
)");
  EXPECT_THAT(tree.lost("DRIVER", "y", {{"PCI", "y"}}).unmet, ElementsAre("ACPI=n or OF=n"));
  EXPECT_EQ(tree.lost("DRIVER", "y", {}).depends, "PCI && (ACPI || OF)");
  EXPECT_THAT(
      tree.lost("DRIVER", "y", {{"PCI", "m"}, {"ACPI", "y"}, {"DRIVER", "m"}, {"MODULES", "y"}}).unmet,
      ElementsAre("PCI=m"));
  EXPECT_THAT(tree.lost("FLAG", "y", {{"DRIVER", "m"}}).unmet, ElementsAre("DRIVER=m is not = y"));
  EXPECT_THAT(tree.lost("HIDDEN", "y", {}).unmet,
              ElementsAre("it has no prompt: only what selects it turns it on: USER"));
  EXPECT_THAT(tree.lost("FORCED", "n", {{"FORCED", "y"}, {"USER", "y"}}).unmet,
              ElementsAre("selected by USER=y"));
  EXPECT_THAT(tree.lost("CPUS", "1", {{"CPUS", "2"}, {"SMP", "y"}, {"MAX", "64"}}).unmet,
              ElementsAre("its range is 2 to 64"));
  EXPECT_THAT(tree.lost("SECOND", "y", {{"FIRST", "y"}}).unmet,
              ElementsAre("FIRST=y (only one of a choice can be set)"));
  EXPECT_THAT(tree.lost("PRIVATE", "y", {}).unmet, ElementsAre("EXPERT=n"));
  EXPECT_THAT(tree.lost("FLAG", "yes", {}).unmet, ElementsAre("it is a bool: y or n"));
  EXPECT_THAT(tree.lost("CPUS", "many", {}).unmet, ElementsAre("its value is a number"));
  const LostOption unknown = tree.lost("DRIVERS", "y", {});
  EXPECT_EQ(unknown.type, "");
  EXPECT_FALSE(unknown.got);
  EXPECT_THAT(unknown.nearest, Contains("DRIVER"));
}

TEST(LostOptions, OnlyWhatIsWantedAndNotThereIsLost) {
  const Tree tree("config A\n\tbool \"a\"\n");
  const ConfValues values = {{"A", "y"}, {"HEX", "0x0010"}, {"TEXT", "a b"}};
  const auto asked = [](const char* option, const char* value, bool wanted) {
    return ConfSetting{option, value, "user", wanted};
  };
  EXPECT_THAT(find_lost(*local_host(),
                        {asked("A", "y", true), asked("B", "n", true), asked("HEX", "16", true),
                         asked("TEXT", "a b", true), asked("NONE", "", true), asked("UNKNOWN", "y", false)},
                        values, tree.dir.path(), "x86_64"),
              IsEmpty());
}

TEST(LostOptions, CausesComeFirst) {
  const Tree tree("config A\n\tbool \"a\"\n\tdepends on B\nconfig B\n\tbool \"b\"\n\tdepends on C\n");
  const auto lost = find_lost(*local_host(), {{"A", "y", "user", true}, {"B", "y", "user", true}}, {},
                              tree.dir.path(), "x86_64");
  ASSERT_EQ(lost.size(), 2u);
  EXPECT_EQ(lost[0].asked.option, "B");
}

TEST(Kconfig, ReadsARealTree) {
  const char* source = std::getenv("KDEV_LINUX_SOURCE");
  if (!source || !boost::filesystem::exists(Path(source) / "Kconfig"))
    GTEST_SKIP() << "KDEV_LINUX_SOURCE names no Linux tree: its Kconfig files are not read";
  const Kconfig kconfig = Kconfig::read(*local_host(), source, "x86");
  const KconfigOption* kgdb = kconfig.find("KGDB_SERIAL_CONSOLE");
  ASSERT_NE(kgdb, nullptr);
  EXPECT_THAT(to_string(kgdb->entries[0].depends), HasSubstr("HW_CONSOLE"));
  const KconfigOption* kasan = kconfig.find("KASAN_GENERIC");
  ASSERT_NE(kasan, nullptr);
  EXPECT_THAT(to_string(kasan->entries[0].depends), HasSubstr("KASAN && "));
  EXPECT_THAT(kconfig.nearest("LKTDM"), Contains("LKDTM"));
}
