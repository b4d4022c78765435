#include "common/conf_variables.hpp"

#include <gtest/gtest.h>

#include <kdev/error.hpp>

using namespace kdev;

namespace {

constexpr const char* rc_conf =
    "# the machine\n"
    "hostname=\"a\"  # for now\n"
    "  ifconfig_em0='DHCP'\n"
    "sshd_enable=NO; dumpdev=\"AUTO\"\n"
    "#hostname=\"no\"\n"
    "hostname=\"b c\"\t# later\n"
    "kld_list=\"one two\"\n"
    "motd=\"two\n"
    "hostname=fake\n"
    "lines\"\n"
    "last=1";

TEST(ConfVariables, TheLastAssignmentCounts) {
  EXPECT_EQ(conf_value(rc_conf, "hostname"), "b c");
  EXPECT_EQ(conf_value(rc_conf, "ifconfig_em0"), "DHCP");
  EXPECT_EQ(conf_value(rc_conf, "sshd_enable"), "NO");
  EXPECT_EQ(conf_value(rc_conf, "last"), "1");
  EXPECT_EQ(conf_value(rc_conf, "motd"), "two\nhostname=fake\nlines")
      << "a line within quotes assigns nothing";
  EXPECT_EQ(conf_value(rc_conf, "host"), std::nullopt);
}

TEST(ConfVariables, SettingKeepsTheRest) {
  const std::string changed = conf_set(rc_conf, "hostname", "say \"hi\" $HOME");
  EXPECT_EQ(conf_value(changed, "hostname"), "say \"hi\" $HOME");
  EXPECT_NE(changed.find("\"say \\\"hi\\\" \\$HOME\"\t# later\n"), std::string::npos) << changed;
  EXPECT_NE(changed.find("hostname=\"a\"  # for now\n"), std::string::npos) << "an earlier one stays";
  EXPECT_EQ(conf_set(conf_set(rc_conf, "last", "2"), "last", "1"),
            std::string(rc_conf).replace(std::string(rc_conf).size() - 1, 1, "\"1\""));
  EXPECT_EQ(conf_set("a=1", "b", "2"), "a=1\nb=\"2\"\n");
  EXPECT_EQ(conf_set("", "hint.uart.0.flags", "0x80"), "hint.uart.0.flags=\"0x80\"\n");
}

TEST(ConfVariables, WordsComeAndGo) {
  EXPECT_EQ(conf_value(conf_append(rc_conf, "kld_list", "three"), "kld_list"), "one two three");
  EXPECT_EQ(conf_append(rc_conf, "kld_list", "two"), rc_conf);
  EXPECT_EQ(conf_append("", "kld_list", "one"), "kld_list=\"one\"\n");
  EXPECT_EQ(conf_append("x=\"a,b\"\n", "x", ",c"), "x=\"a,b,c\"\n");
  EXPECT_EQ(conf_subtract("x=\"a,b,c\"\n", "x", ",b"), "x=\"a,c\"\n");
  EXPECT_EQ(conf_subtract(rc_conf, "kld_list", "on"), rc_conf) << "whole words only";
  EXPECT_EQ(conf_value(conf_subtract(rc_conf, "kld_list", "one"), "kld_list"), "two");
  EXPECT_EQ(conf_subtract("", "kld_list", "one"), "");
}

TEST(ConfVariables, RemovingTakesEveryAssignment) {
  const std::string changed = conf_remove(rc_conf, "hostname");
  EXPECT_EQ(conf_value(changed, "hostname"), std::nullopt);
  EXPECT_NE(changed.find("#hostname=\"no\"\n"), std::string::npos);
  EXPECT_NE(changed.find("hostname=fake\nlines\"\n"), std::string::npos) << "that is motd's";
  EXPECT_EQ(conf_remove(rc_conf, "nothing"), rc_conf);
}

TEST(ConfVariables, WhatStandsBehindStays) {
  EXPECT_EQ(conf_remove("a=1; b=2 # c\nd=3\n", "a"), "b=2 # c\nd=3\n");
  EXPECT_EQ(conf_remove("a=1 # why\nd=3\n", "a"), "d=3\n");
}

TEST(ConfVariables, AnOpenQuoteEndsWithItsLine) {
  const std::string text = "kern.x=it's\nkern.dirdelay=29\nkern.y=1\n";
  EXPECT_EQ(conf_remove(text, "kern.dirdelay"), "kern.x=it's\nkern.y=1\n");
  EXPECT_EQ(conf_remove(text, "kern.x"), "kern.dirdelay=29\nkern.y=1\n");
  EXPECT_EQ(conf_set(text, "kern.x", "2"), "kern.x=\"2\"\nkern.dirdelay=29\nkern.y=1\n");
}

TEST(ConfVariables, NonsenseIsRefused) {
  EXPECT_THROW(conf_set("", "a b", "1"), ConfigError);
  EXPECT_THROW(conf_set("", "", "1"), ConfigError);
  EXPECT_THROW(conf_set("", "1a", "1"), ConfigError);
  EXPECT_THROW(conf_set("", "a", "1\nb=2"), ConfigError);
  EXPECT_EQ(conf_value("a=\"never closed", "a"), "never closed");
}

}  // namespace
