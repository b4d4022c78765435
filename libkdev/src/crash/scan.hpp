#pragma once
#include <deque>
#include <functional>
#include <kdev/crash.hpp>
#include <string>
#include <string_view>

#include "crash/title.hpp"
#include "crash/uptime.hpp"
#include "guest/console_rules.hpp"

namespace kdev::crash {

/// A console log in, its crash reports out, in one pass over a text that may still grow. Each line is looked
/// at once for beginnings, and read for at most 1 + max_foreign reports: linear.
class Scan {
 public:
  /// Takes a report; false: no more are wanted.
  using Sink = std::function<bool(CrashReport)>;

  Scan(const guest::ConsoleRules& rules, std::string_view system)
      : rules_(rules), titles_(TitleTable::of(rules)), system_(system) {}

  /// `log`: the text so far, from where drop() left it. Reports are handed out once what follows them is
  /// there. `last`: nothing follows the text.
  void run(std::string_view log, bool last, const Sink& sink);
  /// How much of the text's beginning will not be needed again.
  std::size_t settled() const;
  void drop(std::size_t size);

 private:
  struct Start {
    std::size_t line;  ///< offset of the line
    int record;        ///< index within the line
    int format;
    std::size_t begin;  ///< where the report's announcement begins; offset of a line
    std::string caller;
    bool used = false;  ///< part of an earlier report
  };

  /// A line after which a boot's kernel says no more of its own: a panic, or the next boot.
  struct Turn {
    std::size_t line;
    bool panic;
  };

  const guest::CrashFormat& format(const Start& s) const { return rules_.formats()[s.format]; }
  void find_starts(bool last);
  std::size_t announcement(std::size_t line) const;
  CrashReport read(std::size_t index);
  bool panic_follows(const Start& start);
  std::string lines_before(const Start& start) const;
  void finish(CrashReport& report) const;

  const guest::ConsoleRules& rules_;
  const TitleTable& titles_;
  std::string system_;
  std::string_view log_;
  std::deque<Start> starts_;  ///< those not read yet
  std::deque<Turn> turns_;    ///< those not before the first of starts_
  Uptime uptime_;
  std::size_t searched_ = 0;  ///< up to here beginnings were looked for
  std::size_t last_end_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace kdev::crash
