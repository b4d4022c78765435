#include "vm/agent_channel.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace kdev::vm {
namespace {

// The structures go over the wire as they lie in memory.
static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(kdev_frame) == 16 && sizeof(kdev_exit) == 16 && sizeof(kdev_meta) == 16);

template <class T>
std::optional<T> as(std::string_view payload) {
  if (payload.size() < sizeof(T)) return {};
  T value;
  std::memcpy(&value, payload.data(), sizeof value);
  return value;
}

}  // namespace

void Stream::add(std::string_view more) {
  bytes += more.size();
  if (kept.size() + more.size() > limit && read > 0) {
    kept.erase(0, read);
    read = 0;
  }
  if (kept.size() < limit) kept.append(more.substr(0, limit - kept.size()));
}

std::string Stream::take() {
  std::string text = kept.substr(read);
  read = kept.size();
  return text;
}

AgentChannel::AgentChannel(std::mutex& mutex, std::condition_variable& changed, int fd,
                           std::function<void()> wake)
    : mutex_(mutex), changed_(changed), fd_(fd), wake_(std::move(wake)) {}

std::shared_ptr<Exchange> AgentChannel::open(std::size_t limit) {
  std::lock_guard lock(mutex_);
  auto exchange = std::make_shared<Exchange>();
  exchange->id = next_id_++;
  exchange->out.limit = exchange->err.limit = limit;
  exchanges_[exchange->id] = exchange;
  return exchange;
}

void AgentChannel::forget(std::uint32_t id) {
  std::lock_guard lock(mutex_);
  exchanges_.erase(id);
}

void AgentChannel::send(std::uint32_t type, std::uint32_t id, std::string_view payload) {
  std::lock_guard lock(mutex_);
  send_locked(type, id, payload);
}

std::uint64_t AgentChannel::ping() {
  std::lock_guard lock(mutex_);
  send_locked(KDEV_PING, 0, {});
  return ++pings_;
}

void AgentChannel::send_locked(std::uint32_t type, std::uint32_t id, std::string_view payload) {
  if (closed_ || broken_) return;
  if (type == KDEV_HELLO) greeting_ = payload;
  const kdev_frame frame{KDEV_FRAME_MAGIC, static_cast<std::uint32_t>(payload.size()), type, id};
  const bool idle = !pending_locked();
  queue_.append(reinterpret_cast<const char*>(&frame), sizeof frame);
  queue_.append(payload);
  // The common case, a short frame on an idle channel, needs no detour over the session's thread.
  if (idle) flush_locked();
  if (pending_locked() || closed_) wake_();
}

void AgentChannel::flush_locked() {
  while (write_ && pending_locked()) {
    const std::size_t n = write_({queue_.data() + sent_, sendable_locked()});
    if (!n) break;
    sent_ += n;
    if (room_ != unlimited) room_ -= n;
  }
  while (!write_ && pending_locked() && !closed_) {
    ssize_t n = ::send(fd_, queue_.data() + sent_, sendable_locked(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      sent_ += static_cast<std::size_t>(n);
      if (room_ != unlimited) room_ -= static_cast<std::uint64_t>(n);
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      break;
    else if (n < 0 && errno != EINTR)
      closed_ = true;
  }
  // Moved only when at least as much has been sent as is left: each byte once.
  if (closed_ || sent_ >= queued_locked()) {
    queue_.erase(0, closed_ ? queue_.size() : sent_);
    sent_ = 0;
  }
}

void AgentChannel::break_locked() {
  broken_ = true;
  queue_.clear();
  sent_ = 0;
  changed_.notify_all();
}

bool AgentChannel::feed(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  const bool whole = input_.empty();
  if (!whole) input_ += bytes;
  const std::string_view all = whole ? bytes : input_;
  std::size_t at = 0;
  bool awaited = false;
  while (!broken_ && all.size() - at >= sizeof(kdev_frame)) {
    kdev_frame frame;
    std::memcpy(&frame, all.data() + at, sizeof frame);
    if (frame.magic != KDEV_FRAME_MAGIC || frame.length > KDEV_MAX_PAYLOAD) {
      // A terminal's echo, from before the agent had it raw.
      if (!hello_ && ++skipped_ < most_echo) {
        ++at;
        continue;
      }
      break_locked();
      break;
    }
    if (all.size() - at < sizeof frame + frame.length) break;
    awaited = dispatch(frame, all.substr(at + sizeof frame, frame.length)) || awaited;
    at += sizeof frame + frame.length;
  }
  if (whole)
    input_ = bytes.substr(at);
  else
    input_.erase(0, at);
  if (awaited) changed_.notify_all();
  return !broken_;
}

bool AgentChannel::dispatch(const kdev_frame& frame, std::string_view payload) {
  if (frame.type == KDEV_HELLO) {
    AgentHello hello;
    if (auto version = as<std::uint32_t>(payload)) {
      hello.version = *version;
      payload.remove_prefix(sizeof *version);
    }
    while (!payload.empty()) {
      const std::string_view text = payload.substr(0, payload.find('\0'));
      payload.remove_prefix(std::min(payload.size(), text.size() + 1));
      if (std::size_t equals = text.find('='); equals != std::string_view::npos)
        hello.facts[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
    // Only the first: between it and the answer nothing else was sent.
    if (!hello_)
      if (const auto window = hello.facts.find("window"); window != hello.facts.end())
        std::from_chars(window->second.data(), window->second.data() + window->second.size(), room_);
    hello_ = std::move(hello);
    return true;
  }
  if (frame.type == KDEV_READY) {
    if (!hello_ && !greeting_.empty()) send_locked(KDEV_HELLO, 0, std::string(greeting_));
    return false;
  }
  if (frame.type == KDEV_ACK) {
    if (room_ != unlimited) room_ += as<std::uint32_t>(payload).value_or(0);
    if (pending_locked()) wake_();
    return false;
  }
  if (frame.type == KDEV_PONG) {
    ++pongs_;
    return true;
  }
  if (frame.type == KDEV_ERROR && frame.id == 0 && hello_) {
    break_locked();  // the agent could make nothing of what came, and takes nothing more
    return true;
  }
  auto found = exchanges_.find(frame.id);
  if (found == exchanges_.end()) return false;  // of a job that nobody waits for any more
  Exchange& exchange = *found->second;
  switch (frame.type) {
    case KDEV_STARTED:
      exchange.pid = as<std::uint32_t>(payload);
      break;
    case KDEV_OUT:
      exchange.out.add(payload);
      return exchange.readers > 0;
    case KDEV_ERR:
      exchange.err.add(payload);
      return exchange.readers > 0;
    case KDEV_STDIN_ACK:
      exchange.stdin_window += as<std::uint32_t>(payload).value_or(0);
      break;
    case KDEV_EXIT:
      exchange.exit = as<kdev_exit>(payload);
      break;
    case KDEV_META:
      exchange.meta = as<kdev_meta>(payload);
      break;
    case KDEV_DATA:
      exchange.data += payload;
      break;
    case KDEV_DATA_END:
      exchange.data_end = true;
      break;
    case KDEV_DONE:
      exchange.done = true;
      break;
    case KDEV_ERROR: {
      const auto number = as<std::uint32_t>(payload);
      exchange.error = {number.value_or(0),
                        std::string(payload.substr(std::min<std::size_t>(payload.size(), 4)))};
      break;
    }
    default:
      break;  // a newer agent's: ignored
  }
  return true;
}

}  // namespace kdev::vm
