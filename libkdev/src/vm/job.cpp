// Commands in the guest.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "agent/protocol.h"
#include "common/json.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

// Input waits here, not in the channel's queue, when the guest's process does not read it.
constexpr std::size_t stdin_frame = KDEV_STDIN_WINDOW;
// More commands than anybody reads in a bundle.
constexpr std::size_t max_history = 10'000;

std::string join(const std::vector<std::string>& argv) {
  if (argv.size() == 3 && argv[0] == "/bin/sh" && argv[1] == "-c") return argv[2];
  return describe(Command{.argv = argv, .cwd = {}, .env = {}, .unset_env = {}, .input = ""});
}

std::string exec_payload(const std::vector<std::string>& argv, const CommandOptions& options, bool input) {
  const kdev_exec head{static_cast<std::uint32_t>(argv.size()),
                       static_cast<std::uint32_t>(options.env.size()), input ? KDEV_EXEC_STDIN : 0u, 0};
  std::string payload(reinterpret_cast<const char*>(&head), sizeof head);
  auto add = [&](const std::string& text) { payload.append(text.c_str(), text.size() + 1); };
  add(options.cwd);
  for (const std::string& argument : argv) add(argument);
  for (const auto& [name, value] : options.env) add(name + "=" + value);
  return payload;
}

}  // namespace

struct Job::State {
  std::shared_ptr<VM::State> vm;
  std::shared_ptr<vm::Session> session;
  std::shared_ptr<vm::Exchange> exchange;
  std::string command;
  std::size_t number = 0;  ///< in VM::State::history
  CommandOptions options;
  Clock::time_point began = Clock::now();
  std::size_t console_begin = 0, crashes_before = 0;
  std::string input;
  std::size_t input_sent = 0;
  bool input_open = true;  ///< the command's input is a pipe
  bool input_closed = false, close_sent = false;
  bool waited = false;

  /// Sends what the window allows. Returns true when nothing is left to send.
  bool pump_input();
  void send_signal(int signo) {
    const auto number = static_cast<std::uint32_t>(signo);
    session->agent().send(KDEV_SIGNAL, exchange->id, {reinterpret_cast<const char*>(&number), sizeof number});
  }
  bool over_locked() const {
    const auto& status = session->status_locked();
    return exchange->exit || exchange->error || status.gone || (status.panicked && !status.crash_open) ||
           session->agent().broken_locked();
  }
  CommandResult wait(Seconds timeout, const std::stop_token& stop);
  CommandResult finish(bool timed_out, const std::stop_token& stop);
  bool answers(const std::stop_token& stop);
  struct Forget {
    const State& job;
    ~Forget() { job.session->agent().forget(job.exchange->id); }
  };
};

bool Job::State::pump_input() {
  while (input_sent < input.size()) {
    std::size_t room = 0;
    session->wait(Deadline(), "send input", [&] {
      room = std::min<std::size_t>({exchange->stdin_window, stdin_frame, input.size() - input_sent});
      exchange->stdin_window -= room;
      return true;
    });
    if (room == 0) return false;
    session->agent().send(KDEV_STDIN, exchange->id, std::string_view(input).substr(input_sent, room));
    input_sent += room;
  }
  input.clear();
  input_sent = 0;
  if (input_closed && !close_sent && input_open) {
    close_sent = true;
    session->agent().send(KDEV_STDIN_CLOSE, exchange->id, {});
  }
  return true;
}

/// Does the guest still answer at all?
bool Job::State::answers(const std::stop_token& stop) {
  const std::uint64_t mine = session->agent().ping();
  try {
    session->wait(Deadline::after(vm->spec.timeouts.probe, stop), "ping the guest", [&] {
      const auto& status = session->status_locked();
      return session->agent().pongs_locked() >= mine || session->agent().broken_locked() || status.gone ||
             status.panicked;
    });
  } catch (const TimeoutError&) {
    return false;
  }
  return true;
}

CommandResult Job::State::wait(Seconds timeout, const std::stop_token& stop) {
  const Deadline deadline = Deadline::after(timeout, stop);
  const std::string what = fmt::format("run \"{}\" in VM '{}'", command, vm->spec.name);
  bool timed_out = false;
  try {
    for (;;) {
      pump_input();
      std::uint64_t window = 0;
      bool over = false;
      session->wait(deadline, what, [&] {
        window = exchange->stdin_window;
        over = over_locked();
        return over || (!input.empty() && window > 0);
      });
      if (over) break;
    }
  } catch (const TimeoutError&) {
    timed_out = true;
  } catch (...) {
    // Interrupted, or an event sink threw: the command must not go on behind the caller's back.
    send_signal(SIGKILL);
    throw;
  }
  if (timed_out) {
    send_signal(SIGKILL);
    try {
      session->wait(Deadline::after(vm->spec.timeouts.probe, stop), what, [&] { return over_locked(); });
    } catch (const TimeoutError&) {
      // A process that even SIGKILL does not end (in the kernel for good), or a guest that does nothing any
      // more.
      if (!answers(stop)) {
        vm->provoke_report(session);
        vm->collect_crashes(session, vm->crash_deadline(stop));
        vm->mark_dead(session, VmState::hung,
                      fmt::format("no answer for {:.0f} s after \"{}\" timed out",
                                  vm->spec.timeouts.probe.count(), command));
      }
    }
  }
  return finish(timed_out, stop);
}

