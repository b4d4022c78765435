#include "common/json.hpp"

#include <gtest/gtest.h>

#include <kdev/error.hpp>
#include <kdev/event.hpp>

#include "common/digest.hpp"

using namespace kdev;

TEST(Json, BadBytesBecomeReplacementCharacters) {
  EXPECT_EQ(json::utf8("plain"), "plain");
  EXPECT_EQ(json::utf8("\xff\x41"), "\xef\xbf\xbd\x41");
  EXPECT_EQ(json::utf8("\xc3\xa9"), "\xc3\xa9");
  EXPECT_EQ(json::utf8("\xc3"), "\xef\xbf\xbd");
  EXPECT_EQ(json::utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
}

TEST(Json, WrongTypesAreNamed) {
  json::object o = json::parse_object(R"({"a": 1})", "test");
  EXPECT_EQ(json::get_int(o, "a"), 1);
  EXPECT_THROW(json::get_string(o, "a"), FormatError);
  EXPECT_THROW(json::parse_object("[1]", "test"), FormatError);
  EXPECT_THROW(json::parse_object("{", "test"), FormatError);
}

TEST(Json, PrettyPrintingParsesBack) {
  json::object o{{"a", json::array{1, 2}}, {"b", json::object{{"c", "d"}}}, {"e", json::array{}}};
  EXPECT_EQ(json::value(json::parse_object(json::dump(o, true), "test")), json::value(o));
}

TEST(Digest, KnownAnswerAndPieceBoundaries) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_NE(Digest().add("ab").add("c").hex(), Digest().add("a").add("bc").hex());
}

TEST(Events, AreJsonWhateverBytesAreInThem) {
  const std::string bad = "f\xff\xc3.c", good = json::utf8(bad);
  const auto member = [](const Event& event, const char* name) {
    return json::get_string(json::parse_object(to_json(event), "event"), name);
  };
  EXPECT_EQ(member(StageStarted{.stage = bad, .text = bad}, "text"), good);
  EXPECT_EQ(member(StageStarted{.stage = bad, .text = bad}, "stage"), good);
  EXPECT_EQ(member(StageFinished{.stage = "build", .outcome = "done", .text = bad}, "text"), good);
  EXPECT_EQ(member(Progress{.stage = "build", .text = bad}, "text"), good);
  const DiagnosticFound found{{.file = bad, .severity = bad, .message = bad}};
  for (const char* name : {"file", "severity", "message"}) EXPECT_EQ(member(found, name), good);
  EXPECT_EQ(member(VmStateChanged{.vm = bad, .from = "a", .to = "b", .reason = bad}, "vm"), good);
  EXPECT_EQ(member(ConsoleLine{.vm = bad, .text = bad}, "vm"), good);
  EXPECT_EQ(member(CrashFound{.vm = bad, .title = bad}, "vm"), good);
  EXPECT_EQ(member(Notice{bad}, "text"), good);
}

TEST(Digest, BeginsAnewAfterItsSum) {
  Digest digest;
  EXPECT_EQ(digest.raw("abc").hex(), sha256("abc"));
  EXPECT_EQ(digest.raw("abc").hex(), sha256("abc"));
}

TEST(Hex, ThereAndBack) {
  const std::string bytes("\x00\xff\x10z", 4);
  EXPECT_EQ(hex_of(bytes), "00ff107a");
  EXPECT_EQ(from_hex("00FF107a", "it"), bytes);
  EXPECT_EQ(from_hex("", "it"), "");
  for (const char* bad : {"0", "0g", "00 1"}) EXPECT_THROW(from_hex(bad, "it"), FormatError) << bad;
}

TEST(Json, MapsOfStrings) {
  const std::map<std::string, std::string> map{{"a", "1"}, {"b", ""}};
  const json::object o{{"m", json::from_map(map)}, {"wrong", json::object{{"a", 1}}}};
  EXPECT_EQ(json::get_map(o, "m"), map);
  EXPECT_TRUE(json::get_map(o, "absent").empty());
  EXPECT_THROW(json::get_map(o, "wrong"), FormatError);
}
