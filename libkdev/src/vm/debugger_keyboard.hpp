#pragma once
// Where what is typed for the debugger in a guest's kernel goes, when that is not its console.
#include <kdev/path.hpp>
#include <string>
#include <string_view>

#include "host/unique_fd.hpp"

namespace kdev::vm {

/// The second serial port, opened for as long as somebody types: what the debugger says there it says on the
/// console as well, and is thrown away. Not thread-safe.
class DebuggerKeyboard {
 public:
  /// `dir`: of the port's socket; empty: the machine has no such port.
  explicit DebuggerKeyboard(Path dir) : dir_(std::move(dir)) {}
  bool exists() const { return !dir_.empty(); }
  /// Never throws: a port that cannot be opened takes nothing, and whoever talks has a limit.
  void type(std::string_view keys) noexcept;
  /// Sends what waits, takes what came.
  void work() noexcept;
  bool busy() const { return !pending_.empty(); }
  int fd() const { return port_.get(); }  ///< to poll for input; -1: closed
  /// Somebody else may have the port.
  void release() noexcept;

 private:
  Path dir_;
  UniqueFd port_;
  std::string pending_;
};

}  // namespace kdev::vm
