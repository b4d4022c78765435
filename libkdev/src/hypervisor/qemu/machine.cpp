#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <mutex>
#include <thread>

#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/memory_file.hpp"
#include "host/unix_socket.hpp"
#include "hypervisor/qemu/firmware.hpp"
#include "hypervisor/qemu/memory_map.hpp"
#include "hypervisor/qemu/pipe_port.hpp"
#include "hypervisor/qemu/qemu.hpp"
#include "hypervisor/qemu/qmp.hpp"
#include "hypervisor/qemu/registers.hpp"

namespace kdev::hypervisor {
namespace {

std::string monitor(Qmp& qmp, const std::string& line, const Deadline& deadline) {
  const json::value answer = qmp.execute("human-monitor-command", {{"command-line", line}}, deadline);
  return answer.is_string() ? std::string(answer.as_string()) : std::string();
}

/// No command of QMP's own does it. It says something else only when it fails.
std::string serve_gdb(Qmp& qmp, bool open, const Deadline& deadline) {
  const std::string device =
      open ? fmt::format("unix:/proc/self/fd/{}/{},server=on,wait=off", dir_fd, stub_socket) : "none";
  const std::string said = monitor(qmp, "gdbserver " + device, deadline);
  if (said.starts_with("Could not") || said.starts_with("Error") || said.starts_with("unknown command"))
    throw DebugError({.attempted = "gdbserver " + device, .reason = said, .hint = "", .log = {}});
  return said;
}

/// The control socket of a machine of another process's, with a thread that reads it.
class OtherMachine final : public OpenedStub {
 public:
  OtherMachine(const Path& dir, const Deadline& deadline) : qmp_(connect_unix(dir, control_socket)) {
    reader_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested() && !qmp_.closed()) {
        pollfd readable{qmp_.fd(), POLLIN, 0};
        if (::poll(&readable, 1, 20) > 0) qmp_.read();
      }
    });
    const json::value status = qmp_.execute("query-status", {}, deadline);
    const auto* running = status.is_object() ? status.as_object().if_contains("running") : nullptr;
    was_paused_ = running && running->is_bool() && !running->as_bool();
    serve_gdb(qmp_, true, deadline);
  }
  ~OtherMachine() override {
    try {
      const Deadline deadline = Deadline::after(Seconds(5));
      serve_gdb(qmp_, false, deadline);
      // Whatever the debugger has left it in.
      qmp_.execute(was_paused_ ? "stop" : "cont", {}, deadline);
    } catch (const std::exception&) {
      // It has ended.
    }
  }

  bool was_paused() const override { return was_paused_; }

 private:
  Qmp qmp_;
  bool was_paused_ = false;
  std::jthread reader_;
};

class QemuMachine : public Machine {
 public:
  QemuMachine(const MachineSpec& spec, Process process, UniqueFd console, UniqueFd agent, UniqueFd qmp,
              UniqueFd memory, std::vector<std::unique_ptr<PipePort>> ports)
      : process_(std::move(process)),
        console_(std::move(console)),
        agent_(std::move(agent)),
        qmp_(std::move(qmp)),
        dir_(spec.dir),
        memory_(std::move(memory)),
        ports_(std::move(ports)) {}
  ~QemuMachine() override { QemuMachine::close(Seconds(2)); }

  int console_fd() const override { return console_.get(); }
  int agent_fd() const override { return agent_ ? agent_.get() : -1; }
  int event_fd() const override { return qmp_.fd(); }
  int pid() const override { return process_.pid(); }
  std::optional<ExitStatus> wait_exit(Seconds limit) override {
    // While another thread ends the process there is nothing to wait for here.
    std::unique_lock lock(ending_, std::try_to_lock);
    if (!lock) return {};
    try {
      if (!exit_) exit_ = process_.wait(Deadline::after(limit));
      for (const auto& port : ports_) port->finish();
    } catch (const Error&) {
      // It is still there.
    }
    return exit_;
  }

  std::vector<MachineEvent> drain_events() override {
    using Kind = MachineEvent::Kind;
    std::vector<MachineEvent> events;
    for (const QmpEvent& e : qmp_.read()) {
      if (e.name == "GUEST_PANICKED")
        events.push_back({Kind::panicked, "panic device"});
      else if (e.name == "SHUTDOWN")
        events.push_back({Kind::shutdown, json::get_string(e.data, "reason")});
      else if (e.name == "RESET")
        events.push_back({Kind::reset, json::get_string(e.data, "reason")});
      else if (e.name == "STOP")
        events.push_back({Kind::paused, ""});
      else if (e.name == "RESUME")
        events.push_back({Kind::resumed, ""});
    }
    if (qmp_.closed() && !gone_) {
      gone_ = true;
      events.push_back({Kind::gone, "the control socket closed"});
    }
    return events;
  }

