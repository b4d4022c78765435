#include "vm/debugger_talk.hpp"

#include <fmt/format.h>

namespace kdev::vm {
namespace {

// An answer may quote a prompt (ddb's "show msgbuf"): only one after which nothing comes is one.
constexpr Seconds prompt_quiet{0.05};
// Where there is no prompt by then, there is none until it is asked for.
constexpr Seconds summon_after{0.4}, summon_again{2};
// A line that nobody echoes was taken all the same.
constexpr Seconds echo_limit{1};
// What one answer may hold in memory.
constexpr std::size_t longest_answer = 32u << 20;

/// As a terminal shows it, without the echo of the command.
std::string cleaned(std::string_view raw) {
  std::string text;
  for (std::size_t begin = raw.find('\n'); begin != std::string_view::npos && begin + 1 < raw.size();) {
    const std::size_t end = raw.find('\n', begin + 1);
    std::string_view line = raw.substr(begin + 1, end == std::string_view::npos ? end : end - begin - 1);
    while (line.ends_with('\r')) line.remove_suffix(1);
    text += line.substr(line.rfind('\r') + 1);
    text += '\n';
    begin = end;
  }
  while (text.ends_with("\n\n")) text.pop_back();
  return text == "\n" ? std::string() : text;
}

}  // namespace

DebuggerTalk::DebuggerTalk(const guest::DebuggerRules& rules, std::vector<DebuggerLine> lines,
                           Seconds prompt_limit, std::string_view unfinished, Clock::time_point now,
                           bool at_stub)
    : rules_(rules),
      lines_(std::move(lines)),
      text_(unfinished),
      limit_(prompt_limit),
      began_(now),
      last_byte_(now),
      at_stub_(at_stub) {}

void DebuggerTalk::feed(std::string_view bytes, Clock::time_point now) {
  last_byte_ = now;
  if (over_) return;
  if (text_.size() + bytes.size() > longest_answer) text_.erase(0, bytes.size());
  text_ += bytes;
}

std::string_view DebuggerTalk::last_line() const {
  const std::string_view text = text_;
  return text.substr(text.rfind('\n') + 1);
}

void DebuggerTalk::finish(bool complete) {
  DebuggerAnswer answer{.command = lines_[answers_.size()].command, .complete = complete};
  std::string_view text = text_;
  if (complete) text.remove_suffix(last_line().size());
  answer.text = cleaned(text);
  answers_.push_back(std::move(answer));
  typed_ = false;
}

void DebuggerTalk::end(std::string why) {
  if (over_) return;
  if (typed_) finish(false);
  failure_ = std::move(why);
  over_ = true;
}

std::string DebuggerTalk::next(Clock::time_point now) {
  if (over_) return {};
  if (typed_ && !lines_[answers_.size()].returns) {
    if (text_.find('\n') == std::string::npos && Seconds(now - began_) < echo_limit) return {};
    finish(true);
    over_ = true;
    return {};
  }
  if (Seconds(now - last_byte_) >= prompt_quiet) {
    const std::string_view line = last_line();
    if (!typed_)
      if (std::string keys = rules_.take_back(line); !keys.empty()) return keys;
    if (rules_.at_pager(line)) {
      // What is asked for is wanted whole; what somebody else asked for before is not.
      text_.resize(text_.size() - line.size());
      return typed_ ? rules_.next_page() : rules_.leave_pager();
    }
    if (rules_.at_prompt(line)) {
      if (typed_) finish(true);
      if (answers_.size() == lines_.size()) {
        over_ = true;
        return {};
      }
      const DebuggerLine& next = lines_[answers_.size()];
      text_.clear();
      typed_ = true;
      began_ = last_byte_ = now;
      limit_ = next.limit;
      return next.command + rules_.line_end();
    }
    if (!typed_ && Seconds(now - began_) <= limit_ && (at_stub_ || Seconds(now - began_) >= summon_after) &&
        (!summoned_ || Seconds(now - *summoned_) >= summon_again)) {
      summoned_ = now;
      return rules_.summon();
    }
  }
  if (Seconds(now - began_) > limit_)
    end(typed_ ? fmt::format("\"{}\" had no end within {:.0f} s", lines_[answers_.size()].command,
                             limit_.count())
               : fmt::format("no {} prompt within {:.0f} s", rules_.name(), limit_.count()));
  return {};
}

}  // namespace kdev::vm
