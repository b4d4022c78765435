#pragma once
// What a DebugSession holds: gdb, and what it is known to do with the kernel.
#include <fmt/format.h>

#include <kdev/debug_session.hpp>
#include <kdev/error.hpp>
#include <set>

#include "debug/frames.hpp"
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
  std::set<int> breakpoints;
  std::set<std::string> modules;  ///< whose symbols gdb has
  bool python = false;
  bool abandoned = false;  ///< the stub waits, without gdb

  explicit State(std::unique_ptr<debug::Target> t) : target(std::move(t)), sources(target->source, "") {}
  ~State() { end(); }

  void connect(const Deadline& deadline);
  void end() noexcept;
  void leave() noexcept;

  debug::Gdb& open(const std::string& attempted) {
    if (!gdb)
      throw DebugError({.attempted = attempted, .reason = "the session is closed", .hint = "", .log = {}});
    return *gdb;
  }
  debug::Gdb::Answer command(const std::string& text, const Deadline& deadline = debug::soon()) {
    return open("gdb: " + text).command(text, deadline);
  }
  void take(const json::object& stopped) {
    stop = debug::stop_from(stopped, sources);
    if (const auto* thread = stopped.if_contains("thread-id"); thread && thread->is_string())
      stop->thread = thread_id(std::string(thread->as_string()));
    fresh = true;
  }
  std::string thread_id(const std::string& number) {
    try {
      const auto answer = command("-thread-info " + number);
      const json::array& list = answer.results.at("threads").as_array();
      if (!list.empty()) return json::get_string(list[0].as_object(), "target-id");
    } catch (const DebugError&) {
    } catch (const std::out_of_range&) {
    } catch (const std::invalid_argument&) {
    }
    return {};
  }
  void run(const std::string& how) {
    stop.reset();
    fresh = false;
    gdb->drop_stops();
    command(how);
  }
  DebugStop step(const std::string& how) {
    need_stop(how);
    run(how);
    return await(debug::soon(), "gdb: " + how);
  }
  DebugStop await(const Deadline& deadline, const std::string& what) {
    take(open(what).wait_stop(deadline, what));
    fresh = false;
    return *stop;
  }
  void need_stop(const std::string& attempted) {
    open(attempted);
    if (!stop)
      throw DebugError(
          {.attempted = attempted, .reason = "the kernel runs", .hint = "interrupt() stops it", .log = {}});
  }
  void halt(const Deadline& deadline) {
    if (stop) return;
    const std::string what = "interrupt " + target->name;
    target->interrupt(deadline);
    take(open(what).wait_stop(deadline, what));
  }
  std::vector<std::string> read_modules();
};

}  // namespace kdev
