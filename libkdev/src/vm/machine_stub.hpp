#pragma once
// The gdb stub of the hypervisor: it debugs the machine, whatever runs in it.
#include <kdev/deadline.hpp>
#include <memory>

#include "vm/session.hpp"

namespace kdev::vm {

/// What a debug session over it changes in a machine, and changes back. Its target's functions share it.
class MachineStub {
 public:
  /// `dir`: of the machine.
  MachineStub(std::shared_ptr<Session> session, Path dir);
  ~MachineStub() { close(); }

  void open(const Deadline& deadline);
  /// Its CPUs stood still before, and shall afterwards.
  bool was_paused() const { return was_paused_; }
  /// gdb is gone without a word: takes out what breakpoints it had.
  void clean();
  void close() noexcept;

 private:
  std::shared_ptr<Session> session_;
  Path dir_;
  bool was_paused_ = false, open_ = false, closed_ = false;
};

}  // namespace kdev::vm
