#pragma once
// Handles of VMs and jobs as Python holds them: they know their process, so that a fork's child cannot end
// what belongs to its parent, and all open ones can be closed at exit.
#include <unistd.h>

#include <memory>

#include "blocking.hpp"

namespace kdev::python {

class VmHandle {
 public:
  /// Known to close_all() from here on.
  static std::shared_ptr<VmHandle> make(VmSpec spec, EventSink sink);
  VmHandle(VmSpec spec, EventSink sink);
  ~VmHandle();
  VmHandle(const VmHandle&) = delete;
  VmHandle& operator=(const VmHandle&) = delete;

  /// HostError in a forked child.
  VM& vm() const;
  /// Closes without raising; what a callback raises meanwhile is kept for finish(). The GIL may be held or
  /// not.
  void close() noexcept;
  bool mine() const { return getpid() == owner_; }

 private:
  std::unique_ptr<VM> vm_;
  pid_t owner_;
};

class JobHandle {
 public:
  JobHandle(std::shared_ptr<VmHandle> vm, Job job) : vm_(std::move(vm)), job_(new Job(std::move(job))) {}
  ~JobHandle();
  JobHandle(const JobHandle&) = delete;
  JobHandle& operator=(const JobHandle&) = delete;
  Job& job() const {
    vm_->vm();
    return *job_;
  }

 private:
  std::shared_ptr<VmHandle> vm_;  // a Job must not outlive its VM
  std::unique_ptr<Job> job_;
};

/// Closes every VM of this process that is still open.
void close_all();

}  // namespace kdev::python
