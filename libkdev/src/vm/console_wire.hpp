#pragma once
// The host's end of the agent channel where it goes over the console (libkdev/agent/wire.h).
#include <cstdint>
#include <deque>
#include <kdev/deadline.hpp>
#include <string>
#include <string_view>

namespace kdev::vm {

/// Takes the packets out of what a console prints, and makes those that go the other way. Not thread-safe.
class ConsoleWire {
 public:
  /// What the guest printed: the part that is for people, in order. A line that begins as a packet is held
  /// until it is whole, is none, or `ended`. What packets carry is added to `payload`.
  std::string feed(std::string_view bytes, Clock::time_point now, std::string& payload);
  /// What is held as the beginning of a packet, when nothing more comes.
  std::string rest();
  /// A guest has said that it is there.
  bool connected() const { return connected_; }
  /// Something waits for an answer, or to be sent.
  bool busy() const { return connected_ && (!window_.empty() || !queue_.empty() || !answers_.empty()); }
  /// Takes as much of these bytes for the guest as there is room for; how many.
  std::size_t send(std::string_view bytes);
  /// Bytes for the console. Silent when the console is not the agent's now: then everything is sent again
  /// later.
  std::string next(Clock::time_point now, bool silent);

 private:
  void take(std::string_view packet, Clock::time_point now, std::string& payload);
  std::string line_;
  bool in_line_ = false, connected_ = false;
  std::uint16_t awaited_ = 0;       // of the guest's
  std::uint16_t first_ = 0;         // ours: the number of window_.front()
  std::deque<std::string> window_;  // packets under way
  std::size_t unsent_ = 0;          // of window_, from its end
  std::string queue_;               // for further packets
  std::string answers_;
  Clock::time_point sent_at_{};
};

}  // namespace kdev::vm
