#include "debug/mi.hpp"

#include <gtest/gtest.h>

using namespace kdev;
using debug::MiRecord;
using debug::parse_mi;

namespace {

// Lines that gdb 13 wrote about a kernel.
TEST(Mi, AStopIsReadWithItsFrame) {
  const auto r = parse_mi(
      R"(*stopped,reason="breakpoint-hit",disp="keep",bkptno="1",frame={addr="0xffffffff8053324b",func="kern_openat",args=[{name="td",value="0xfffffe0044cd3ac0"},{name="path",value="0x820fecbf0 \"/dev/hpet0\""}],file="vfs_syscalls.c",line="1111",arch="i386:x86-64"},thread-id="41",stopped-threads="all",core="1")");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->kind, MiRecord::Kind::exec);
  EXPECT_EQ(r->name, "stopped");
  EXPECT_EQ(json::get_string(r->results, "reason"), "breakpoint-hit");
  const json::object& frame = r->results.at("frame").as_object();
  EXPECT_EQ(json::get_string(frame, "func"), "kern_openat");
  const json::array& args = frame.at("args").as_array();
  ASSERT_EQ(args.size(), 2u);
  EXPECT_EQ(json::get_string(args[1].as_object(), "value"), "0x820fecbf0 \"/dev/hpet0\"");
}

TEST(Mi, ListsOfResultsAreLists) {
  const auto r = parse_mi(R"(12^done,stack=[frame={level="0"},frame={level="1"}],empty=[],none={})");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->token, 12u);
  EXPECT_EQ(r->results.at("stack").as_array().size(), 2u);
  EXPECT_TRUE(r->results.at("empty").as_array().empty());
  EXPECT_TRUE(r->results.at("none").as_object().empty());
}

TEST(Mi, StreamsAndPrompts) {
  EXPECT_EQ(parse_mi("(gdb) ")->kind, MiRecord::Kind::prompt);
  const auto r = parse_mi(R"(~"a\tb\\ \"c\"\n\303\244")");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->kind, MiRecord::Kind::console);
  EXPECT_EQ(r->text, "a\tb\\ \"c\"\n\303\244");
  EXPECT_EQ(parse_mi(R"(&"set x\n")")->kind, MiRecord::Kind::log);
  EXPECT_EQ(parse_mi(R"(=thread-group-added,id="i1")")->kind, MiRecord::Kind::notify);
}

TEST(Mi, AnErrorSaysWhy) {
  const auto r = parse_mi(R"(7^error,msg="Function \"nope\" not defined.",code="undefined-command")");
  ASSERT_TRUE(r);
  EXPECT_EQ(json::get_string(r->results, "msg"), "Function \"nope\" not defined.");
}

TEST(Mi, BreakpointScriptsAreAgainstTheGrammarAndRead) {
  const auto r = parse_mi(R"(^done,bkpt={number="1",script={"silent","p x"}})");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->results.at("bkpt").at("script").as_object().size(), 2u);
}

TEST(Mi, WhatIsNoneIsNotTakenForOne) {
  for (const char* line :
       {"", "hello", "12", "^", "^done,", "^done,x", "^done,x=", "^done,x={", "^done,x={a=\"1\"", "^done,x=[",
        "~\"open", "~text", "^done,x=\"1\"y", "12(gdb)", "*stopped,reason=\"x\\"})
    EXPECT_FALSE(parse_mi(line)) << line;
  EXPECT_FALSE(parse_mi("^done,x=" + std::string(100'000, '[') + std::string(100'000, ']')));
}

TEST(Mi, QuotedWordsComeBack) {
  const std::string word = "p \"a b\\c\"";
  EXPECT_EQ(parse_mi("~" + debug::mi_quote(word))->text, word);
}

}  // namespace
