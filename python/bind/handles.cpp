#include "handles.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace kdev::python {
namespace {

std::mutex open_mutex;
std::vector<std::weak_ptr<VmHandle>>& open_vms() {
  static auto* vms = new std::vector<std::weak_ptr<VmHandle>>;
  return *vms;
}

}  // namespace

VmHandle::VmHandle(VmSpec spec, EventSink sink)
    : vm_(std::make_unique<VM>(std::move(spec), std::move(sink))), owner_(getpid()) {}

std::shared_ptr<VmHandle> VmHandle::make(VmSpec spec, EventSink sink) {
  auto handle = std::make_shared<VmHandle>(std::move(spec), std::move(sink));
  std::lock_guard lock(open_mutex);
  std::erase_if(open_vms(), [](const auto& vm) { return vm.expired(); });
  open_vms().push_back(handle);
  return handle;
}

VmHandle::~VmHandle() {
  if (!mine()) {
    (void)vm_.release();  // the parent's: not ours to end
    return;
  }
  Cleanup cleanup;
  vm_.reset();
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
  Cleanup cleanup;
  job_.reset();
}

void close_all() {
  std::vector<std::shared_ptr<VmHandle>> vms;
  {
    std::lock_guard lock(open_mutex);
    for (const auto& vm : open_vms())
      if (auto alive = vm.lock()) vms.push_back(std::move(alive));
  }
  for (const auto& vm : vms) vm->close();
}

}  // namespace kdev::python
