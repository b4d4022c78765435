#pragma once
// The machine of a recording, as often as it is started anew.
#include <kdev/recording.hpp>

#include "debug/target.hpp"
#include "vm/run_dir.hpp"
#include "vm/session.hpp"

namespace kdev::vm {

class ReplayMachine final : public debug::TimeTravel {
 public:
  ReplayMachine(const Recording& recording, const ReplayOptions& options);
  ~ReplayMachine() override { end(); }

  std::uint64_t position(const Deadline& deadline) override;
  std::uint64_t end_position() const override { return end_; }
  void rewind(const Deadline& deadline) override;
  void play_to(std::uint64_t position, const Deadline& deadline) override;
  void stop_at(std::uint64_t position, const Deadline& deadline) override;
  void open_stub(const Deadline& deadline) override;
  void close_stub(const Deadline& deadline) override;
  UniqueFd connect() override;

  RunDir& dir() { return dir_; }
  void end() noexcept;

 private:
  hypervisor::Machine& machine();

  hypervisor::MachineSpec spec_;
  std::uint64_t end_;
  RunDir dir_;
  std::shared_ptr<EventQueue> events_;
  std::unique_ptr<Session> session_;
};

/// What a replay's machine is made of, for Recording::machine, and back. FormatError.
std::string describe_machine(const hypervisor::MachineSpec& machine);
hypervisor::MachineSpec machine_from(std::string_view json);

}  // namespace kdev::vm
