#include "vm/debugger_keyboard.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "host/unix_socket.hpp"
#include "hypervisor/hypervisor.hpp"

namespace kdev::vm {

void DebuggerKeyboard::type(std::string_view keys) noexcept {
  if (keys.empty()) return;
  try {
    if (!port_) port_ = connect_unix(dir_, hypervisor::debug_socket);
    pending_ += keys;
  } catch (const std::exception&) {
    return;  // the machine has ended
  }
  work();
}

void DebuggerKeyboard::work() noexcept {
  if (!port_) return;
  std::array<char, 4096> echo;
  ssize_t n;
  while ((n = ::recv(port_.get(), echo.data(), echo.size(), MSG_DONTWAIT)) > 0) {
  }
  if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return release();
  while (!pending_.empty()) {
    n = ::send(port_.get(), pending_.data(), pending_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) return;
    pending_.erase(0, static_cast<std::size_t>(n));
  }
}

void DebuggerKeyboard::release() noexcept {
  port_ = UniqueFd();
  pending_.clear();
}

}  // namespace kdev::vm