CommandResult Job::State::finish(bool timed_out, const std::stop_token& stop) {
  CommandResult result;
  result.command = command;
  result.timed_out = timed_out;
  result.duration = Clock::now() - began;
  vm->collect_crashes(session, vm->crash_deadline(stop));
  {
    std::lock_guard lock(vm->mutex);
    if (vm->crashes.size() > crashes_before) {
      result.crash = std::make_shared<CrashReport>(vm->crashes[crashes_before]);
      vm->crashes_returned.insert(crashes_before);
    }
  }
  result.console = vm->console->read(console_begin);
  std::optional<std::pair<std::uint32_t, std::string>> error;
  bool broken = false;
  // From here on the result is this caller's, whatever an event sink throws.
  waited = true;
  const Forget forget{*this};
  session->wait(Deadline(), "take the result", [&] {
    vm::Exchange& e = *exchange;
    result.out = std::move(e.out.kept);
    result.err = std::move(e.err.kept);
    result.out_bytes = e.out.bytes;
    result.err_bytes = e.err.bytes;
    result.truncated = result.out.size() < result.out_bytes || result.err.size() < result.err_bytes;
    broken = !e.over() && session->agent().broken_locked();
    if (e.exit) {
      (e.exit->kind == KDEV_EXITED ? result.exit_code : result.signal) = static_cast<int>(e.exit->value);
      result.guest_duration = Seconds(static_cast<double>(e.exit->duration_ns) / 1e9);
    }
    error = e.error;
    return true;
  });
  {
    std::lock_guard lock(vm->mutex);
    const std::size_t first = vm->commands - vm->history.size();
    if (number >= first) {
      vm->history[number - first].exit_code = result.exit_code;
      vm->history[number - first].duration = result.duration;
    }
  }
  const vm::Session::Status status = session->status();
  if (status.panicked)
    vm->mark_dead(session, VmState::crashed, result.crash ? result.crash->title : "the kernel panicked");
  else if (status.gone && !result.exit_code && !result.signal)
    vm->mark_dead(session, VmState::stopped,
                  vm::ended() + (status.shutdown ? " (" + *status.shutdown + ")" : std::string()));
  else if (broken)
    vm->mark_dead(session, VmState::hung, vm::channel_broke);
  const std::string attempted = fmt::format("run \"{}\" in VM '{}'", command, vm->spec.name);
  if (error && !result.crash)
    throw GuestError(
        {.attempted = attempted, .reason = error->second, .hint = "", .log = vm->console->file()});
  if (status.gone && !result.crash && !result.exit_code && !result.signal) {
    if (status.shutdown)
      throw GuestError({.attempted = attempted,
                        .reason = "the guest ended (" + *status.shutdown + ") before the command did",
                        .hint = "",
                        .log = vm->console->file()});
    const auto exit = session->exit_status();
    throw HostError(
        {.attempted = attempted,
         .reason = vm::ended() + " in mid-command" + (exit ? ": " + describe(*exit) : std::string()),
         .hint = "start a new VM",
         .log = vm->console->file()});
  }
  if (broken && !result.crash)
    throw GuestError({.attempted = attempted,
                      .reason = vm::channel_broke,
                      .hint = "reboot() it, or use a new VM",
                      .log = vm->console->file()});
  if (options.check && !result.ok()) {
    std::string why = result.crash    ? "the kernel crashed: " + result.crash->title
                      : timed_out     ? fmt::format("it did not end within its time")
                      : result.signal ? fmt::format("signal {}", *result.signal)
                                      : fmt::format("exit code {}", result.exit_code.value_or(-1));
    if (!result.err.empty()) why += ": " + result.err.substr(0, 1000);
    throw GuestError({.attempted = attempted, .reason = why, .hint = "", .log = vm->console->file()});
  }
  return result;
}

Job::Job(std::shared_ptr<State> state) : state_(std::move(state)) {}
Job::Job(Job&&) noexcept = default;
Job& Job::operator=(Job&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
  }
  return *this;
}
Job::~Job() {
  end();
}

void Job::end() noexcept {
  if (!state_ || state_->waited) return;
  try {
    state_->send_signal(SIGKILL);
  } catch (const std::exception&) {
    // Out of memory: it ends with its VM.
  }
  state_->session->agent().forget(state_->exchange->id);
}

void Job::kill() {
  if (!state_->waited) state_->send_signal(SIGKILL);
}

void Job::write(std::string_view data) {
  state_->input += data;
  state_->pump_input();
}

void Job::close_input() {
  state_->input_closed = true;
  state_->pump_input();
}

void Job::signal(int signo) {
  state_->send_signal(signo);
}

