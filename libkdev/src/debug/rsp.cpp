#include "debug/rsp.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <kdev/error.hpp>

namespace kdev::debug {
namespace {

constexpr std::size_t max_packet = 1u << 20;
// Places in the packet of all registers, in hex digits (gdb/features/i386/64bit-core.xml: 8 bytes each).
constexpr std::size_t sp_at = 7 * 16, pc_at = 16 * 16, register_digits = 16;

[[noreturn]] void fail(std::string reason) {
  throw DebugError({.attempted = "talk with the stub", .reason = std::move(reason), .hint = "", .log = {}});
}

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// A register's digits: its bytes from the lowest on.
std::uint64_t register_at(const std::string& all, std::size_t at) {
  if (all.size() < at + register_digits) fail("it sends no registers of an x86-64 CPU");
  std::uint64_t value = 0;
  for (std::size_t i = register_digits; i > 0; i -= 2) {
    const int high = digit(all[at + i - 2]), low = digit(all[at + i - 1]);
    if (high < 0 || low < 0) fail("it does not know its registers");
    value = value << 8 | static_cast<unsigned>(high << 4 | low);
  }
  return value;
}

}  // namespace

Rsp::Rsp(UniqueFd stub) : fd_(std::move(stub)) {}

void Rsp::send(std::string bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    deadline.check("talk with the stub");
    pollfd port{fd_.get(), POLLOUT, 0};
    if (::poll(&port, 1, deadline.slice_ms()) <= 0) continue;
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) fail("it is gone");
    bytes.erase(0, static_cast<std::size_t>(n));
  }
}

std::string Rsp::ask(const std::string& packet, const Deadline& deadline) {
  unsigned sum = 0;
  for (const char c : packet) sum += static_cast<unsigned char>(c);
  send(fmt::format("${}#{:02x}", packet, sum & 255), deadline);
  for (;;) {
    const std::size_t begin = read_.find('$');
    const std::size_t end = begin == read_.npos ? read_.npos : read_.find('#', begin);
    if (end != read_.npos && read_.size() >= end + 3) {
      std::string answer = read_.substr(begin + 1, end - begin - 1);
      read_.erase(0, end + 3);
      send("+", deadline);
      return answer;
    }
    if (read_.size() > max_packet) fail("its answer has no end");
    deadline.check("wait for the stub");
    pollfd port{fd_.get(), POLLIN, 0};
    if (::poll(&port, 1, deadline.slice_ms()) <= 0) continue;
    std::array<char, 4096> buffer;
    const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) fail("it is gone");
    read_.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

void Rsp::watch_writes(std::uint64_t address, std::uint64_t size, const Deadline& deadline) {
  if (const std::string said = ask(fmt::format("Z2,{:x},{:x}", address, size), deadline); said != "OK")
    fail(fmt::format("it does not watch {} bytes at {:#x} ({})", size, address,
                     said.empty() ? "unknown" : said));
}

bool Rsp::run(const Deadline& deadline) {
  const std::string said = ask("c", deadline);
  if (said.empty() || (said[0] != 'T' && said[0] != 'S')) fail("the machine has ended");
  return said.find(";watch:") != said.npos;
}

void Rsp::step(const Deadline& deadline) {
  const std::string said = ask("s", deadline);
  if (said.empty() || (said[0] != 'T' && said[0] != 'S')) fail("the machine has ended");
}

std::string Rsp::memory(std::uint64_t address, std::uint64_t size, const Deadline& deadline) {
  std::string said = ask(fmt::format("m{:x},{:x}", address, size), deadline);
  return said.size() == 2 * size ? said : std::string();
}

Rsp::Place Rsp::place(const Deadline& deadline) {
  const std::string all = ask("g", deadline);
  return {.pc = register_at(all, pc_at), .sp = register_at(all, sp_at)};
}

}  // namespace kdev::debug
