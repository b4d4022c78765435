#include "vm/agent_channel.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>

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

void keep(std::string& kept, std::uint64_t& count, std::size_t limit, std::string_view bytes) {
  count += bytes.size();
  if (kept.size() < limit) kept.append(bytes.substr(0, limit - kept.size()));
}

}  // namespace

AgentChannel::AgentChannel(std::mutex& mutex, std::condition_variable& changed, int fd, std::function<void()> wake)
    : mutex_(mutex), changed_(changed), fd_(fd), wake_(std::move(wake)) {}

std::shared_ptr<Exchange> AgentChannel::open(std::size_t limit) {
  std::lock_guard lock(mutex_);
  auto exchange = std::make_shared<Exchange>();
  exchange->id = next_id_++;
  exchange->limit = limit;
  exchanges_[exchange->id] = exchange;
  return exchange;
}

void AgentChannel::forget(std::uint32_t id) {
  std::lock_guard lock(mutex_);
  exchanges_.erase(id);
}

void AgentChannel::send(std::uint32_t type, std::uint32_t id, std::string_view payload) {
  const kdev_frame frame{KDEV_FRAME_MAGIC, static_cast<std::uint32_t>(payload.size()), type, id};
  std::lock_guard lock(mutex_);
  const bool idle = queue_.empty();
  queue_.append(reinterpret_cast<const char*>(&frame), sizeof frame);
  queue_.append(payload);
  // The common case, a short frame on an idle channel, needs no detour over the session's thread.
  if (idle) flush_locked();
  if (!queue_.empty()) wake_();
}

bool AgentChannel::flush_locked() {
  while (!queue_.empty() && !broken_) {
    ssize_t n = ::send(fd_, queue_.data(), queue_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      queue_.erase(0, static_cast<std::size_t>(n));
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      break;
    } else if (n < 0 && errno != EINTR) {
      broken_ = true;
      queue_.clear();
      changed_.notify_all();
    }
  }
  return !broken_;
}

bool AgentChannel::feed(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  if (broken_) return false;
  input_ += bytes;
  std::size_t at = 0;
  while (input_.size() - at >= sizeof(kdev_frame)) {
    kdev_frame frame;
    std::memcpy(&frame, input_.data() + at, sizeof frame);
    if (frame.magic != KDEV_FRAME_MAGIC || frame.length > KDEV_MAX_PAYLOAD) {
      broken_ = true;
      changed_.notify_all();
      return false;
    }
    if (input_.size() - at < sizeof frame + frame.length) break;
    dispatch(frame, std::string_view(input_).substr(at + sizeof frame, frame.length));
    at += sizeof frame + frame.length;
  }
  input_.erase(0, at);
  changed_.notify_all();
  return true;
}

void AgentChannel::dispatch(const kdev_frame& frame, std::string_view payload) {
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
    hello_ = std::move(hello);
    return;
  }
  if (frame.type == KDEV_PONG) {
    pong_ = payload;
    return;
  }
  auto found = exchanges_.find(frame.id);
  if (found == exchanges_.end()) return;  // of a job that nobody waits for any more
  Exchange& exchange = *found->second;
  switch (frame.type) {
    case KDEV_STARTED: exchange.pid = as<std::uint32_t>(payload); break;
    case KDEV_OUT: keep(exchange.out, exchange.out_bytes, exchange.limit, payload); break;
    case KDEV_ERR: keep(exchange.err, exchange.err_bytes, exchange.limit, payload); break;
    case KDEV_STDIN_ACK: exchange.stdin_window += as<std::uint32_t>(payload).value_or(0); break;
    case KDEV_EXIT: exchange.exit = as<kdev_exit>(payload); break;
    case KDEV_META: exchange.meta = as<kdev_meta>(payload); break;
    case KDEV_DATA: exchange.data += payload; break;
    case KDEV_DATA_END: exchange.data_end = true; break;
    case KDEV_DONE: exchange.done = true; break;
    case KDEV_ERROR: {
      const auto number = as<std::uint32_t>(payload);
      exchange.error = {number.value_or(0), std::string(payload.substr(std::min<std::size_t>(payload.size(), 4)))};
      break;
    }
    default: break;  // a newer agent's: ignored
  }
}

}  // namespace kdev::vm
