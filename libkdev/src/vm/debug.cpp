// gdb on the guest's kernel, over the stub that is in it.
#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "debug/target.hpp"
#include "guest/debugger_rules.hpp"
#include "guest/guest.hpp"
#include "host/unix_socket.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

// For what a guest that runs does in a fraction of a second.
constexpr Seconds short_call{10};

const guest::DebuggerRules& debugger_of(const VmSpec& spec, const std::string& attempted) {
  if (const auto* rules = guest::guest_for(spec.kernel.os).debugger()) return *rules;
  throw GuestError(
      {.attempted = attempted,
       .reason = fmt::format("kdev knows of no debugger in {}'s kernel", os_title(spec.kernel.os)),
       .hint = "",
       .log = {}});
}

std::vector<Path> module_files(const VmSpec& spec, const KernelArtifact& kernel,
                               const guest::SymbolRules& rules) {
  namespace fs = boost::filesystem;
  std::vector<Path> files;
  for (const ModuleArtifact& module : spec.modules) files.push_back(module.ko);
  boost::system::error_code ec;
  if (!kernel.modules.empty())
    for (fs::recursive_directory_iterator it(kernel.modules, ec), end; it != end; it.increment(ec))
      if (rules.is_module(it->path())) files.push_back(it->path());
  return files;
}

}  // namespace

namespace vm {

/// What a debug session changes in a VM, and changes back. Its target's functions share it.
class Debugging {
 public:
  Debugging(std::shared_ptr<VM::State> state, std::shared_ptr<Session> session,
            const guest::DebuggerRules& rules)
      : state_(std::move(state)), session_(std::move(session)), rules_(rules) {
    was_paused_ = session_->status().paused;
    session_->set_debugged(true);
  }
  ~Debugging() { close(); }

  bool crashed() const { return session_->status().panicked || was_prompt_; }
  CommandResult run(const std::vector<std::string>& argv, const std::stop_token& stop) {
    return VM::spawn_job(state_, argv, {.timeout = short_call, .check = true, .stop = stop}, false)
        .wait({}, stop);
  }

  /// From a running kernel.
  void enter(const Deadline& deadline) {
    const std::size_t before = session_->status().stops;
    previous_ = rules_.read_backends(run(rules_.list_backends(), deadline.stop()).out).current;
    if (previous_ != rules_.stub()) run(rules_.select_backend(rules_.stub()), deadline.stop());
    entering_.emplace(VM::spawn_job(state_, rules_.enter(), {}, false));
    await_stop(before, deadline);
  }
  /// From the debugger's prompt.
  void hand_over(const Deadline& deadline) {
    was_prompt_ = true;
    const std::size_t before = session_->status().stops;
    if (was_paused_) session_->machine().resume(deadline);
    talk({{.command = rules_.stub(), .returns = false}}, deadline);
    await_stop(before, deadline);
  }
  void interrupt(const Deadline& deadline) { session_->machine().nmi(deadline); }
  /// The stub waits, gdb is gone: Ctrl-C is what makes it give the word back to the debugger at the console.
  void back_to_prompt() {
    const UniqueFd port = connect_unix(state_->dir->path(), hypervisor::debug_socket);
    const char ctrl_c = 3;
    [[maybe_unused]] const ssize_t n = ::send(port.get(), &ctrl_c, 1, MSG_NOSIGNAL);
    const Deadline deadline = Deadline::after(short_call);
    talk({}, deadline);
    if (!crashed()) talk({{.command = rules_.resume(), .returns = false}}, deadline);
  }
  void close() noexcept {
    if (closed_) return;
    closed_ = true;
    try {
      session_->set_debugged(false);
      const Session::Status now = session_->status();
      if (now.gone) return;
      if (crashed()) {
        if (was_paused_ || state_->spec.on_crash.then != AfterCrash::leave)
          session_->machine().pause(Deadline::after(Seconds(2)));
      } else if (!previous_.empty() && previous_ != rules_.stub()) {
        run(rules_.select_backend(previous_), {});
      }
    } catch (const std::exception&) {
      // It answers no more: there is nothing to put back.
    }
    entering_.reset();
  }

