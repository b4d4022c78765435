#include "handles.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace kdev::python {
namespace {

std::mutex open_mutex;
std::vector<VmHandle*>& open_vms() {
  static auto* vms = new std::vector<VmHandle*>;
  return *vms;
}

}  // namespace

VmHandle::VmHandle(VmSpec spec, EventSink sink)
    : vm_(std::make_unique<VM>(std::move(spec), std::move(sink))), owner_(getpid()) {
  std::lock_guard lock(open_mutex);
  open_vms().push_back(this);
}

VmHandle::~VmHandle() {
  {
    std::lock_guard lock(open_mutex);
    std::erase(open_vms(), this);
  }
  if (!mine()) {
    (void)vm_.release();  // the parent's: not ours to end
    return;
  }
  close();
}

VM& VmHandle::vm() const {
  if (!mine())
    throw HostError({.attempted = "use VM '" + vm_->name() + "'",
                     .reason = "it belongs to the process that made it, and this one is a fork of that",
                     .hint = "make the VM in the process that uses it",
                     .log = {}});
  return *vm_;
}

void VmHandle::close() noexcept {
  if (!mine()) return;
  NoThrow no_throw;
  vm_->close();
}

JobHandle::~JobHandle() {
  if (!vm_->mine()) {
    (void)job_.release();
    return;
  }
  NoThrow no_throw;
  Call call;  // what a callback raises in a destructor has nowhere to go
  std::optional<py::gil_scoped_release> nogil;
  if (PyGILState_Check()) nogil.emplace();
  job_.reset();
}

void close_all() {
  std::vector<VmHandle*> vms;
  {
    std::lock_guard lock(open_mutex);
    vms = open_vms();
  }
  for (VmHandle* vm : vms) vm->close();
}

}  // namespace kdev::python
