// Which debuggers the guest's kernel has, and what they do by themselves.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "vm/kernel_entry.hpp"
#include "vm/state.hpp"

namespace kdev {

using vm::debugger_of;

DebuggerBackends VM::debugger_backends(std::stop_token stop) {
  const auto& rules = debugger_of(state_->spec, "list the debuggers of the kernel");
  auto read = rules.read_backends(
      run(rules.list_backends(), {.timeout = vm::short_call, .check = true, .stop = stop}).out);
  if (read.current.empty() && !read.available.empty()) {
    // It is the one that had the last stop, and the debugger before any.
    const auto running = state_->current();
    read.current = running ? running->status().backend : std::string();
    if (read.current.empty()) read.current = rules.name();
  }
  return {std::move(read.available), std::move(read.current)};
}

void VM::select_debugger(const std::string& backend, std::stop_token stop) {
  const std::string attempted = fmt::format("select debugger {} in VM '{}'", backend, state_->spec.name);
  const DebuggerBackends backends = debugger_backends(stop);
  if (std::find(backends.available.begin(), backends.available.end(), backend) == backends.available.end())
    throw GuestError({.attempted = attempted,
                      .reason = fmt::format("the kernel has no such debugger, but: {}",
                                            fmt::join(backends.available, ", ")),
                      .hint = "",
                      .log = {}});
  const auto program = debugger_of(state_->spec, attempted).select_backend(backend);
  if (!program.empty()) {
    run(program, {.timeout = vm::short_call, .check = true, .stop = stop});
    return;
  }
  if (backend == backends.current) return;
  KernelDebugger debugger = kernel_debugger({.stop = stop});
  debugger.select_backend(backend);
}

void VM::set_debugger_script(const std::string& reason, const std::vector<std::string>& commands,
                             std::stop_token stop) {
  const std::string attempted = fmt::format("set the debugger's script for \"{}\"", reason);
  std::string why;
  const auto argv = debugger_of(state_->spec, attempted).set_script(reason, commands, why);
  if (!argv) throw ConfigError({.attempted = attempted, .reason = why, .hint = "", .log = {}});
  run(*argv, {.timeout = vm::short_call, .check = true, .stop = stop});
}

}  // namespace kdev
