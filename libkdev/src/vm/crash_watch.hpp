#pragma once
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/console_rules.hpp"

namespace kdev::vm {

/// A stretch of console output with at least one crash report in it.
struct CrashEpisode {
  std::size_t begin = 0, end = 0;  ///< byte range in the console log
  bool fatal = false;              ///< the kernel does not go on after it
  std::size_t not_before =
      0;                  ///< text before this is of a debug session: it looks like a crash's, and is none
  std::size_t after = 0;  ///< where what was said to its debugger ends; 0: nothing was
  std::vector<DebuggerAnswer> answers{};
  std::string dump{};                ///< CrashReport::dump
  std::vector<std::string> notes{};  ///< for the report
  bool operator==(const CrashEpisode&) const = default;
};

/// Follows a console line by line: did a crash begin, and is its report complete? Reports have no reliable
/// last line, so besides the known ends it is silence that completes one. Not thread-safe.
class CrashWatch {
 public:
  /// `limit`: longest time from a report's first line to its end.
  CrashWatch(const guest::ConsoleRules* rules, Seconds limit) : rules_(rules), limit_(limit) {}

  /// Console bytes as they come; `offset` is the first one's place in the log. Calls `on_line` for each whole
  /// line.
  template <class OnLine>
  void feed(std::string_view bytes, std::size_t offset, Clock::time_point now, OnLine on_line) {
    while (!bytes.empty()) {
      std::size_t newline = bytes.find('\n');
      if (line_.empty()) line_begin_ = offset;
      std::string_view piece = bytes.substr(0, newline);
      // A "line" that never ends is cut: nothing here may grow without bound.
      if (line_.size() + piece.size() < max_line) line_ += piece;
      std::size_t used = newline == std::string_view::npos ? bytes.size() : newline + 1;
      offset += used;
      bytes.remove_prefix(used);
      last_byte_ = now;
      end_ = offset;
      if (newline != std::string_view::npos) {
        std::string_view text = line_;
        while (!text.empty() && text.back() == '\r') text.remove_suffix(1);
        line(text, now);
        on_line(text);
        line_.clear();
      }
    }
  }
  /// The panic device spoke: a crash even where the console shows none.
  void panicked(std::size_t offset, Clock::time_point now);
  /// A crash has begun and its report is not complete yet.
  bool open() const { return open_; }
  bool fatal() const { return open_ && fatal_; }
  /// While somebody talks with the debugger, what it prints is no report.
  void listen(bool listening) { listening_ = listening; }
  /// Somebody debugs the kernel: that it enters its debugger is no crash.
  void debugged(bool debugged) { debugged_ = debugged; }
  /// The console's last line, as far as it has come, and when that was.
  const std::string& unfinished() const { return line_; }
  Clock::time_point last_byte() const { return last_byte_; }
  /// The episode, when it is complete. `ended`: no more output can come, or none is expected.
  std::optional<CrashEpisode> settle(Clock::time_point now, bool ended);

 private:
  static constexpr std::size_t max_line = 64u << 10;
  void line(std::string_view text, Clock::time_point now);
  void begin(std::size_t offset, Clock::time_point now);

  const guest::ConsoleRules* rules_;
  Seconds limit_;
  std::string line_;
  std::size_t line_begin_ = 0, begin_ = 0, end_ = 0, debugged_to_ = 0;
  Clock::time_point last_byte_{}, opened_{};
  bool open_ = false, fatal_ = false, end_seen_ = false;
  bool listening_ = true, debugged_ = false;
};

}  // namespace kdev::vm
