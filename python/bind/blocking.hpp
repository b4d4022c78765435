#pragma once
// Blocking calls: the GIL is released, signals are looked at, and what a Python callback raised reaches the
// caller.
#include <optional>
#include <utility>

#include "casters.hpp"

namespace kdev::python {

/// One blocking call on this thread. While it lives, the interrupt hook and event sinks may leave a Python
/// exception behind; finish() (with the GIL held) raises it. Calls nest: a callback may itself call kdev.
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  void finish();

 private:
  std::optional<py::error_already_set> outer_;
};

/// Keeps the Python error that is set now until the current Call ends. The GIL is held. The first one wins.
void keep_python_error();
/// True when one is kept on this thread.
bool has_kept_error();

/// While one lives on this thread, event sinks keep what a callback raises but do not throw: for noexcept
/// cleanup.
class NoThrow {
 public:
  NoThrow();
  ~NoThrow();

 private:
  bool outer_;
};

/// What a destructor holds while it ends things: no GIL, whether it was held or not, and nobody to raise to.
/// What a callback raises meanwhile is dropped; a signal stays pending for whatever Python code runs next.
class Cleanup {
 public:
  Cleanup();
  ~Cleanup();

 private:
  NoThrow no_throw_;
  Call call_;
  bool outer_;
  std::optional<py::gil_scoped_release> nogil_;
};

/// Runs `f` without the GIL. A kept Python exception wins over f's own outcome.
template <class F>
auto blocking(F&& f) -> decltype(f()) {
  using R = decltype(f());
  Call call;
  try {
    if constexpr (std::is_void_v<R>) {
      {
        py::gil_scoped_release nogil;
        f();
      }
      call.finish();
    } else {
      std::optional<R> result;
      {
        py::gil_scoped_release nogil;
        result.emplace(f());
      }
      call.finish();
      return std::move(*result);
    }
  } catch (py::error_already_set&) {
    throw;
  } catch (...) {
    call.finish();
    throw;
  }
}

/// A sink that calls `on_event`; None: the process-wide default sink, if one is set when the event comes. The
/// object may be destroyed without the GIL.
EventSink make_sink(py::object on_event);
/// A line callback with the same rules.
std::function<void(std::string_view)> make_line_callback(py::object callback);

/// Timeouts in Python are seconds or None.
inline Deadline deadline(const std::optional<Seconds>& timeout) {
  return timeout ? Deadline::after(*timeout) : Deadline::never();
}

using Timeout = std::optional<Seconds>;
using OnEvent = py::typing::Optional<py::typing::Callable<void(Event)>>;

}  // namespace kdev::python