  // QEMU's inject-nmi reaches every CPU on x86.
  void nmi(const Deadline& deadline) override { qmp_.execute("inject-nmi", {}, deadline); }
  void console_break(const Deadline& deadline) override {
    qmp_.execute("chardev-send-break", {{"id", "console"}}, deadline);
  }
  // Its main loop sleeps on a chardev whose device was full, until any other event.
  void wake(const Deadline& deadline) override { qmp_.execute("query-status", {}, deadline); }
  void pause(const Deadline& deadline) override { qmp_.execute("stop", {}, deadline); }
  void resume(const Deadline& deadline) override { qmp_.execute("cont", {}, deadline); }

  MachineMemory memory(const Deadline& deadline) override {
    std::lock_guard lock(asking_);
    // What lies where never changes; of the file nothing beyond its end is anywhere.
    if (ranges_.empty()) ranges_ = read_memory_map(monitor(qmp_, "info mtree -f", deadline), memory_name);
    return {.fd = memory_.get(), .ranges = ranges_};
  }

  // A dump of one page: it has all notes, and takes no time.
  std::string cpu_notes(const Deadline& deadline) override {
    std::lock_guard lock(asking_);
    const Path file = dir_ / "cpus.elf";
    struct Remove {
      const Path& file;
      ~Remove() {
        boost::system::error_code ignored;
        boost::filesystem::remove(file, ignored);
      }
    } remove{file};
    qmp_.execute("dump-guest-memory",
                 {{"paging", false}, {"protocol", "file:" + file.string()}, {"begin", 0}, {"length", 4096}},
                 deadline);
    return local_host()->read_file(file);
  }

  // QEMU stops the machine for a dump; what it prints is read beside it.
  std::vector<CpuRegisters> registers(const Deadline& deadline) override {
    return read_registers(monitor(qmp_, "info registers -a", deadline));
  }

  void open_stub(const Deadline& deadline) override {
    const std::string said = serve_gdb(qmp_, true, deadline);
    if (!hostfs::exists(dir_ / stub_socket))
      throw DebugError({.attempted = "open QEMU's gdb stub",
                        .reason = "it made no socket" + (said.empty() ? "" : ": " + said),
                        .hint = "was this QEMU built without its stub?",
                        .log = {}});
  }
  void close_stub(const Deadline& deadline) override {
    serve_gdb(qmp_, false, deadline);
    boost::system::error_code ignored;
    boost::filesystem::remove(dir_ / stub_socket, ignored);
  }

  std::uint64_t position(const Deadline& deadline) override {
    const json::value answer = qmp_.execute("query-replay", {}, deadline);
    if (!answer.is_object() || json::get_string(answer.as_object(), "mode") == "none")
      throw DebugError({.attempted = "ask how far the machine is",
                        .reason = "it neither records nor replays",
                        .hint = "",
                        .log = {}});
    return static_cast<std::uint64_t>(json::get_int(answer.as_object(), "icount"));
  }
  void replay_to(std::uint64_t position, const Deadline& deadline) override {
    qmp_.execute("replay-break", {{"icount", position}}, deadline);
  }
  bool paused(const Deadline& deadline) override {
    const json::value answer = qmp_.execute("query-status", {}, deadline);
    return answer.is_object() && !json::get_bool(answer.as_object(), "running");
  }

  std::string command(const std::string& name, const std::string& arguments,
                      const Deadline& deadline) override {
    return json::dump(qmp_.execute(name, json::parse_object(arguments, "QMP arguments"), deadline));
  }

  void quit() noexcept override { qmp_.post("quit"); }

  ExitStatus close(Seconds limit) noexcept override {
    std::lock_guard lock(ending_);
    if (exit_ || !process_) return exit_.value_or(ExitStatus{});
    qmp_.post("quit");
    try {
      exit_ = process_.wait(Deadline::after(limit / 2));
    } catch (const std::exception&) {
      // Still there, or the caller was interrupted: no more politeness.
    }
    // Also after an orderly exit: whatever else is in its group goes with it.
    ExitStatus ended = process_.terminate(limit / 4);
    if (!exit_) exit_ = ended;
    return *exit_;
  }

