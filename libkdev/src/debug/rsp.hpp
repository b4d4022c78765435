#pragma once
// gdb's remote serial protocol (gdb's manual, appendix E), as much of it as a fast look at a stub needs: gdb
// itself takes a hundred times as long for a stop.
#include <cstdint>
#include <kdev/deadline.hpp>
#include <string>

#include "host/unique_fd.hpp"

namespace kdev::debug {

/// A client of one stub, whose machine stands still meanwhile and when it goes. One thread. DebugError: the
/// stub is gone or says nonsense; TimeoutError, Interrupted.
class Rsp {
 public:
  explicit Rsp(UniqueFd stub);

  /// Stops at writes to this memory (a virtual address). DebugError: the stub refuses.
  void watch_writes(std::uint64_t address, std::uint64_t size, const Deadline& deadline);
  /// Lets the machine run to its next stop. True: a watchpoint's.
  bool run(const Deadline& deadline);
  /// One instruction.
  void step(const Deadline& deadline);
  /// As hex; empty: not mapped.
  std::string memory(std::uint64_t address, std::uint64_t size, const Deadline& deadline);
  struct Place {
    std::uint64_t pc = 0, sp = 0;
  };
  /// Of an x86-64 CPU.
  Place place(const Deadline& deadline);

 private:
  std::string ask(const std::string& packet, const Deadline& deadline);
  void send(std::string bytes, const Deadline& deadline);

  UniqueFd fd_;
  std::string read_;
};

}  // namespace kdev::debug
