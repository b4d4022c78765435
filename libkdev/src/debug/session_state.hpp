#pragma once
// What a DebugSession holds: gdb, and what it is known to do with the kernel.
#include <fmt/format.h>

#include <deque>
#include <kdev/debug_session.hpp>
#include <kdev/error.hpp>
#include <set>

#include "crash/source_text.hpp"
#include "debug/frames.hpp"
#include "debug/kernel_place.hpp"
#include "debug/target.hpp"

namespace kdev {
namespace debug {

// For what gdb answers without the kernel having to do anything; over a serial line some of it takes a
// second.
inline constexpr Seconds call_limit{30};
inline Deadline soon() {
  return Deadline::after(call_limit);
}

}  // namespace debug

struct DebugSession::State {
  std::unique_ptr<debug::Target> target;
  std::unique_ptr<debug::Gdb> gdb;
  crash::SourceText sources;
  std::optional<DebugStop> stop;  ///< that the kernel is in
  bool connected = false;
  bool fresh = false;  ///< `stop` was not given to anybody
  bool following = false;
  bool early = false;  ///< no kernel has been seen in the machine's memory yet
  std::set<int> breakpoints;
  std::set<std::string> modules;  ///< whose symbols gdb has
  bool python = false;
  bool symbols = false;    ///< gdb has the kernel's
  bool scripts = false;    ///< it knows kdev's commands
  bool abandoned = false;  ///< the stub waits, without gdb
  bool left_running = false;
  std::uint64_t slide = 0;
  std::optional<debug::BuildIdPlace> identity;  ///< of the kernel's file, while it is looked for
  std::vector<std::string> notes;
  std::deque<DebugEvent> happened;  ///< that events() has not given yet
  bool discreet = false;            ///< stops and resumptions are no events: they are for a call's own sake

  explicit State(std::unique_ptr<debug::Target> t) : target(std::move(t)), sources(target->source, "") {}
  ~State() { end(); }

  void connect(const Deadline& deadline);
  GdbCommand hand_over();
  void end() noexcept;

  debug::Gdb& open(const std::string& attempted) {
    if (!gdb)
      throw DebugError({.attempted = attempted, .reason = "the session is closed", .hint = "", .log = {}});
    return *gdb;
  }
  debug::Gdb::Answer command(const std::string& text, const Deadline& deadline = debug::soon()) {
    return open("gdb: " + text).command(text, deadline);
  }
  /// With the option that says which thread and frame of it.
  debug::Gdb::Answer command_in(const std::string& name, int thread, int frame, const std::string& rest);
  /// `named`: with the thread's name, for which the stub is asked for all of them.
  void take(const json::object& stopped, bool named = true);
  std::string thread_id(const std::string& number);
  /// What a command that lets the kernel run is given as.
  void run(const std::string& how);
  DebugStop step(const std::string& how, const Deadline& deadline = debug::soon());
  DebugStop await(const Deadline& deadline, const std::string& what);
  void need_stop(const std::string& attempted);
  /// Nothing in a core can run.
  void need_live(const std::string& attempted);
  void halt(const Deadline& deadline, bool named = true);
  std::vector<std::string> sync_modules(const Deadline& deadline);
  std::vector<DebugInstruction> disassemble(const std::string& where);

  // events.cpp
  void happen(DebugEvent event);
  /// What gdb said by itself so far.
  void hear();

  /// The stop's frame, with the symbols that there are now.
  void stand(const Deadline& deadline);
  /// A C expression's value as a number.
  std::uint64_t number(const std::string& expression);

  // travel.cpp
  /// DebugError where there is no way back.
  debug::TimeTravel& travel(const std::string& attempted);
  /// gdb leaves the stub to others, with its breakpoints in mind.
  void step_aside(const Deadline& deadline);
  /// Replays to there without gdb.
  void play(std::uint64_t position, const Deadline& deadline);
  /// gdb on the machine as it stands, wherever it was replayed to meanwhile.
  void rejoin(const Deadline& deadline);
  /// All three.
  DebugStop go(std::uint64_t position, const Deadline& deadline, DebugStop reason);

 private:
  void open_core(const Deadline& deadline);
  void open_stub(const Deadline& deadline);
  void place_kernel(const Deadline& deadline);
  bool see_kernel(const Deadline& deadline);
  json::object await_early(const Deadline& deadline, const std::string& what);
  void load_symbols(const Deadline& deadline);
  std::string symbols_command() const;
  void load_script(const Deadline& deadline);
  std::string read(std::uint64_t address, std::size_t size, const Deadline& deadline);
  void leave() noexcept;
  void end_gdb() noexcept;
};

namespace debug {

/// Stops the kernel for as long as it lives, if it ran.
class Halted {
 public:
  explicit Halted(DebugSession::State& state);
  ~Halted();
  Halted(const Halted&) = delete;
  Halted& operator=(const Halted&) = delete;

 private:
  DebugSession::State& state_;
  const bool was_running_;
  const bool was_discreet_;
};

}  // namespace debug
}  // namespace kdev
