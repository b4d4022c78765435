#pragma once
// A talk with the debugger at a guest's console.
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/debugger_rules.hpp"

namespace kdev::vm {

/// Something to type at the prompt.
struct DebuggerLine {
  std::string command;
  Seconds limit{30};    ///< for the prompt to come back
  bool answer = true;   ///< what it prints is wanted
  bool returns = true;  ///< the prompt comes back; false: the talk ends when the line was taken
};

/// Types one line after the other, each when the prompt is there. Console bytes come in, what is to be typed
/// goes out. Not thread-safe.
class DebuggerTalk {
 public:
  /// `unfinished`: the console's last line so far. `prompt_limit`: how long the first prompt may take to
  /// come. `at_stub`: the kernel's gdb stub has the word, as far as is known.
  DebuggerTalk(const guest::DebuggerRules& rules, std::vector<DebuggerLine> lines, Seconds prompt_limit,
               std::string_view unfinished, Clock::time_point now, bool at_stub = false);
  void feed(std::string_view bytes, Clock::time_point now);
  /// What to type now.
  std::string next(Clock::time_point now);
  /// The machine has ended.
  void cut() { end("the machine ended"); }
  bool over() const { return over_; }
  /// Why it ended before the last line's answer; empty: it did not.
  const std::string& failure() const { return failure_; }
  /// Of the lines that were typed and whose answer was wanted, or not; by place.
  const std::vector<DebuggerAnswer>& answers() const { return answers_; }
  const std::vector<DebuggerLine>& lines() const { return lines_; }

 private:
  void end(std::string why);
  void finish(bool complete);
  std::string_view last_line() const;

  const guest::DebuggerRules& rules_;
  std::vector<DebuggerLine> lines_;
  std::vector<DebuggerAnswer> answers_;
  std::string text_;  // since the last line was typed
  bool typed_ = false, over_ = false;
  std::string failure_;
  Seconds limit_;
  Clock::time_point began_, last_byte_;
  bool at_stub_;
  std::optional<Clock::time_point> summoned_;
};

}  // namespace kdev::vm
