// Interrupts: Ctrl-C (and any other Python signal handler) within a slice of every blocking call.
#include <atomic>
#include <chrono>

#include "bind.hpp"
#include "blocking.hpp"

namespace kdev::python {
namespace {

struct Kept {
  std::optional<py::error_already_set> error;
  Clock::time_point last_look{};
  bool no_throw = false;
  bool no_signals = false;
  int depth = 0;
};
thread_local Kept kept;

unsigned long main_thread = 0;

// A look takes the GIL, which another busy thread may hold for 5 ms: not in every turn of a loop.
constexpr auto kLookEvery = std::chrono::milliseconds(50);

bool interrupt_hook() {
  // Python runs signal handlers on its main thread only.
  if (PyThread_get_thread_ident() != main_thread || kept.depth == 0 || kept.no_signals) return false;
  auto now = Clock::now();
  if (now - kept.last_look < kLookEvery) return false;
  kept.last_look = now;
  py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() == 0) return false;
  keep_python_error();
  return true;
}

}  // namespace

Call::Call() {
  outer_ = std::exchange(kept.error, std::nullopt);
  kept.last_look = Clock::now();
  ++kept.depth;
}

Call::~Call() {
  --kept.depth;
  kept.error = std::move(outer_);
}

void Call::finish() {
  if (kept.error) throw *std::exchange(kept.error, std::nullopt);
}

void keep_python_error() {
  py::error_already_set error;
  if (!kept.error) kept.error.emplace(std::move(error));
}

bool has_kept_error() {
  return kept.error.has_value();
}

NoThrow::NoThrow() : outer_(std::exchange(kept.no_throw, true)) {}
NoThrow::~NoThrow() {
  kept.no_throw = outer_;
}

Cleanup::Cleanup() : outer_(std::exchange(kept.no_signals, true)) {
  if (PyGILState_Check()) nogil_.emplace();
}
Cleanup::~Cleanup() {
  kept.no_signals = outer_;
}

/// Called by event sinks, without the GIL, after a callback raised.
void throw_kept(std::string_view what) {
  if (kept.no_throw) return;
  throw Interrupted({.attempted = std::string(what), .reason = "a callback raised", .hint = "", .log = {}});
}

void bind_deadline(py::module_&) {
  main_thread = py::module_::import("threading").attr("main_thread")().attr("ident").cast<unsigned long>();
  set_interrupt_hook(interrupt_hook);
}

}  // namespace kdev::python
