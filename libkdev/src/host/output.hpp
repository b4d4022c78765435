#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "host/unique_fd.hpp"

namespace kdev {

/// The parent's end of one of a child's output streams: keeps the bytes up to a limit, cuts them into lines,
/// and copies them to a log.
class Output {
 public:
  using OnLine = std::function<void(std::string_view)>;
  /// `log_fd`: -1 for none; stays the caller's.
  Output(const OnLine& on_line, std::size_t limit, int log_fd)
      : on_line_(on_line), limit_(limit), log_fd_(log_fd) {}

  /// Makes the pipe; returns the child's end.
  UniqueFd open();
  int fd() const { return fd_.get(); }
  bool at_end() const { return !fd_; }
  /// Reads what is there, without blocking, at most a buffer of it. False: nothing was there. What a line
  /// callback throws passes through. HostError when the log cannot be written.
  bool pump();
  /// Bytes in the pipe now must be read before the stream counts as drained: they were written before the
  /// child ended.
  void owe_what_is_there();
  bool drained() const { return at_end() || owed_ == 0; }
  /// No more lines to the callback, only bytes to the log and the memory.
  void mute() { muted_ = true; }
  /// Delivers a last line that has no line end.
  void finish();
  std::string take() { return std::move(kept_); }
  bool truncated() const { return truncated_; }

 private:
  void accept(std::string_view bytes);
  void deliver(std::string_view line);

  const OnLine& on_line_;
  std::size_t limit_;
  int log_fd_;
  UniqueFd fd_;
  std::string kept_, line_;
  std::size_t owed_ = 0;
  bool truncated_ = false, muted_ = false;
};

/// All of it, whatever write() takes at a time. An errno, or 0.
int write_all(int fd, std::string_view bytes);

}  // namespace kdev
