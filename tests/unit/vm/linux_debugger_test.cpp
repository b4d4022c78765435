// kdb's words, as a 6.1 guest printed them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest/debugger_rules.hpp"
#include "guest/guest.hpp"
#include "vm/debugger_talk.hpp"

using namespace kdev;

namespace {

const guest::DebuggerRules& rules() {
  return *guest::guest_for(Os::linux).debugger();
}

TEST(LinuxDebugger, ItsPromptIsKnown) {
  EXPECT_TRUE(rules().at_prompt("[0]kdb> "));
  EXPECT_TRUE(rules().at_prompt("[17]kdb> "));
  EXPECT_TRUE(rules().at_prompt("kdb> "));
  EXPECT_TRUE(rules().at_prompt("\b \r[0]kdb> n\b \r[0]kdb> "));
  for (const char* none : {"", "[0]kdb>", "[]kdb> ", "[0]kdb> x", "[0 kdb> ", "x[0]kdb> ", "[0", "db> "})
    EXPECT_FALSE(rules().at_prompt(none)) << none;
  EXPECT_TRUE(rules().at_pager("0xffff8880001b4ec0        8        2  0    0   Rmore> "));
  EXPECT_FALSE(rules().at_pager("more> \rnext"));
}

TEST(LinuxDebugger, WhatNobodyEndedIsTakenBack) {
  EXPECT_EQ(rules().take_back("[0]kdb> nonsense"), std::string(8, '\b'));
  EXPECT_EQ(rules().take_back("[0]kdb> "), "");
  EXPECT_EQ(rules().take_back("Module  Size"), "");
}

TEST(LinuxDebugger, ItsLinesSayWhoHasAStop) {
  const std::string_view kdb =
      "Entering kdb (current=0xffffffff81a12600, pid 0) on processor 0 due to NonMaskable Interrupt @ "
      "0xffffffff810c494b";
  EXPECT_EQ(rules().backend_of(kdb), "kdb");
  EXPECT_EQ(rules().backend_of("Entering please attach debugger or use $D#44+ or $3#33"), "kgdb");
  EXPECT_EQ(rules().backend_of("[   19.95][    C0] KGDB or $3#33 for KDB"), "kgdb");
  EXPECT_TRUE(rules().stopped_for_backend("[    1.238342][    C0] sysrq: DEBUG"));
  EXPECT_FALSE(rules().stopped_for_backend("[    1.238342][    C0] sysrq: Trigger a crash"));
}

TEST(LinuxDebugger, TasksAreRead) {
  const auto tasks = rules().read_tasks(
      "24 sleeping system daemon (state [ims]) processes suppressed,\n"
      "use 'ps A' to see all.\n"
      "Task Addr               Pid   Parent [*] cpu State Thread             Command\n"
      "0xffffffff81a12600        0        0  1    0   R  0xffffffff81a12e00 *swapper/0\n"
      "0xffff8880001b7080       11        2  1    1   R  0xffff8880001b7880  rcu_sched\n"
      "\n"
      "0xffff8880001b0000        1        0  0    0   S  0xffff8880001b0800  init\n"
      "0xffff8880001b7080       11        2  1    1   R  0xffff8880001b7880  rcu_sched\n"
      "0xffff8880001b7080       11        2  1    1   R\n"
      "0xffff");
  ASSERT_EQ(tasks.size(), 3u);
  EXPECT_EQ(tasks[0], (DebuggerTask{.pid = 0,
                                    .cpu = 0,
                                    .running = true,
                                    .state = "R",
                                    .address = 0xffffffff81a12600,
                                    .command = "swapper/0"}));
  EXPECT_EQ(tasks[2].command, "init");
  EXPECT_FALSE(tasks[2].running);
}

TEST(LinuxDebugger, ATalkSummonsThePromptFromTheStubAndClearsIt) {
  Clock::time_point now{};
  vm::DebuggerTalk talk(rules(), {{"lsmod"}}, Seconds(5), "", now, true);
  const auto after = [&](std::string_view printed) {
    if (!printed.empty()) talk.feed(printed, now);
    now += std::chrono::milliseconds(100);
    return talk.next(now);
  };
  EXPECT_EQ(after(""), "+$3#33");
  EXPECT_EQ(after("Entering kdb (current=0x1, pid 0) on processor 0 due to Keyboard Entry\r\n[0]kdb> x"),
            "\b");
  EXPECT_EQ(after("\b \r[0]kdb> "), "lsmod\r");
  EXPECT_EQ(after("lsmod\r\nModule                  Size  modstruct     Used by\r\n[0]kdb> "), "");
  ASSERT_EQ(talk.answers().size(), 1u);
  EXPECT_EQ(talk.answers()[0].text, "Module                  Size  modstruct     Used by\n");
}

TEST(LinuxDebugger, WithoutAStubItIsAskedForAfterAWhile) {
  Clock::time_point now{};
  vm::DebuggerTalk talk(rules(), {{"go", Seconds(5), false, false}}, Seconds(5), "", now);
  EXPECT_EQ(talk.next(now), "");
  now += std::chrono::seconds(1);
  EXPECT_EQ(talk.next(now), "+$3#33");
  EXPECT_EQ(talk.next(now), "") << "not again at once";
  talk.feed("[0]kdb> ", now);
  now += std::chrono::milliseconds(100);
  EXPECT_EQ(talk.next(now), "go\r");
  EXPECT_FALSE(talk.over());
  talk.feed("go\r\n", now);
  EXPECT_EQ(talk.next(now), "");
  EXPECT_TRUE(talk.over()) << "its echo shows that it was taken";
  EXPECT_EQ(talk.failure(), "");
}

}  // namespace
