#include <fmt/format.h>

#include "host/process_impl.hpp"

namespace kdev {

Process::Process() = default;
Process::Process(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    if (impl_) impl_->terminate(Seconds(1.0));
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Process::~Process() {
  if (impl_) impl_->terminate(Seconds(1.0));
}

int Process::pid() const {
  return impl_ ? impl_->pid() : -1;
}
unsigned long long Process::start_time() const {
  return impl_ ? impl_->start_time() : 0;
}
std::optional<ExitStatus> Process::poll() {
  return impl_ ? impl_->poll() : ExitStatus{};
}

ExitStatus Process::wait(const Deadline& deadline) {
  for (;;) {
    if (auto status = poll()) return *status;
    deadline.check(fmt::format("wait for process {}", pid()));
    impl_->wait_ms(deadline.slice_ms());
  }
}

void Process::signal(int signo) {
  if (impl_) impl_->signal(signo);
}

ExitStatus Process::terminate(Seconds grace) noexcept {
  return impl_ ? impl_->terminate(grace) : ExitStatus{};
}

}  // namespace kdev
