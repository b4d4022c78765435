#pragma once
// The host's end of the agent channel (libkdev/agent/protocol.h).
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "agent/protocol.h"

namespace kdev::vm {

/// One output stream of a job. What was read stays for the result while there is room for it; a reader that
/// keeps up never loses anything, however long the job runs.
struct Stream {
  std::size_t limit = 0;  ///< bytes to keep
  std::string kept;
  std::size_t read = 0;     ///< of `kept`, taken by take()
  std::uint64_t bytes = 0;  ///< that came, kept or not

  void add(std::string_view more);
  std::string take();
};

/// What came for one job or transfer. Guarded by the channel's mutex (the session's).
struct Exchange {
  std::uint32_t id = 0;
  Stream out, err;
  int readers = 0;  ///< threads that wait for output
  std::uint64_t stdin_window = KDEV_STDIN_WINDOW;
  std::string data;  ///< of a GET or LIST
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

/// Frames in and out. feed() and flush() belong to the session's thread; the others may be called from any.
/// All state is guarded by the session's mutex, which is passed in.
class AgentChannel {
 public:
  AgentChannel(std::mutex& mutex, std::condition_variable& changed, int fd, std::function<void()> wake);

  /// The guest has no port: its bytes go elsewhere from now on. `write` takes what it has room for. Lock held
  /// by the caller.
  void reroute_locked(std::function<std::size_t(std::string_view)> write) { write_ = std::move(write); }
  /// Bytes from the guest; false when they are no protocol of ours.
  bool feed(std::string_view bytes);
  /// Sends what is queued as far as the socket takes it. Lock held by the caller.
  void flush_locked();
  /// True: there is something to send, and the guest has room for it.
  bool pending_locked() const { return sendable_locked() > 0; }
  std::size_t queued_locked() const { return queue_.size() - sent_; }

  std::shared_ptr<Exchange> open(std::size_t limit);
  void forget(std::uint32_t id);
  void send(std::uint32_t type, std::uint32_t id, std::string_view payload);
  /// Sends a PING. It is answered when pongs_locked() has reached the number returned: the channel keeps the
  /// order.
  std::uint64_t ping();
  std::uint64_t pongs_locked() const { return pongs_; }
  const std::optional<AgentHello>& hello_locked() const { return hello_; }
  /// No command or transfer gets an answer any more.
  bool broken_locked() const { return broken_; }
  void break_locked();
  /// The machine's end of the channel is closed: it ended, or the channel broke.
  bool closed_locked() const { return closed_; }

 private:
  void send_locked(std::uint32_t type, std::uint32_t id, std::string_view payload);
  std::size_t sendable_locked() const { return std::min<std::uint64_t>(queued_locked(), room_); }
  /// True: somebody may be waiting for it. Output alone comes in thousands of frames that nobody wants to be
  /// woken for.
  bool dispatch(const kdev_frame& frame, std::string_view payload);

  std::mutex& mutex_;
  std::condition_variable& changed_;
  int fd_;
  std::function<void()> wake_;
  std::function<std::size_t(std::string_view)> write_;  // in place of fd_
  std::string input_, queue_;
  std::size_t sent_ = 0;  // of queue_
  std::map<std::uint32_t, std::shared_ptr<Exchange>> exchanges_;
  std::uint32_t next_id_ = 1;
  std::string greeting_;  // the HELLO that was sent
  static constexpr std::size_t most_echo = 4096;
  std::size_t skipped_ = 0;  // bytes before the first HELLO that were no frame
  std::optional<AgentHello> hello_;
  static constexpr std::uint64_t unlimited = UINT64_MAX;
  std::uint64_t room_ = unlimited;  // bytes that the guest's port takes without losing any
  std::uint64_t pings_ = 0, pongs_ = 0;
  bool closed_ = false;
  bool broken_ = false;
};

}  // namespace kdev::vm