bool Job::running() {
  bool over = false;
  if (state_->waited) return false;
  state_->pump_input();
  state_->session->wait(Deadline(), "look at a command", [&] {
    over = state_->over_locked();
    return true;
  });
  return !over;
}

std::string Job::read_out() {
  std::string text;
  state_->session->wait(Deadline(), "read output", [&] {
    text = state_->exchange->out.take();
    return true;
  });
  return text;
}

std::string Job::read_err() {
  std::string text;
  state_->session->wait(Deadline(), "read output", [&] {
    text = state_->exchange->err.take();
    return true;
  });
  return text;
}

bool Job::wait_output(Seconds timeout, std::stop_token stop) {
  State& s = *state_;
  if (s.waited) return true;
  vm::Exchange& e = *s.exchange;
  // Output wakes nobody unless somebody says that he waits for it.
  s.session->locked([&] { ++e.readers; });
  struct Leave {
    State& s;
    ~Leave() {
      s.session->locked([this] { --s.exchange->readers; });
    }
  } leave{s};
  const Deadline deadline = Deadline::after(timeout, stop);
  bool there = false;
  try {
    while (!there) {
      s.pump_input();
      s.session->wait(deadline, "wait for output", [&] {
        there = e.out.read < e.out.kept.size() || e.err.read < e.err.kept.size() || s.over_locked();
        return there || (s.input_sent < s.input.size() && e.stdin_window > 0);
      });
    }
  } catch (const TimeoutError&) {
    // Nothing came: no error here.
  }
  return there;
}

CommandResult Job::wait(std::optional<Seconds> timeout, std::stop_token stop) {
  if (state_->waited)
    throw GuestError({.attempted = fmt::format("wait for \"{}\"", state_->command),
                      .reason = "its result was taken already",
                      .hint = "",
                      .log = {}});
  state_->input_closed = true;
  return state_->wait(timeout.value_or(state_->options.timeout.value_or(state_->vm->spec.timeouts.command)),
                      stop);
}

Job VM::spawn(const std::vector<std::string>& argv, const CommandOptions& options) {
  return spawn_job(state_, argv, options, true);
}

Job VM::spawn_job(const std::shared_ptr<State>& state, const std::vector<std::string>& argv,
                  const CommandOptions& options, bool open_input) {
  const std::string attempted = fmt::format("run \"{}\" in VM '{}'", join(argv), state->spec.name);
  if (argv.empty())
    throw GuestError({.attempted = attempted, .reason = "no program given", .hint = "", .log = {}});
  auto job = std::make_shared<Job::State>();
  job->vm = state;
  job->session = state->ready_session(attempted);
  job->command = join(argv);
  job->options = options;
  job->input = options.input;
  job->input_open = open_input;
  // Without events of its own a command still belongs to a stretch of console and a count of crashes.
  job->crashes_before = state->collect_crashes(job->session, state->crash_deadline(options.stop));
  job->console_begin = state->console->size();
  const std::string payload = exec_payload(argv, options, open_input);
  if (payload.size() > KDEV_MAX_PAYLOAD)
    throw GuestError({.attempted = attempted,
                      .reason = fmt::format("arguments and environment of {} bytes are more than {}",
                                            payload.size(), KDEV_MAX_PAYLOAD),
                      .hint = "push a file and run that",
                      .log = {}});
  {
    std::lock_guard lock(state->mutex);
    job->number = state->commands++;
    state->history.push_back({.command = job->command, .exit_code = {}, .duration = {}});
    if (state->history.size() > max_history) state->history.pop_front();
  }
  job->exchange = job->session->agent().open(options.output_limit);
  job->session->agent().send(KDEV_EXEC, job->exchange->id, payload);
  return Job(std::move(job));
}

Job VM::spawn(const std::string& command, const CommandOptions& options) {
  return spawn(std::vector<std::string>{"/bin/sh", "-c", command}, options);
}

CommandResult VM::run(const std::vector<std::string>& argv, const CommandOptions& options) {
  Job job = spawn_job(state_, argv, options, !options.input.empty());
  return job.wait(options.timeout, options.stop);
}

CommandResult VM::run(const std::string& command, const CommandOptions& options) {
  return run(std::vector<std::string>{"/bin/sh", "-c", command}, options);
}

std::string CommandResult::to_json() const {
  json::object o{{"command", json::utf8(command)},
                 {"stdout", json::utf8(out)},
                 {"stderr", json::utf8(err)},
                 {"exit_code", exit_code ? json::value(*exit_code) : json::value(nullptr)},
                 {"signal", signal ? json::value(*signal) : json::value(nullptr)},
                 {"timed_out", timed_out},
                 {"truncated", truncated},
                 {"stdout_bytes", out_bytes},
                 {"stderr_bytes", err_bytes},
                 {"duration", duration.count()},
                 {"guest_duration", guest_duration.count()},
                 {"console", json::utf8(console)}};
  o["crash"] =
      crash ? json::value(json::parse_object(crash->to_json(), "crash report")) : json::value(nullptr);
  return json::dump(o);
}

}  // namespace kdev
