#include "vm/machine_stub.hpp"

#include "debug/detach.hpp"

namespace kdev::vm {
namespace {

constexpr Seconds short_call{5};

}  // namespace

MachineStub::MachineStub(std::shared_ptr<Session> session, Path dir)
    : session_(std::move(session)), dir_(std::move(dir)) {
  was_paused_ = session_->status().paused;
  session_->set_debugged(true);
}

void MachineStub::open(const Deadline& deadline) {
  open_ = true;
  session_->machine().open_stub(deadline);
}

void MachineStub::clean() {
  if (!open_ || session_->status().gone) return;
  debug::detach_gdb(dir_, hypervisor::stub_socket, was_paused_ ? debug::in_place : debug::of_process);
}

void MachineStub::close() noexcept {
  if (closed_) return;
  closed_ = true;
  try {
    session_->set_debugged(false);
    const Session::Status now = session_->status();
    if (now.gone || !open_) return;
    const Deadline deadline = Deadline::after(short_call);
    hypervisor::Machine& machine = session_->machine();
    machine.close_stub(deadline);
    if (was_paused_)
      machine.pause(deadline);
    else
      machine.resume(deadline);
  } catch (const std::exception&) {
    // It answers no more: there is nothing to put back.
  }
}

}  // namespace kdev::vm
