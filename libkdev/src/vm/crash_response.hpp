#pragma once
// What OnCrash asks for, done: from the end of a fatal report to the state that the guest is to be left in.
#include <kdev/vm.hpp>
#include <memory>

#include "vm/crash_watch.hpp"
#include "vm/debugger_talk.hpp"

namespace kdev::vm {

/// Not thread-safe: belongs to the session's thread, under its lock.
class CrashResponse {
 public:
  /// `debugger` null: the guest has none.
  CrashResponse(const guest::DebuggerRules* debugger, OnCrash policy)
      : debugger_(debugger), policy_(std::move(policy)) {}

  /// A report is complete. False: there is nothing to do about it.
  bool begin(const CrashEpisode& episode, std::string_view unfinished, Clock::time_point now);
  bool busy() const { return episode_.has_value(); }
  /// With the debugger: what the console shows is no report.
  bool talking() const { return talk_ != nullptr; }
  void feed(std::string_view bytes, Clock::time_point now) {
    if (talk_) talk_->feed(bytes, now);
  }
  /// A whole line of the console.
  void line(std::string_view text);
  /// What to type now. `ended`: the machine has, or goes down.
  std::string next(Clock::time_point now, bool ended);
  /// The episode with what came of it, once that is over. `end_machine`: nothing more is wanted of it.
  struct Done {
    CrashEpisode episode;
    bool end_machine = false;
  };
  std::optional<Done> done();

 private:
  const guest::DebuggerRules* debugger_;
  OnCrash policy_;
  std::optional<CrashEpisode> episode_;
  std::unique_ptr<DebuggerTalk> talk_;
  std::string dump_;           // how one ended, when nothing is responded to yet
  Clock::time_point until_{};  // of an unattended guest
  bool over_ = false;
};

}  // namespace kdev::vm
