#include "vm/debugger_talk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <kdev/host.hpp>

#include "fakes/fake_debugger.hpp"
#include "guest/guest.hpp"

using namespace kdev;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace {

using Clock = kdev::Clock;

/// Time that passes when the test says so.
struct DebuggerTalkTest : ::testing::Test {
  Clock::time_point now{};
  void pass(Seconds time) { now += std::chrono::duration_cast<Clock::duration>(time); }
  std::string typed_after(vm::DebuggerTalk& talk, std::string_view printed, Seconds quiet = Seconds(0.1)) {
    if (!printed.empty()) talk.feed(printed, now);
    pass(quiet);
    return talk.next(now);
  }
  fakes::FakeDebugger rules;
};

TEST_F(DebuggerTalkTest, ACommandIsTypedAtThePromptAndItsAnswerKept) {
  vm::DebuggerTalk talk(rules, {{"bt"}, {"regs"}}, Seconds(5), "", now);
  EXPECT_EQ(typed_after(talk, ""), "");
  EXPECT_EQ(typed_after(talk, "stopped\r\ndbg> "), "bt\n");
  EXPECT_EQ(typed_after(talk, "bt\r\none\r\n"), "");
  EXPECT_EQ(typed_after(talk, "two\r\ndbg> "), "regs\n");
  EXPECT_EQ(typed_after(talk, "regs\r\ndbg> "), "");
  EXPECT_TRUE(talk.over());
  EXPECT_EQ(talk.failure(), "");
  ASSERT_EQ(talk.answers().size(), 2u);
  EXPECT_EQ(talk.answers()[0].text, "one\ntwo\n");
  EXPECT_EQ(talk.answers()[1].text, "");
}

TEST_F(DebuggerTalkTest, APromptThatIsThereAlreadyIsEnough) {
  vm::DebuggerTalk talk(rules, {{"bt"}}, Seconds(5), "dbg> ", now);
  EXPECT_EQ(typed_after(talk, ""), "bt\n");
}

TEST_F(DebuggerTalkTest, AQuotedPromptIsNone) {
  vm::DebuggerTalk talk(rules, {{"log"}, {"next"}}, Seconds(5), "dbg> ", now);
  EXPECT_EQ(typed_after(talk, ""), "log\n");
  EXPECT_EQ(typed_after(talk, "log\r\nold\r\ndbg> ", Seconds(0.01)), "") << "more of the line may come";
  EXPECT_EQ(typed_after(talk, "quoted\r\ndbg> "), "next\n");
  EXPECT_EQ(talk.answers()[0].text, "old\ndbg> quoted\n");
}

TEST_F(DebuggerTalkTest, SomebodyElsesPagerIsLeftAndOnesOwnTurnsPages) {
  vm::DebuggerTalk talk(rules, {{"ps"}}, Seconds(5), "more>", now);
  EXPECT_EQ(typed_after(talk, ""), "q");
  EXPECT_EQ(typed_after(talk, ""), "") << "once";
  EXPECT_EQ(typed_after(talk, "\r     \rdbg> "), "") << "the rules know of no carriage returns";
  EXPECT_EQ(typed_after(talk, "\r\ndbg> "), "ps\n");
  EXPECT_EQ(typed_after(talk, "ps\r\none\r\nmore>"), " ");
  EXPECT_EQ(typed_after(talk, "\r     \rtwo\r\ndbg> "), "");
  EXPECT_EQ(talk.answers()[0].text, "one\ntwo\n");
}

TEST_F(DebuggerTalkTest, NoPromptOrNoEndIsAFailureAfterItsTime) {
  vm::DebuggerTalk silent(rules, {{"bt"}}, Seconds(5), "", now);
  EXPECT_EQ(typed_after(silent, "", Seconds(6)), "");
  EXPECT_TRUE(silent.over());
  EXPECT_EQ(silent.failure(), "no dbg prompt within 5 s");
  EXPECT_THAT(silent.answers(), IsEmpty());

  vm::DebuggerTalk talk(rules, {{"go", Seconds(3)}, {"bt"}}, Seconds(5), "dbg> ", now);
  EXPECT_EQ(typed_after(talk, ""), "go\n");
  EXPECT_EQ(typed_after(talk, "go\r\nrunning\r\n", Seconds(4)), "");
  EXPECT_EQ(talk.failure(), "\"go\" had no end within 3 s");
  ASSERT_EQ(talk.answers().size(), 1u);
  EXPECT_FALSE(talk.answers()[0].complete);
  EXPECT_EQ(talk.answers()[0].text, "running\n");
}

TEST_F(DebuggerTalkTest, ALineThatDoesNotComeBackEndsTheTalk) {
  vm::DebuggerTalk talk(rules, {{.command = "gdb", .returns = false}}, Seconds(5), "dbg> ", now);
  EXPECT_EQ(typed_after(talk, ""), "gdb\n");
  EXPECT_FALSE(talk.over()) << "nobody has taken it yet";
  EXPECT_EQ(typed_after(talk, "gdb\r\n"), "");
  EXPECT_TRUE(talk.over());
  EXPECT_EQ(talk.failure(), "");
}

/// A console's log, played back: it goes on when what follows its prompt is typed.
class Recording {
 public:
  explicit Recording(std::string log) : log_(std::move(log)) {}
  /// Up to where the guest waits.
  std::string printed() {
    const std::size_t from = at_;
    for (; at_ < log_.size(); ++at_) {
      const std::string_view so_far(log_.data(), at_);
      if (at_ > from && (so_far.ends_with("\ndb> ") || so_far.ends_with("--More--\r"))) break;
    }
    return log_.substr(from, at_ - from);
  }
  /// Whether that is what was typed then.
  bool typed(std::string_view text) {
    if (text == " ") return std::string_view(log_).substr(0, at_).ends_with("--More--\r");
    return std::string_view(log_).substr(at_).starts_with(std::string(text.substr(0, text.size() - 1)) +
                                                          "\r\n");
  }

 private:
  std::string log_;
  std::size_t at_ = 0;
};

TEST_F(DebuggerTalkTest, FreebsdsDdbAsItWasMet) {
  const guest::DebuggerRules& ddb = *guest::guest_for(Os::freebsd).debugger();
  std::vector<vm::DebuggerLine> lines;
  for (const std::string& command : ddb.prepare()) lines.push_back({command, Seconds(5), false});
  for (const char* command : {"bt", "set $lines = 5", "show pcpu", "nonsense"}) lines.push_back({command});
  vm::DebuggerTalk talk(ddb, lines, Seconds(5), "", now);
  Recording guest(local_host()->read_file(Path(KDEV_GOLDEN_DIR) / "debugger/freebsd_ddb.log"));
  while (!talk.over()) {
    const std::string printed = guest.printed();
    ASSERT_FALSE(printed.empty());
    // As a slow serial line brings it: byte by byte.
    for (const char c : printed) {
      talk.feed({&c, 1}, now);
      ASSERT_EQ(talk.next(now), "");
    }
    const std::string typed = typed_after(talk, "");
    if (talk.over()) break;
    ASSERT_TRUE(guest.typed(typed)) << typed;
  }
  EXPECT_EQ(talk.failure(), "");
  ASSERT_EQ(talk.answers().size(), 5u);
  EXPECT_THAT(talk.answers()[1].text,
              AllOf(HasSubstr("Tracing pid 9 "), HasSubstr("kdb_sysctl_panic+0x61/frame")));
  const std::string& pcpu = talk.answers()[3].text;
  EXPECT_THAT(pcpu, AllOf(HasSubstr("cpuid        = 0\n"), HasSubstr("rescue\"\nidlethread "),
                          HasSubstr("spin locks held:\n")));
  EXPECT_THAT(pcpu, Not(HasSubstr("More")));
  EXPECT_THAT(talk.answers()[4].text, HasSubstr("No such command"));
}

TEST_F(DebuggerTalkTest, HowFreebsdsDumpsEnd) {
  const guest::DebuggerRules& ddb = *guest::guest_for(Os::freebsd).debugger();
  EXPECT_TRUE(ddb.dump_succeeded(ddb.dump_ended("Dump complete").value()));
  EXPECT_TRUE(ddb.dump_succeeded(ddb.dump_ended("Textdump complete.").value()));
  EXPECT_FALSE(ddb.dump_succeeded(ddb.dump_ended("Cannot dump: no dump device specified.").value()));
  EXPECT_FALSE(ddb.dump_succeeded(
      ddb.dump_ended("Dump failed. Partition too small (about 9MB were needed this time).").value()));
  EXPECT_FALSE(ddb.dump_ended("Dumping 111 out of 446 MB:..15%"));
}

}  // namespace
