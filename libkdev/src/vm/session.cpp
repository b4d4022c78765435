#include "vm/session.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace kdev::vm {

using hypervisor::MachineEvent;

namespace {

// A process that ends closes its streams one by one: only when it is there after this was it one stream that
// broke.
constexpr Seconds closing_moment{1};
// Whatever prints a line goes on with it sooner, even on a busy host.
constexpr Seconds line_quiet{1};
// A prompt ends a report: nothing else follows it.
constexpr Seconds prompt_quiet{0.05};

}  // namespace

Session::Session(std::string vm, std::unique_ptr<hypervisor::Machine> machine,
                 std::shared_ptr<ConsoleLog> console, const guest::ConsoleRules* rules, Seconds crash_limit,
                 std::shared_ptr<EventQueue> events, const guest::DebuggerRules* debugger, OnCrash on_crash,
                 Path debug_port_dir)
    : vm_(std::move(vm)),
      machine_(std::move(machine)),
      console_(std::move(console)),
      events_(std::move(events)),
      watch_(rules, crash_limit),
      debugger_(debugger),
      response_(debugger, std::move(on_crash)),
      keyboard_(debugger && debugger->listens_at_debug_port() ? std::move(debug_port_dir) : Path()),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      agent_(mutex_, changed_, machine_->agent_fd(), [this] { wake(); }) {
  // Signals belong to the embedding program's threads.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  thread_ = std::thread([this] {
    std::string why;
    try {
      loop();
    } catch (const std::exception& e) {
      why = e.what();  // out of memory, or a hypervisor that speaks nonsense: whoever waits has to hear of it
    }
    std::lock_guard lock(mutex_);
    status_.gone = true;
    if (status_.gone_reason.empty()) status_.gone_reason = why;
    changed_.notify_all();
  });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

Session::~Session() {
  close(Seconds(2));
}

void Session::wake() {
  const std::uint64_t one = 1;
  // A full counter means that the thread is being woken anyway.
  [[maybe_unused]] ssize_t n = ::write(wake_.get(), &one, sizeof one);
}

Session::Status Session::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

std::optional<ExitStatus> Session::exit_status() const {
  std::lock_guard lock(mutex_);
  return exit_;
}

ExitStatus Session::close(Seconds limit) noexcept {
  if (closed_) return exit_.value_or(ExitStatus{});
  closed_ = true;
  // The thread goes on draining until the machine has ended, so that nothing it still says is lost and it
  // cannot block.
  ExitStatus status = machine_->close(limit);
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  if (!exit_) exit_ = status;
  status_.gone = true;
  return *exit_;
}

