// Console logs of our own guests, with what a reader finds in them written beside.
#include <gmock/gmock.h>

#include <boost/filesystem.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <kdev/crash.hpp>
#include <sstream>

#include "crash/report_view.hpp"

namespace kdev {
namespace {

using boost::json::object;

std::string slurp(const Path& path) {
  std::ifstream in(path.string(), std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : boost::filesystem::directory_iterator(Path(KDEV_GOLDEN_DIR) / "crash"))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> strings(const boost::json::value& v) {
  std::vector<std::string> out;
  for (const auto& s : v.as_array()) out.emplace_back(s.as_string());
  return out;
}

std::vector<std::string> labels(const StackTrace& trace, bool unreliable) {
  std::vector<std::string> out;
  for (const auto& f : trace.frames)
    if (f.reliable || unreliable) out.push_back((f.reliable ? "" : "? ") + view::label(f));
  return out;
}

std::string bare(std::string line) {  // without its timestamp
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  const auto close = line.find("] ", line.find("][") == std::string::npos ? 0 : line.find("][") + 2);
  return line.starts_with("[ ") && close != std::string::npos ? line.substr(close + 2) : line;
}

void expect_text(const object& want, const char* key, const std::string& got) {
  if (const auto* v = want.if_contains(key)) {
    EXPECT_EQ(std::string(v->as_string()), got) << key;
  }
}

void compare(const object& want, const CrashReport& got) {
  expect_text(want, "title", got.title);
  expect_text(want, "kind", got.kind);
  expect_text(want, "type", got.type);
  expect_text(want, "message", got.message);
  expect_text(want, "function", got.function);
  expect_text(want, "process", got.process);
  expect_text(want, "taint", got.taint);
  expect_text(want, "release", got.release);
  EXPECT_EQ(strings(want.at("alternatives")), got.alternative_titles);
  EXPECT_EQ(want.at("pid").as_int64(), got.pid);
  EXPECT_EQ(want.at("cpu").as_int64(), got.cpu);
  EXPECT_EQ(want.at("panicked").as_bool(), got.panicked);
  EXPECT_EQ(want.at("corrupted").as_bool(), got.corrupted);
  if (const auto* v = want.if_contains("kaslr_offset")) {
    EXPECT_EQ(v->as_int64(), got.kaslr_offset.value_or(-1));
  } else {
    EXPECT_FALSE(got.kaslr_offset);
  }
  if (const auto* v = want.if_contains("registers")) {
    if (v->as_object().empty()) {
      EXPECT_THAT(got.registers, testing::IsEmpty());
    }
    for (const auto& [name, value] : v->as_object()) {
      ASSERT_TRUE(got.registers.count(std::string(name))) << name;
      EXPECT_EQ(std::string(value.as_string()), got.registers.at(std::string(name))) << name;
    }
  }
  const auto mine = boost::json::parse(got.to_json()).as_object();
  for (const char* key : {"fault", "object"}) {
    const auto* v = want.if_contains(key);
    if (!v) continue;
    ASSERT_TRUE(mine.contains(key)) << key;
    for (const auto& [name, value] : v->as_object()) {
      const auto* have = mine.at(key).as_object().if_contains(name);
      ASSERT_NE(nullptr, have) << name;
      EXPECT_EQ(boost::json::serialize(value), boost::json::serialize(*have)) << name;
    }
  }
  const StackTrace first = got.traces.empty() ? StackTrace{} : got.traces[0];
  if (const auto* v = want.if_contains("frames")) {
    EXPECT_EQ(strings(*v), labels(first, true));
  }
  if (const auto* v = want.if_contains("reliable")) {
    EXPECT_EQ(strings(*v), labels(first, false));
  }
  if (const auto* v = want.if_contains("traces")) {
    std::vector<std::string> names;
    for (const auto& t : got.traces) names.push_back(t.name);
    EXPECT_EQ(strings(*v), names);
  }
  if (const auto* v = want.if_contains("others")) {
    for (const auto& [name, frames] : v->as_object())
      for (const auto& t : got.traces)
        if (t.name == name) {
          EXPECT_EQ(strings(frames), labels(t, true)) << name;
        }
  }
  if (const auto* v = want.if_contains("context")) {
    ASSERT_FALSE(got.traces.empty());
    EXPECT_EQ(std::string(v->as_string()), got.traces[0].context);
  }
  const auto newline = got.text.find('\n');
  expect_text(want, "first", bare(got.text.substr(0, newline)));
  expect_text(want, "last", bare(std::string(view::last_lines(got.text, 1))));
}

Os os_of(const object& golden) {
  const auto* os = golden.if_contains("os");
  return os && os->as_string() == "freebsd" ? Os::freebsd : Os::linux;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, SaysWhatAReaderFinds) {
  const Path base = Path(KDEV_GOLDEN_DIR) / "crash" / GetParam();
  const std::string log = slurp(base.string() + ".log");
  ASSERT_FALSE(log.empty());
  const auto golden = boost::json::parse(slurp(base.string() + ".json")).as_object();
  const auto& want = golden.at("reports").as_array();
  const auto reports = scan_console(log, os_of(golden));
  ASSERT_EQ(want.size(), reports.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    SCOPED_TRACE(i);
    compare(want[i].as_object(), reports[i]);
    EXPECT_LT(reports[i].begin, reports[i].end);
    EXPECT_LE(reports[i].end, log.size());
    EXPECT_EQ(log.substr(reports[i].begin, reports[i].end - reports[i].begin), reports[i].text);
    EXPECT_EQ(reports[i], CrashReport::from_json(reports[i].to_json()));
  }
}

// A log that ends anywhere, as a console that is read live does, is no reason to stumble.
TEST_P(Golden, MayEndAnywhere) {
  const Path base = Path(KDEV_GOLDEN_DIR) / "crash" / GetParam();
  const std::string log = slurp(base.string() + ".log");
  const Os os = os_of(boost::json::parse(slurp(base.string() + ".json")).as_object());
  for (std::size_t n = 0; n < log.size(); n += 331) {
    for (const auto& report : scan_console(std::string_view(log).substr(0, n), os)) {
      EXPECT_FALSE(report.title.empty());
      EXPECT_LE(report.end, n);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Logs, Golden, testing::ValuesIn(golden_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kdev
