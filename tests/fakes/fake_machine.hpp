#pragma once
// A machine without a hypervisor: the test holds the guest's ends of its streams.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>

#include "hypervisor/hypervisor.hpp"

namespace kdev::fakes {

struct FakeStreams {
  UniqueFd console, agent;  ///< the guest's ends
};

class FakeMachine : public hypervisor::Machine {
 public:
  explicit FakeMachine(FakeStreams& guest) {
    make_pair(console_, guest.console);
    make_pair(agent_, guest.agent);
    events_fd_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }
  int console_fd() const override { return console_.get(); }
  int agent_fd() const override { return agent_.get(); }
  int event_fd() const override { return events_fd_.get(); }
  std::vector<hypervisor::MachineEvent> drain_events() override {
    std::uint64_t count;
    [[maybe_unused]] ssize_t n = ::read(events_fd_.get(), &count, sizeof count);
    std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }
  int pid() const override { return -1; }
  std::optional<ExitStatus> wait_exit(Seconds) override { return {}; }
  void nmi(const Deadline&) override { ++nmis; }
  void wake(const Deadline&) override {}
  void console_break(const Deadline&) override { ++breaks; }
  void pause(const Deadline&) override { ++pauses; }
  void resume(const Deadline&) override {}
  hypervisor::MachineMemory memory(const Deadline&) override { return {}; }
  std::string cpu_notes(const Deadline&) override { return {}; }
  void open_stub(const Deadline&) override {}
  void close_stub(const Deadline&) override {}
  std::uint64_t position(const Deadline&) override { return 0; }
  void replay_to(std::uint64_t, const Deadline&) override {}
  bool paused(const Deadline&) override { return false; }
  std::string command(const std::string&, const std::string&, const Deadline&) override { return "{}"; }
  void quit() noexcept override { ++quits; }
  ExitStatus close(Seconds) noexcept override {
    ++closes;
    return {.code = 0, .signal = {}};
  }

  void raise(hypervisor::MachineEvent event) {
    {
      std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] ssize_t n = ::write(events_fd_.get(), &one, sizeof one);
  }

  std::atomic<int> nmis{0}, breaks{0}, pauses{0}, quits{0}, closes{0};

 private:
  static void make_pair(UniqueFd& ours, UniqueFd& theirs) {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
    ours = UniqueFd(fds[0]);
    theirs = UniqueFd(fds[1]);
  }
  UniqueFd console_, agent_, events_fd_;
  std::mutex mutex_;
  std::vector<hypervisor::MachineEvent> events_;
};

}  // namespace kdev::fakes