bool Session::drain_console() {
  std::array<char, 16384> buffer;
  for (;;) {
    ssize_t n = ::recv(machine_->console_fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (n <= 0) return false;
    std::string payload;
    {
      std::lock_guard lock(mutex_);
      const Clock::time_point now = Clock::now();
      show_locked(wire_.feed({buffer.data(), static_cast<std::size_t>(n)}, now, payload), now);
      // Whoever has answered already has a port, whatever its console shows.
      if (wire_.connected() && !over_console_ && !agent_.hello_locked()) {
        over_console_ = true;
        events_->push(
            Notice{vm_ + ": the guest has no virtio-serial port: commands go over its console, slowly"});
        agent_.reroute_locked([this](std::string_view bytes) {
          wake();
          return wire_.send(bytes);
        });
      }
    }
    if (over_console_ && !payload.empty()) agent_.feed(payload);
  }
}

void Session::show_locked(std::string_view bytes, Clock::time_point now) {
  if (bytes.empty()) return;
  const std::size_t offset = console_->size();
  const bool cut_before = console_->incomplete();
  console_->append(bytes);
  if (!cut_before && console_->incomplete())
    events_->push(Notice{
        vm_ + ": the console's log is incomplete, it cannot be written: " + console_->file().string()});
  watch_.listen(!response_.talking() && !talk_);
  response_.feed(bytes, now);
  if (talk_) talk_->feed(bytes, now);
  watch_.feed(bytes, offset, now, [this](std::string_view line) {
    response_.line(line);
    if (debugger_ && debugger_->stopped_for_backend(line)) ++status_.stops;
    if (debugger_)
      if (std::string backend = debugger_->backend_of(line); !backend.empty())
        status_.backend = std::move(backend);
    if (events_->wanted()) events_->push(ConsoleLine{vm_, std::string(line)});
  });
  status_.panicked = status_.panicked || watch_.fatal();
  status_.crash_open = watch_.open() || response_.busy();
  changed_.notify_all();
}

bool Session::drain_agent() {
  std::array<char, 1 << 16> buffer;
  for (;;) {
    ssize_t n = ::recv(machine_->agent_fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (n <= 0) return false;
    // What the console showed before a command's end belongs to that command: the guest wrote it earlier, so
    // it is here.
    drain_console();
    if (!agent_.feed({buffer.data(), static_cast<std::size_t>(n)})) return false;
  }
}

void Session::drain_events() {
  for (const MachineEvent& event : machine_->drain_events()) {
    std::optional<ExitStatus> exit;
    if (event.kind == MachineEvent::Kind::gone) {
      // Its streams close a moment before the process can be waited for, and how it ended is worth that
      // moment.
      if (!stopping_) exit = machine_->wait_exit(closing_moment);
      // Whoever hears that it is gone looks for its crashes: they are told first. Of a process that has ended
      // the console ends as well, behind what it printed last.
      const Deadline end = Deadline::after(closing_moment);
      while (drain_console() && exit && !end.expired()) {
        pollfd more{machine_->console_fd(), POLLIN, 0};
        ::poll(&more, 1, end.slice_ms());
      }
      settle(true);
    }
    std::lock_guard lock(mutex_);
    if (exit && !exit_) exit_ = exit;
    switch (event.kind) {
      case MachineEvent::Kind::panicked:
        watch_.panicked(console_->size(), Clock::now());
        status_.panicked = status_.crash_open = true;
        break;
      case MachineEvent::Kind::shutdown:
        if (!status_.shutdown) status_.shutdown = event.reason;
        break;
      case MachineEvent::Kind::paused:
        status_.paused = true;
        break;
      case MachineEvent::Kind::resumed:
        status_.paused = false;
        break;
      case MachineEvent::Kind::gone:
        status_.gone = true;
        if (status_.gone_reason.empty()) status_.gone_reason = event.reason;
        break;
      default:
        break;
    }
    changed_.notify_all();
  }
}

bool Session::at_prompt_locked() const {
  return debugger_ && debugger_->at_prompt(watch_.unfinished()) &&
         Seconds(Clock::now() - watch_.last_byte()) >= prompt_quiet;
}

std::string Session::quiet_line_locked() const {
  if (watch_.unfinished().empty() || Seconds(Clock::now() - watch_.last_byte()) < line_quiet) return {};
  return watch_.unfinished();
}

void Session::report(CrashEpisode episode) {
  if (events_->wanted()) {
    const std::string text = console_->read(episode.begin, episode.begin + 200);
    events_->push(Notice{vm_ + ": crash on the console: " + text.substr(0, text.find_first_of("\r\n"))});
  }
  status_.episodes.push_back(std::move(episode));
  changed_.notify_all();
}

void Session::settle(bool ended) {
  bool end_machine = false;
  {
    std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    if (auto episode = watch_.settle(now, ended || (watch_.fatal() && at_prompt_locked()))) {
      if (response_.busy())
        behind_.push_back(std::move(*episode));
      else if (!response_.begin(*episode, watch_.unfinished(), now))
        report(std::move(*episode));
    }
    if (response_.busy()) {
      type_at_debugger(response_.next(now, ended || status_.shutdown || status_.gone));
      if (auto done = response_.done()) {
        keyboard_.release();
        if (console_->size() > done->episode.end) done->episode.after = console_->size();
        end_machine = done->end_machine;
        report(std::move(done->episode));
        for (CrashEpisode& episode : std::exchange(behind_, {})) report(std::move(episode));
      }
    } else if (talk_) {
      if (ended || status_.gone) talk_->cut();
      type_at_debugger(talk_->next(now));
      if (talk_->over()) {
        talk_.reset();
        changed_.notify_all();
      }
    }
    if (over_console_) {
      agent_.flush_locked();
      // The debugger in the kernel takes what comes for commands.
      const bool silent = watch_.open() || response_.busy() || talk_ || status_.panicked || status_.debugged;
      typing_ += wire_.next(now, silent);
    }
    keyboard_.work();
    const bool open = watch_.open() || response_.busy();
    if (open != status_.crash_open) changed_.notify_all();
    status_.crash_open = open;
    while (!typing_.empty()) {
      const ssize_t n =
          ::send(machine_->console_fd(), typing_.data(), typing_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) break;  // it takes no more now, or never again: whoever talks has a limit
      typing_.erase(0, static_cast<std::size_t>(n));
    }
  }
  if (end_machine) machine_->quit();
}

std::shared_ptr<DebuggerTalk> Session::talk(std::vector<DebuggerLine> lines, Seconds prompt_limit) {
  std::lock_guard lock(mutex_);
  if (talk_ || response_.busy() || !debugger_) return nullptr;
  talk_ = std::make_shared<DebuggerTalk>(*debugger_, std::move(lines), prompt_limit, watch_.unfinished(),
                                         Clock::now(), status_.backend == debugger_->stub());
  wake();
  return talk_;
}

void Session::hang_up(const std::shared_ptr<DebuggerTalk>& talk) {
  std::lock_guard lock(mutex_);
  if (talk_ == talk) talk_.reset();
  if (!talk_ && !response_.busy()) keyboard_.release();
}

void Session::type_at_debugger(const std::string& keys) {
  if (keyboard_.exists())
    keyboard_.type(keys);
  else
    typing_ += keys;
}

void Session::forget_backend() {
  std::lock_guard lock(mutex_);
  status_.backend.clear();
}

bool Session::at_prompt() const {
  std::lock_guard lock(mutex_);
  return at_prompt_locked();
}

void Session::release_debug_port() {
  std::lock_guard lock(mutex_);
  keyboard_.release();
}

void Session::type(std::string_view text) {
  std::lock_guard lock(mutex_);
  typing_ += text;
  wake();
}

void Session::set_debugged(bool debugged) {
  std::lock_guard lock(mutex_);
  status_.debugged = debugged;
  watch_.debugged(debugged);
}

void Session::loop() {
  bool console = true, agent = machine_->agent_fd() >= 0, control = true;
  std::optional<Clock::time_point> agent_lost;
  while (!stopping_) {
    bool sending;
    int timeout = -1, keyboard = -1;
    {
      std::lock_guard lock(mutex_);
      sending = agent_.pending_locked() && !over_console_;
      if (agent && agent_.closed_locked()) agent = false;
      if (!agent && !agent_lost && machine_->agent_fd() >= 0) agent_lost = Clock::now();
      if (agent_lost && !agent_.broken_locked()) {
        if (Clock::now() - *agent_lost >= closing_moment)
          agent_.break_locked();
        else
          timeout = 20;
      }
      if (watch_.open() || response_.busy() || talk_ || (over_console_ && wire_.busy()) || !typing_.empty() ||
          keyboard_.busy())
        timeout = 20;
      keyboard = keyboard_.fd();
    }
    std::array<pollfd, 5> fds{
        {{wake_.get(), POLLIN, 0},
         {console ? machine_->console_fd() : -1, POLLIN, 0},
         {agent ? machine_->agent_fd() : -1, static_cast<short>(sending ? POLLIN | POLLOUT : POLLIN), 0},
         {control ? machine_->event_fd() : -1, POLLIN, 0},
         {keyboard, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR) break;
    if (fds[0].revents) {
      std::uint64_t count;
      [[maybe_unused]] ssize_t n = ::read(wake_.get(), &count, sizeof count);
    }
    if (fds[1].revents && !drain_console()) console = false;
    if (fds[2].revents & POLLOUT) {
      std::lock_guard lock(mutex_);
      agent_.flush_locked();
      changed_.notify_all();
    }
    if ((fds[2].revents & (POLLIN | POLLHUP | POLLERR)) && !drain_agent()) agent = false;
    if (fds[3].revents) {
      drain_events();
      std::lock_guard lock(mutex_);
      if (status_.gone) control = false;
    }
    if (!control && !console && !agent) break;
    settle(!control && !console);
  }
  if (console) drain_console();
  {
    std::lock_guard lock(mutex_);
    show_locked(wire_.rest(), Clock::now());
  }
  settle(true);
}

}  // namespace kdev::vm
