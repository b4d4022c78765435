#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <variant>

#include <kdev/deadline.hpp>
#include <kdev/error.hpp>

namespace kdev {

/// A stage of a pipeline, or one long operation of a handle, began.
struct StageStarted {
  std::string stage;  ///< "configure", "build", "image", "boot", "run", "crash", "analyze", ...
  std::string text;   ///< one line for people
  bool operator==(const StageStarted&) const = default;
};

/// The same stage ended.
struct StageFinished {
  std::string stage;
  std::string outcome;  ///< "done", "cached" (nothing had to be done), "failed", "interrupted"
  Seconds duration{};
  std::string text;
  bool operator==(const StageFinished&) const = default;
};

/// How far a stage is.
struct Progress {
  std::string stage;
  long done = 0;
  long total = 0;  ///< expected; 0: unknown
  Seconds eta{};   ///< expected time left; negative: unknown
  std::string text;
  bool operator==(const Progress&) const = default;
};

/// A compiler message as it appears.
struct DiagnosticFound {
  Diagnostic diagnostic;
  bool operator==(const DiagnosticFound&) const = default;
};

/// A VM changed its state; names as in VmState.
struct VmStateChanged {
  std::string vm, from, to, reason;
  bool operator==(const VmStateChanged&) const = default;
};

/// A whole line of the guest's console, without its line end.
struct ConsoleLine {
  std::string vm, text;
  bool operator==(const ConsoleLine&) const = default;
};

/// A crash was recognised on a console.
struct CrashFound {
  std::string vm, title;
  bool operator==(const CrashFound&) const = default;
};

/// Something a person should know: a fall-back that was taken, a resource that was reaped.
struct Notice {
  std::string text;
  bool operator==(const Notice&) const = default;
};

using Event = std::variant<StageStarted, StageFinished, Progress, DiagnosticFound, VmStateChanged, ConsoleLine, CrashFound, Notice>;

/// Events are delivered only on the thread that is inside a kdev call, never from a background thread, so a sink needs
/// no lock of its own when one thread uses one sink. What a sink throws ends the call and passes to the caller.
using EventSink = std::function<void(const Event&)>;

/// One line for people, no trailing newline.
KDEV_API std::string describe(const Event& event);
/// {"event": "progress", ...}
KDEV_API std::string to_json(const Event& event);

}  // namespace kdev
