// Public console logs with known answers, where they are: KDEV_CRASHLOGS names a folder with expected.jsonl
// and logs/. KDEV_CRASHLOGS_VERBOSE=1 prints each miss.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <kdev/crash.hpp>
#include <set>
#include <sstream>

namespace kdev {
namespace {

struct Score {
  int total = 0, title = 0, type = 0, both = 0, detected = 0, alternatives = 0, corrupted = 0, no_crash = 0,
      false_reports = 0;
};

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Score score_of(const std::string& dir, std::string_view system, bool verbose) {
  Score score;
  std::ifstream expected(dir + "/expected.jsonl");
  for (std::string line; std::getline(expected, line);) {
    const auto row = boost::json::parse(line).as_object();
    if (row.at("os").as_string() != system) continue;
    const std::string file(row.at("file").as_string()), title(row.at("title").as_string());
    const std::string log = slurp(dir + "/logs/" + file);
    const auto reports = scan_console(log, system);
    const CrashReport first = reports.empty() ? CrashReport{} : reports[0];
    std::set<std::string> alternatives;
    for (const auto& a : row.at("alt").as_array()) alternatives.emplace(a.as_string());
    ++score.total;
    if (title.empty()) {
      ++score.no_crash;
      score.false_reports += !reports.empty();
    }
    const bool right = first.title == title;
    score.title += right;
    score.type += first.type == row.at("type").as_string();
    score.both += right && first.type == row.at("type").as_string();
    score.alternatives += alternatives == std::set<std::string>(first.alternative_titles.begin(),
                                                                first.alternative_titles.end());
    score.corrupted += first.corrupted == row.at("corrupted").as_bool();
    score.detected += !title.empty() && detect_console(log) == system;
    if (!right && verbose) std::cout << file << "\n  want " << title << "\n  got  " << first.title << "\n";
  }
  return score;
}

/// What must be reached: the logs whose titles and types are right, both, and the other facts.
struct Bar {
  int title, both, alternatives, corrupted, detected;
};

void expect_titles(std::string_view system, Bar bar) {
  const char* dir = std::getenv("KDEV_CRASHLOGS");
  if (!dir) GTEST_SKIP() << "KDEV_CRASHLOGS does not name the folder of public crash logs";
  const char* verbose = std::getenv("KDEV_CRASHLOGS_VERBOSE");
  const Score score = score_of(dir, system, verbose && *verbose == '1');
  std::cout << system << ": " << score.total << " logs, title " << score.title << ", type " << score.type
            << ", system " << score.detected << ", alternatives " << score.alternatives << ", corrupted "
            << score.corrupted << ", false reports " << score.false_reports << " of " << score.no_crash
            << "\n";
  ASSERT_GT(score.total, 0);
  EXPECT_GE(score.title, bar.title);
  EXPECT_GE(score.both, bar.both);
  EXPECT_GE(score.alternatives, bar.alternatives);
  EXPECT_GE(score.corrupted, bar.corrupted);
  EXPECT_GE(score.detected, bar.detected);
  EXPECT_EQ(0, score.false_reports);
}

TEST(CrashLogs, LinuxTitles) {
  expect_titles("linux", {.title = 370, .both = 370, .alternatives = 371, .corrupted = 368, .detected = 349});
}

TEST(CrashLogs, FreebsdTitles) {
  expect_titles("freebsd", {.title = 8, .both = 8, .alternatives = 8, .corrupted = 8, .detected = 8});
}

TEST(CrashLogs, OpenbsdTitles) {
  expect_titles("openbsd", {.title = 23, .both = 23, .alternatives = 23, .corrupted = 23, .detected = 21});
}

TEST(CrashLogs, NetbsdTitles) {
  expect_titles("netbsd", {.title = 6, .both = 6, .alternatives = 6, .corrupted = 6, .detected = 5});
}

}  // namespace
}  // namespace kdev
