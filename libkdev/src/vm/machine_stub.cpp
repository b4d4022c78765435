#include "vm/machine_stub.hpp"

#include <poll.h>
#include <sys/socket.h>

#include "host/unix_socket.hpp"

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
  const UniqueFd port = connect_unix(dir_, hypervisor::stub_socket);
  // "D", detach, in the remote protocol's frame: the stub forgets its breakpoints, and the machine goes on.
  constexpr std::string_view detach = "+$D#44";
  if (::send(port.get(), detach.data(), detach.size(), MSG_NOSIGNAL) < 0) return;
  pollfd answer{port.get(), POLLIN, 0};
  ::poll(&answer, 1, 1000);
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
