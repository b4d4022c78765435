#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "common/system_error.hpp"
#include "host/local_host.hpp"
#include "host/process_impl.hpp"
#include "host/start.hpp"

namespace kdev {
namespace {

class LocalProcess final : public Process::Impl {
 public:
  LocalProcess(std::unique_ptr<Child> child, bool strays) : child_(std::move(child)), strays_(strays) {}
  int pid() const override { return child_->pid(); }
  unsigned long long start_time() const override { return child_->start_time(); }
  std::optional<ExitStatus> poll() override { return child_->poll(); }
  void wait_ms(int ms) override { child_->wait_ms(ms); }
  void signal(int signo) override { child_->signal(signo); }
  ExitStatus terminate(Seconds grace) noexcept override { return child_->end(grace, strays_); }

 private:
  std::unique_ptr<Child> child_;
  bool strays_;
};

}  // namespace

Process LocalHost::spawn(const Command& command, const SpawnOptions& options) {
  UniqueFd out =
      options.log.empty() ? UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC)) : open_log(options.log);
  if (!out) throw host_error("open /dev/null", errno);
  std::vector<PassedFd> fds = {{out.get(), 1}, {out.get(), 2}};
  for (const PassedFd& p : options.pass) {
    if (p.as < 3 || p.fd < 0)
      throw HostError({.attempted = "pass a descriptor to " + describe(command),
                       .reason = fmt::format("descriptor {} cannot be passed as {}", p.fd, p.as),
                       .hint = "0, 1 and 2 are input and log; pass under 3 or more",
                       .log = {}});
    fds.push_back(p);
  }
  auto child = start(command, std::move(fds), options.lease);
  return Process(std::make_unique<LocalProcess>(std::move(child), !options.lease.empty()));
}

}  // namespace kdev
