#pragma once
#include <utility>

#include "guest/console_rules.hpp"

namespace kdev::crash {

/// Whether a kernel has been running when the lines of a boot come. Given all records in order.
class Uptime {
 public:
  /// The record, of the format `row` (null: of none), begins a report.
  bool reportable(const guest::CrashFormat* row, const guest::ConsoleRecord& record) {
    using Role = guest::CrashFormat::Role;
    const Role role = row ? row->role : Role::ignore;
    if (role == Role::boot || role == Role::firmware) {
      // Firmware is what a machine prints first, whatever came before it; a kernel's loader may say more.
      const bool again =
          state_ == State::running || (state_ == State::unknown && said_ && role == Role::firmware);
      if (again && !explained_) pending_ = true;
      state_ = State::booting;
      said_ = explained_ = false;
      since_ = 0;
      return role == Role::boot && std::exchange(pending_, false);
    }
    if (role == Role::farewell || (row && row->begins())) explained_ = true;
    said_ |= !record.text.empty() && !record.text.starts_with("qemu");
    if (state_ == State::unknown && record.stamped) state_ = State::running;
    // A boot says more than one of its first lines.
    if (state_ == State::booting && ++since_ > max_boot) state_ = State::running;
    return row && role != Role::farewell;
  }

 private:
  static constexpr int max_boot = 100;
  enum class State { unknown, booting, running } state_ = State::unknown;
  bool said_ = false, explained_ = false, pending_ = false;
  int since_ = 0;
};

}  // namespace kdev::crash