 private:
  Process process_;
  UniqueFd console_, agent_;
  Qmp qmp_;
  std::mutex ending_;  // guards process_ and exit_
  std::optional<ExitStatus> exit_;
  bool gone_ = false;
  const Path dir_;
  UniqueFd memory_;
  std::vector<std::unique_ptr<PipePort>> ports_;
  std::mutex asking_;  // guards ranges_ and the file of cpu_notes()
  std::vector<MemoryRange> ranges_;
};

}  // namespace

std::unique_ptr<OpenedStub> Qemu::open_stub_in(const Path& dir, const Deadline& deadline) const {
  return std::make_unique<OtherMachine>(dir, deadline);
}

std::string Qemu::version(const Deadline& deadline) const {
  const std::string attempted = "ask for QEMU's version";
  Host& host = *local_host();
  if (!host.which(qemu_program()))
    throw HostError(
        {.attempted = attempted, .reason = qemu_program() + " is not installed", .hint = "", .log = {}});
  const ProcessResult result =
      host.run(Command{.argv = {qemu_program(), "--version"}}, {.deadline = deadline});
  if (!result.ok())
    throw HostError({.attempted = attempted, .reason = kdev::describe(result.status), .hint = "", .log = {}});
  return result.out.substr(0, result.out.find('\n'));
}

std::unique_ptr<Machine> Qemu::start(const MachineSpec& spec, Lease& lease, const Deadline& deadline) const {
  Host& host = *local_host();
  const std::string attempted = fmt::format("start QEMU for VM '{}'", spec.name);
  deadline.check(attempted);
  if (!host.which(qemu_program()))
    throw HostError({.attempted = attempted,
                     .reason = fmt::format("{} is not installed", qemu_program()),
                     .hint = "apt install qemu-system-x86, or set KDEV_QEMU to the program",
                     .log = {}});
  if (spec.plan.kind == BootPlan::Kind::disk_uefi) provide_uefi_variables(spec.dir / uefi_variables);
  // Bound here and passed as descriptors; connecting does not have to wait until QEMU accepts.
  const bool taped = spec.tape != MachineSpec::Tape::none;
  UniqueFd qmp_listen = listen_unix(spec.dir, "qmp.sock"),
           control_listen = listen_unix(spec.dir, control_socket);
  UniqueFd console_listen = taped ? UniqueFd() : listen_unix(spec.dir, "console.sock");
  UniqueFd agent_listen = spec.agent_port && !taped ? listen_unix(spec.dir, "agent.sock") : UniqueFd();
  // Nobody connects to it here: that is for a debugger to do.
  UniqueFd debug_listen = spec.debug_port ? listen_unix(spec.dir, debug_socket) : UniqueFd();
  UniqueFd qmp = connect_unix(spec.dir, "qmp.sock");
  UniqueFd console, agent;
  std::vector<std::unique_ptr<PipePort>> ports;
  if (taped) {
    ports.push_back(std::make_unique<PipePort>(spec.dir, "console", console));
    if (spec.agent_port) ports.push_back(std::make_unique<PipePort>(spec.dir, "agent", agent));
  } else {
    console = connect_unix(spec.dir, "console.sock");
    if (spec.agent_port) agent = connect_unix(spec.dir, "agent.sock");
  }

  const UniqueFd dir(::open(spec.dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) throw host_error(attempted, errno);
  UniqueFd memory = memory_file(fmt::format("kdev memory of {}", spec.name), spec.memory);

  SpawnOptions options{.log = spec.log, .pass = {}, .lease = lease.token()};
  options.pass = {{qmp_listen.get(), qmp_fd},
                  {memory.get(), memory_fd},
                  {dir.get(), dir_fd},
                  {control_listen.get(), control_fd}};
  if (console_listen) options.pass.push_back({console_listen.get(), console_fd});
  if (agent_listen) options.pass.push_back({agent_listen.get(), agent_fd});
  if (spec.debug_port) options.pass.push_back({debug_listen.get(), debug_fd});
  Process process = host.spawn(
      Command{.argv = command_line(spec), .cwd = {}, .env = {}, .unset_env = {}, .input = ""}, options);
  lease.add_process(process.pid(), process.start_time());
  return std::make_unique<QemuMachine>(spec, std::move(process), std::move(console), std::move(agent),
                                       std::move(qmp), std::move(memory), std::move(ports));
}

}  // namespace kdev::hypervisor
