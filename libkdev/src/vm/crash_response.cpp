#include "vm/crash_response.hpp"

#include <fmt/format.h>

#include <utility>

namespace kdev::vm {
namespace {

/// The last line that says how a dump ended.
std::optional<std::string> dump_ended(const guest::DebuggerRules& rules, std::string_view text) {
  std::optional<std::string> said;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (auto ended = rules.dump_ended(line)) said = std::move(ended);
  }
  return said;
}

}  // namespace

bool CrashResponse::begin(const CrashEpisode& episode, std::string_view unfinished, Clock::time_point now) {
  // A debugger is entered once: what it prints afterwards (a trap in one of its commands) is its own affair.
  if (!episode.fatal || !debugger_ || busy()) return false;
  if (policy_.then == AfterCrash::unattended) {
    if (debugger_->dump(false).empty()) return false;  // nothing of it is known
    episode_ = episode;
    episode_->dump = std::exchange(dump_, {});
    until_ = now + std::chrono::duration_cast<Clock::duration>(policy_.dump_timeout);
    over_ = false;
    return true;
  }
  const bool text = policy_.then == AfterCrash::textdump, dump = text || policy_.then == AfterCrash::dump;
  if (policy_.ask.empty() && !dump) return false;
  std::vector<DebuggerLine> lines;
  for (std::string& command : debugger_->prepare())
    lines.push_back({std::move(command), policy_.answer_timeout, false});
  for (const std::string& command : policy_.ask) lines.push_back({command, policy_.answer_timeout});
  if (dump)
    for (std::string& command : debugger_->dump(text))
      lines.push_back({std::move(command), policy_.dump_timeout, false});
  episode_ = episode;
  talk_ =
      std::make_unique<DebuggerTalk>(*debugger_, std::move(lines), policy_.answer_timeout, unfinished, now);
  return true;
}

void CrashResponse::line(std::string_view text) {
  if (!debugger_ || policy_.then != AfterCrash::unattended) return;
  // A dump may be over before the report's end is known.
  if (auto ended = debugger_->dump_ended(text)) (busy() ? episode_->dump : dump_) = std::move(*ended);
}

std::string CrashResponse::next(Clock::time_point now, bool ended) {
  if (!busy()) return {};
  if (talk_) {
    if (ended) talk_->cut();
    return talk_->next(now);
  }
  if (!over_ && !ended && now >= until_) {
    episode_->notes.push_back(
        fmt::format("the guest did not reboot within {:.0f} s", policy_.dump_timeout.count()));
    over_ = true;
  }
  over_ = over_ || ended;
  return {};
}

std::optional<CrashResponse::Done> CrashResponse::done() {
  if (!busy() || !(talk_ ? talk_->over() : over_)) return {};
  Done result{.episode = std::move(*episode_)};
  episode_.reset();
  if (const auto talk = std::move(talk_)) {
    CrashEpisode& episode = result.episode;
    for (std::size_t i = 0; i < talk->answers().size(); ++i) {
      const DebuggerAnswer& answer = talk->answers()[i];
      if (talk->lines()[i].answer)
        episode.answers.push_back(answer);
      else if (auto said = dump_ended(*debugger_, answer.text))
        episode.dump = std::move(*said);
    }
    if (!talk->failure().empty()) episode.notes.push_back(debugger_->name() + ": " + talk->failure());
    if (policy_.then == AfterCrash::dump || policy_.then == AfterCrash::textdump) {
      result.end_machine = debugger_->dump_succeeded(episode.dump);
      if (!result.end_machine && talk->failure().empty())
        episode.notes.push_back("no dump was made" + (episode.dump.empty() ? "" : ": " + episode.dump));
    }
  }
  return result;
}

}  // namespace kdev::vm
