// gdb on a stub that somebody else started.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "debug/target.hpp"
#include "host/hostfs.hpp"

namespace kdev {
namespace {

bool is_port(const std::string& text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

DebugSession DebugSession::attach(const std::string& stub, SymbolSources symbols, int baud,
                                  const Deadline& deadline) {
  const std::string attempted = "debug what answers at " + stub;
  auto target = debug::make_target(symbols.kernel ? symbols.kernel->os : symbols.os);
  struct stat status {};
  const std::size_t colon = stub.rfind(':');
  if (::stat(stub.c_str(), &status) == 0) {
    if (S_ISCHR(status.st_mode))
      target->baud = baud;
    else if (!S_ISSOCK(status.st_mode))
      throw ConfigError({.attempted = attempted,
                         .reason = "it is neither a socket nor a serial device",
                         .hint = "",
                         .log = {}});
    target->stub = hostfs::absolute(stub).string();
  } else if (colon != std::string::npos && is_port(stub.substr(colon + 1))) {
    // What goes into a command of gdb's is a host's name or address, and a port.
    const std::string host = stub.substr(0, colon);
    if (host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%") !=
        host.npos)
      throw ConfigError({.attempted = attempted, .reason = "that is no host's name", .hint = "", .log = {}});
    target->stub = stub;
  } else {
    throw ConfigError({.attempted = attempted,
                       .reason = "there is no such file, and it is no host:port",
                       .hint = "\"localhost:1234\", \"/dev/ttyUSB0\", \"/path/of/a.sock\"",
                       .log = {}});
  }
  if (target->stub.find_first_of("\" \t\n\\") != target->stub.npos)
    throw ConfigError({.attempted = attempted,
                       .reason = "gdb takes no blanks and quotes in a stub's name",
                       .hint = "",
                       .log = {}});

  target->name = stub;
  target->symbols = symbols.kernel ? symbols.kernel->vmlinux : symbols.vmlinux;
  target->source = !symbols.source.empty() ? symbols.source
                   : symbols.kernel        ? symbols.kernel->source
                                           : Path();
  target->modules = symbols.kernel ? debug::module_files(*symbols.kernel, symbols.modules) : symbols.modules;
  return DebugSession(std::move(target), deadline);
}

}  // namespace kdev