 private:
  void talk(std::vector<DebuggerLine> lines, const Deadline& deadline) {
    const std::string what = fmt::format("talk with {} of VM '{}'", rules_.name(), state_->spec.name);
    const auto talk = session_->talk(std::move(lines), short_call);
    if (!talk)
      throw GuestError({.attempted = what, .reason = "somebody else talks with it", .hint = "", .log = {}});
    session_->wait(deadline, what, [&] { return talk->over() || session_->status_locked().gone; });
    std::string failure;
    session_->locked([&] { failure = talk->failure(); });
    session_->hang_up(talk);
    if (!failure.empty())
      throw GuestError({.attempted = what, .reason = failure, .hint = "", .log = state_->console->file()});
  }
  void await_stop(std::size_t before, const Deadline& deadline) {
    session_->wait(
        deadline.within(short_call), fmt::format("stop the kernel of VM '{}'", state_->spec.name),
        [&] { return session_->status_locked().stops > before || session_->status_locked().gone; });
  }

  std::shared_ptr<VM::State> state_;
  std::shared_ptr<Session> session_;
  const guest::DebuggerRules& rules_;
  std::string previous_;  // the backend before
  std::optional<Job> entering_;
  bool was_paused_ = false, was_prompt_ = false, closed_ = false;
};

}  // namespace vm

DebuggerBackends VM::debugger_backends(std::stop_token stop) {
  const auto& rules = debugger_of(state_->spec, "list the debuggers of the kernel");
  auto read = rules.read_backends(
      run(rules.list_backends(), {.timeout = short_call, .check = true, .stop = stop}).out);
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
  run(debugger_of(state_->spec, attempted).select_backend(backend),
      {.timeout = short_call, .check = true, .stop = stop});
}

void VM::set_debugger_script(const std::string& reason, const std::vector<std::string>& commands,
                             std::stop_token stop) {
  const std::string attempted = fmt::format("set the debugger's script for \"{}\"", reason);
  std::string why;
  const auto argv = debugger_of(state_->spec, attempted).set_script(reason, commands, why);
  if (!argv) throw ConfigError({.attempted = attempted, .reason = why, .hint = "", .log = {}});
  run(*argv, {.timeout = short_call, .check = true, .stop = stop});
}

DebugSession VM::debug(std::stop_token stop) {
  State& s = *state_;
  const std::string attempted = fmt::format("debug VM '{}'", s.spec.name);
  if (!s.spec.debug_port)
    throw ConfigError({.attempted = attempted,
                       .reason = "it was started without a debug port",
                       .hint = "set VmSpec::debug_port (debug_port=True)",
                       .log = {}});
  const auto& rules = debugger_of(s.spec, attempted);
  std::shared_ptr<vm::Session> running;
  KernelArtifact kernel;
  {
    std::lock_guard lock(s.mutex);
    running = s.session;
    kernel = s.kernel;
  }
  const auto [now, why] = s.seen_state();
  const bool at_prompt = now == VmState::crashed || now == VmState::hung;
  if (!running || !(now == VmState::ready || at_prompt))
    throw GuestError(
        {.attempted = attempted, .reason = "it is " + to_string(now), .hint = "", .log = console_log()});
  if (running->status().debugged)
    throw GuestError({.attempted = attempted,
                      .reason = "somebody debugs it already",
                      .hint = "close that session",
                      .log = {}});
  if (at_prompt) s.collect_crashes(running, s.crash_deadline(stop));

  const guest::Guest& guest = guest::guest_for(kernel.os);
  const auto debugging = std::make_shared<vm::Debugging>(state_, running, rules);
  const Deadline deadline = Deadline::after(Seconds(60), stop);
  auto target = std::make_unique<debug::Target>();
  target->name = fmt::format("VM '{}'", s.spec.name);
  target->symbols = kernel.vmlinux;
  target->source = kernel.source;
  target->modules = module_files(s.spec, kernel, guest.symbols());
  target->gdb = guest.gdb();
  target->names = &guest.symbols();
  target->options = {
      .cwd = s.dir->path(),
      .log = Path(s.console->file().string() + ".gdb.log"),
      .lease = s.dir->lease().token(),
      .on_start = [&](int pid, unsigned long long start) { s.dir->lease().add_process(pid, start); }};
  target->stub = std::string("./") + hypervisor::debug_socket;
  target->interrupt = [debugging](const Deadline& d) { debugging->interrupt(d); };
  target->crashed = [debugging] { return debugging->crashed(); };
  target->abandoned = [debugging] { debugging->back_to_prompt(); };
  target->closed = [debugging] { debugging->close(); };
  if (at_prompt)
    debugging->hand_over(deadline);
  else
    debugging->enter(deadline);
  return DebugSession(std::move(target), deadline);
}

}  // namespace kdev
