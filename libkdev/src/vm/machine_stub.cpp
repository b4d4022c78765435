#include "vm/machine_stub.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>

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
  // "D", detach, in the remote protocol's frame: the stub forgets its breakpoints, and the machine goes on. With the
  // process, which a stub wants that has heard of processes from the gdb before.
  constexpr std::string_view detach = "+$D;1#b0";
  if (::send(port.get(), detach.data(), detach.size(), MSG_NOSIGNAL) < 0) return;
  const Deadline deadline = Deadline::after(short_call);
  std::array<char, 256> buffer;
  for (std::string said; said.find("$OK#") == said.npos && !deadline.expired();) {
    pollfd answer{port.get(), POLLIN, 0};
    if (::poll(&answer, 1, std::max(1, deadline.slice_ms())) <= 0) continue;
    const ssize_t n = ::recv(port.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return;
    said.append(buffer.data(), static_cast<std::size_t>(n));
  }
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
