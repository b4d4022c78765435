// MI's tuples as values: what gdb 13 said about kernels.
#include "debug/frames.hpp"

#include <gtest/gtest.h>

#include "debug/mi.hpp"

using namespace kdev;
using namespace kdev::debug;

namespace {

json::object results(const std::string& line) {
  const auto record = parse_mi(line);
  EXPECT_TRUE(record) << line;
  return record ? record->results : json::object();
}

crash::SourceText sources() {
  return crash::SourceText("/nowhere", "");
}

TEST(Frames, AStopOfABreakpoint) {
  auto text = sources();
  const DebugStop stop = stop_from(
      results(
          R"(*stopped,reason="breakpoint-hit",disp="keep",bkptno="3",frame={addr="0xffffffff811c2a40",func="vfs_mkdir",args=[{name="dir",value="0xffff888000b0a108"},{name="mode",value="511"}],file="fs/namei.c",fullname="/nowhere/fs/namei.c",line="4070",arch="i386:x86-64"},thread-id="1",stopped-threads="all")"),
      text);
  EXPECT_EQ("breakpoint-hit", stop.reason);
  EXPECT_EQ(3, stop.breakpoint);
  EXPECT_EQ(0xffffffff811c2a40u, stop.frame.address);
  EXPECT_EQ("vfs_mkdir", stop.frame.function);
  EXPECT_EQ("fs/namei.c", stop.frame.file);
  EXPECT_EQ(4070, stop.frame.line);
  EXPECT_EQ("", stop.frame.source) << "that tree is not there";
  EXPECT_EQ(0, stop.frame.context_begin);
  ASSERT_EQ(2u, stop.frame.args.size());
  EXPECT_EQ("mode", stop.frame.args[1].name);
  EXPECT_EQ("511", stop.frame.args[1].value);
}

TEST(Frames, AStopOfAWatchpointHasBothValues) {
  auto text = sources();
  const std::string frame = R"(frame={addr="0x1",func="f",args=[]})";
  DebugStop stop = stop_from(
      results(
          R"(*stopped,reason="watchpoint-trigger",wpt={number="2",exp="probe_counter"},value={old="3",new="4"},)" +
          frame),
      text);
  EXPECT_EQ(2, stop.breakpoint);
  EXPECT_EQ("3", stop.old_value);
  EXPECT_EQ("4", stop.new_value);
  stop = stop_from(
      results(R"(*stopped,reason="read-watchpoint-trigger",hw-rwpt={number="5",exp="x"},value={value="7"},)" +
              frame),
      text);
  EXPECT_EQ(5, stop.breakpoint);
  EXPECT_EQ("", stop.old_value);
  EXPECT_EQ("7", stop.new_value);
}

TEST(Frames, ABreakpointThatWaitsAndOneWithSeveralPlaces) {
  auto text = sources();
  const auto breakpoint = [&](const std::string& line) {
    return breakpoint_from(results(line).at("bkpt").as_object(), text);
  };
  DebugBreakpoint b = breakpoint(
      R"(^done,bkpt={number="1",type="breakpoint",disp="keep",enabled="y",addr="<PENDING>",pending="probe_init",times="0",original-location="probe_init"})");
  EXPECT_TRUE(b.pending);
  EXPECT_EQ(0u, b.address);
  b = breakpoint(
      R"(^done,bkpt={number="2",type="breakpoint",disp="keep",enabled="y",addr="<MULTIPLE>",times="6",locations=[{number="2.1",enabled="y",addr="0xffffffff81001000",func="f",file="a.c",line="9"},{number="2.2",enabled="y",addr="0xffffffff81002000",func="g",file="b.c",line="3"}]})");
  EXPECT_FALSE(b.pending);
  EXPECT_EQ(6u, b.hits);
  EXPECT_EQ(0xffffffff81001000u, b.address);
  EXPECT_EQ("f", b.function);
  EXPECT_EQ(9, b.line);
  b = breakpoint(R"(^done,bkpt={number="4",type="hw watchpoint",what="probe_counter",times="1"})");
  EXPECT_EQ("probe_counter", b.expression);
}

TEST(Frames, MemoryEndsWhereItCannotBeRead) {
  EXPECT_EQ(
      std::string("\x55\x48\x89\xe5", 4),
      bytes_from(results(R"(^done,memory=[{begin="0x10",offset="0x0",end="0x14",contents="554889e5"}])")));
  EXPECT_EQ("", bytes_from(results(R"(^done,memory=[{begin="0x10",offset="0x4",end="0x14",contents="55"}])")))
      << "the first bytes are missing";
  EXPECT_EQ("", bytes_from(results(R"(^done,memory=[])")));
}

TEST(Frames, AreWhateverGdbSays) {
  auto text = sources();
  for (const char* line :
       {"^done", "^done,frame={}", R"(^done,frame=[],bkptno="x",wpt="1")",
        R"(*stopped,reason="breakpoint-hit",bkptno="99999999999999999999",frame={line="-1",addr="zz"})"}) {
    const DebugStop stop = stop_from(results(line), text);
    EXPECT_EQ("", stop.frame.function) << line;
    EXPECT_EQ(0u, stop.frame.address) << line;
  }
}

}  // namespace
