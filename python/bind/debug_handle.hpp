#pragma once
// A DebugSession as Python holds it.
#include <unistd.h>

#include <kdev/debug_session.hpp>
#include <kdev/error.hpp>
#include <memory>

#include "blocking.hpp"
#include "handles.hpp"

namespace kdev::python {

/// A session must not outlive its VM.
class DebugHandle {
 public:
  /// `vm`: null when it is of none.
  DebugHandle(std::shared_ptr<VmHandle> vm, DebugSession session)
      : vm_(std::move(vm)), session_(new DebugSession(std::move(session))), owner_(::getpid()) {}
  ~DebugHandle() {
    if (owner_ != ::getpid()) {
      (void)session_.release();  // a forked child's copy: gdb is the parent's
      return;
    }
    Call call;
    py::gil_scoped_release nogil;
    session_.reset();
    vm_.reset();
  }
  DebugHandle(const DebugHandle&) = delete;
  DebugHandle& operator=(const DebugHandle&) = delete;
  DebugSession& session() const {
    if (vm_) vm_->vm();
    if (owner_ != ::getpid())
      throw GuestError({.attempted = "use a debug session",
                        .reason = "it belongs to the process that this one was forked from",
                        .hint = "",
                        .log = {}});
    return *session_;
  }

 private:
  std::shared_ptr<VmHandle> vm_;
  std::unique_ptr<DebugSession> session_;
  pid_t owner_;
};

using DebugClass = py::class_<DebugHandle, std::shared_ptr<DebugHandle>>;

void bind_debug_values(py::module_& m);
/// Dumps, stubs and VMs of others.
void bind_debug_ways_in(py::module_& m, DebugClass& debug);
/// Recordings, and the ways back.
void bind_replay(py::module_& m, DebugClass& debug);

}  // namespace kdev::python
