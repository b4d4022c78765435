#pragma once
// StageStarted when made, StageFinished with the outcome when it goes out of scope.
#include <exception>
#include <kdev/error.hpp>
#include <kdev/event.hpp>
#include <string>
#include <utility>

namespace kdev {

class Stage {
 public:
  Stage(std::string name, std::string text, const EventSink& sink)
      : name_(std::move(name)), sink_(sink), started_(Clock::now()), exceptions_(std::uncaught_exceptions()) {
    if (sink_) sink_(StageStarted{.stage = name_, .text = std::move(text)});
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() {
    if (finished_) return;
    // What a sink throws while another error is on its way is lost: that error matters more.
    try {
      done(std::uncaught_exceptions() > exceptions_ ? "failed" : "done", "");
    } catch (...) {
    }
  }
  /// Runs f; what it throws passes on, told apart as "interrupted" or "failed".
  template <class F>
  auto during(F&& f) {
    try {
      return f();
    } catch (const Interrupted&) {
      if (!finished_) {
        try {
          done("interrupted", "");
        } catch (...) {
        }
      }
      throw;
    }
  }
  void done(std::string outcome, std::string text) {
    finished_ = true;
    if (sink_)
      sink_(StageFinished{.stage = name_,
                          .outcome = std::move(outcome),
                          .duration = Clock::now() - started_,
                          .text = std::move(text)});
  }

 private:
  std::string name_;
  const EventSink& sink_;
  Clock::time_point started_;
  int exceptions_;
  bool finished_ = false;
};

}  // namespace kdev
