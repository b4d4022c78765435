#pragma once
// The host's end of the agent channel (libkdev/agent/protocol.h).
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "agent/protocol.h"

namespace kdev::vm {

/// What came for one job or transfer. Guarded by the channel's mutex (the session's).
struct Exchange {
  std::uint32_t id = 0;
  std::size_t limit = 0;                   ///< bytes to keep of each stream
  std::string out, err;
  std::size_t out_read = 0, err_read = 0;  ///< taken by Job::read_out() and read_err()
  std::uint64_t out_bytes = 0, err_bytes = 0;
  std::uint64_t stdin_window = KDEV_STDIN_WINDOW;
  std::string data;                        ///< of a GET or LIST
  bool data_end = false, done = false;
  std::optional<kdev_meta> meta;
  std::optional<kdev_exit> exit;
  std::optional<std::uint32_t> pid;
  std::optional<std::pair<std::uint32_t, std::string>> error;  ///< errno, text
  bool over() const { return exit || error || done || data_end; }
};

/// Facts from the agent's greeting.
struct AgentHello {
  std::uint32_t version = 0;
  std::map<std::string, std::string> facts;
};

/// Frames in and out. feed() and flush() belong to the session's thread; the others may be called from any. All state is
/// guarded by the session's mutex, which is passed in.
class AgentChannel {
 public:
  AgentChannel(std::mutex& mutex, std::condition_variable& changed, int fd, std::function<void()> wake);

  bool present() const { return fd_ >= 0; }
  /// Bytes from the guest; false when they are no protocol of ours.
  bool feed(std::string_view bytes);
  /// Sends what is queued as far as the socket takes it; false when it is broken. Lock held by the caller.
  bool flush_locked();
  bool pending_locked() const { return !queue_.empty(); }
  std::size_t queued_locked() const { return queue_.size(); }

  std::shared_ptr<Exchange> open(std::size_t limit);
  void forget(std::uint32_t id);
  void send(std::uint32_t type, std::uint32_t id, std::string_view payload);
  /// The last PONG's payload, for ping().
  const std::string& pong_locked() const { return pong_; }
  const std::optional<AgentHello>& hello_locked() const { return hello_; }
  bool broken_locked() const { return broken_; }

 private:
  void dispatch(const kdev_frame& frame, std::string_view payload);

  std::mutex& mutex_;
  std::condition_variable& changed_;
  int fd_;
  std::function<void()> wake_;
  std::string input_, queue_;
  std::map<std::uint32_t, std::shared_ptr<Exchange>> exchanges_;
  std::uint32_t next_id_ = 1;
  std::optional<AgentHello> hello_;
  std::string pong_;
  bool broken_ = false;
};

}  // namespace kdev::vm
