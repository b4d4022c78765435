#include "debug/detach.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <kdev/deadline.hpp>
#include <string>

#include "host/unix_socket.hpp"

namespace kdev::debug {
namespace {

constexpr Seconds limit{5};

}  // namespace

void detach_gdb(const Path& dir, const char* name, std::string_view packet) {
  const UniqueFd port = connect_unix(dir, name);
  if (::send(port.get(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0) return;
  const Deadline deadline = Deadline::after(limit);
  const std::string_view answered = packet == in_place ? "$T" : "$OK#";
  std::array<char, 256> buffer;
  for (std::string said; said.find(answered) == said.npos && !deadline.expired();) {
    pollfd answer{port.get(), POLLIN, 0};
    if (::poll(&answer, 1, std::max(1, deadline.slice_ms())) <= 0) continue;
    const ssize_t n = ::recv(port.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return;
    said.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace kdev::debug
