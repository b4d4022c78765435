#pragma once
// QMP, QEMU's control protocol (docs/interop/qmp-spec in QEMU's tree): JSON objects, one a line, over a
// stream socket.
#include <condition_variable>
#include <deque>
#include <kdev/deadline.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "host/unique_fd.hpp"

namespace kdev::hypervisor {

struct QmpEvent {
  std::string name;
  json::object data;
};

/// One connection. read() belongs to one thread (the one that polls fd()); execute() may be called by any
/// other, and waits for that thread to deliver the answer.
class Qmp {
 public:
  /// Enters command mode at once: before it QEMU sends no events.
  explicit Qmp(UniqueFd fd);
  int fd() const { return fd_.get(); }
  /// Reads what is there, without blocking: answers go to their callers, events are returned. After the peer
  /// closed, closed() is true and every waiting caller gets a HostError.
  std::vector<QmpEvent> read();
  bool closed() const;
  /// Commands that wait for their answer.
  std::size_t waiting() const;
  /// One command. DebugError with QEMU's description when it refuses, TimeoutError, HostError when the
  /// connection is gone.
  json::value execute(const std::string& name, json::object arguments, const Deadline& deadline);
  /// Sends a command without waiting for its answer; never throws. For "quit", whose answer may not come.
  void post(const std::string& name) noexcept;

 private:
  void handle(std::string_view line, std::vector<QmpEvent>& events);
  void send(const std::string& text, const Deadline& deadline);

  UniqueFd fd_;
  std::string pending_;  // bytes of an incomplete line
  mutable std::mutex mutex_;
  std::mutex write_mutex_;
  std::condition_variable answered_;
  std::map<std::int64_t, std::optional<json::object>> answers_;  // of commands that somebody waits for
  std::int64_t next_id_ = 1;
  bool closed_ = false;
};

}  // namespace kdev::hypervisor
