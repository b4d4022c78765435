#include "hypervisor/qemu/qmp.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <kdev/error.hpp>

namespace kdev::hypervisor {

Qmp::Qmp(UniqueFd fd) : fd_(std::move(fd)) {
  post("qmp_capabilities");
}

bool Qmp::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

std::size_t Qmp::waiting() const {
  std::lock_guard lock(mutex_);
  return answers_.size();
}

std::vector<QmpEvent> Qmp::read() {
  std::vector<QmpEvent> events;
  char buffer[16384];
  for (;;) {
    ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n <= 0) {
      std::lock_guard lock(mutex_);
      closed_ = true;
      answered_.notify_all();
      break;
    }
    pending_.append(buffer, static_cast<std::size_t>(n));
    std::size_t start = 0;
    for (std::size_t end; (end = pending_.find('\n', start)) != std::string::npos; start = end + 1)
      handle(std::string_view(pending_).substr(start, end - start), events);
    pending_.erase(0, start);
  }
  return events;
}

void Qmp::handle(std::string_view line, std::vector<QmpEvent>& events) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty()) return;
  json::object message;
  try {
    message = json::parse_object(line, "QMP message");
  } catch (const FormatError&) {
    return;  // Not QMP: nothing that anybody waits for.
  }
  std::lock_guard lock(mutex_);
  if (message.contains("event")) {
    const json::value& name = message.at("event");
    if (!name.is_string()) return;
    QmpEvent event{std::string(name.as_string()), {}};
    if (const json::value* data = message.if_contains("data"); data && data->is_object())
      event.data = data->as_object();
    events.push_back(std::move(event));
  } else if (const json::value* id = message.if_contains("id"); id && id->is_int64()) {
    // A command that timed out is answered late, and nobody takes that answer.
    if (auto waiting = answers_.find(id->as_int64()); waiting != answers_.end()) {
      waiting->second = std::move(message);
      answered_.notify_all();
    }
  }
}

void Qmp::send(const std::string& text, const Deadline& deadline) {
  std::lock_guard lock(write_mutex_);
  for (std::size_t done = 0; done < text.size();) {
    ssize_t n = ::send(fd_.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      pollfd p{fd_.get(), POLLOUT, 0};
      ::poll(&p, 1, deadline.slice_ms());
      deadline.check("send a QMP command");
    } else if (errno != EINTR) {
      throw HostError(
          {.attempted = "send a QMP command", .reason = std::strerror(errno), .hint = "", .log = {}});
    }
  }
}

void Qmp::post(const std::string& name) noexcept {
  try {
    send(json::dump(json::object{{"execute", name}}) + "\n", Deadline::after(Seconds(1)));
  } catch (const std::exception&) {
    // The connection is gone: whoever reads next sees it closed.
  }
}

json::value Qmp::execute(const std::string& name, json::object arguments, const Deadline& deadline) {
  const std::string what = fmt::format("QMP command {}", name);
  std::unique_lock lock(mutex_);
  auto wait_until = [&](auto done) {
    while (!done()) {
      if (closed_)
        throw HostError(
            {.attempted = what, .reason = "QEMU closed its control socket", .hint = "", .log = {}});
      answered_.wait_for(lock, std::chrono::milliseconds(std::max(1, deadline.slice_ms())));
      if (done()) break;
      lock.unlock();
      deadline.check(what);
      lock.lock();
    }
  };
  const std::int64_t id = next_id_++;
  answers_[id];
  struct Forget {
    Qmp& qmp;
    std::unique_lock<std::mutex>& lock;
    std::int64_t id;
    ~Forget() {
      if (!lock) lock.lock();
      qmp.answers_.erase(id);
    }
  } forget{*this, lock, id};
  json::object command{{"execute", name}, {"id", id}};
  if (!arguments.empty()) command["arguments"] = std::move(arguments);
  lock.unlock();
  send(json::dump(command) + "\n", deadline);
  lock.lock();
  wait_until([&] { return answers_[id].has_value(); });
  json::object answer = std::move(*answers_[id]);
  lock.unlock();
  if (const json::value* error = answer.if_contains("error"); error && error->is_object())
    throw DebugError({.attempted = what,
                      .reason = json::get_string(error->as_object(), "desc", "refused"),
                      .hint = "",
                      .log = {}});
  json::value* result = answer.if_contains("return");
  return result ? std::move(*result) : json::value(json::object{});
}

}  // namespace kdev::hypervisor
