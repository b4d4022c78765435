// Who wrote that: one replay with a watchpoint on the object, up to now, and one to the last hit.
#include <algorithm>
#include <charconv>

#include "debug/rsp.hpp"
#include "debug/session_state.hpp"

namespace kdev {
namespace {

constexpr std::uint64_t most_watched =
    2048;  // bytes: what is larger is no field, and no answer of QEMU's stub
constexpr std::uint64_t bytes_at_a_number = 8;
constexpr std::uint64_t lowest_address = 4096;  // below it is no object of a kernel's

struct Object {
  std::uint64_t address = 0, size = 0;
};

Object object_of(auto& s, const std::string& expression) {
  try {
    return {.address = s.number("&(" + expression + ")"), .size = s.number("sizeof(" + expression + ")")};
  } catch (const DebugError&) {
    // It lies nowhere. A pointer or an unsigned long then says where; a bit-field's value, say, does not.
    const bool literal =
        expression.starts_with("0x") || expression.find_first_not_of("0123456789") == expression.npos;
    const std::uint64_t address = s.number(expression);
    if (address < lowest_address || (!literal && s.number("sizeof(" + expression + ")") != bytes_at_a_number))
      throw;
    return {.address = address, .size = bytes_at_a_number};
  }
}

struct Hits {
  std::uint64_t last = 0;  ///< instructions executed, the writing one included
  std::uint64_t count = 0;
  std::string value, now;  ///< after the last; at the end
};

Hits find_writes(auto& s, const Object& object, std::uint64_t now, const Deadline& deadline) {
  debug::TimeTravel& machine = *s.target->travel;
  machine.rewind(deadline);
  machine.stop_at(now, deadline);
  machine.open_stub(deadline);
  Hits hits;
  {
    debug::Rsp stub(machine.connect());
    stub.watch_writes(object.address, object.size, deadline);
    for (;;) {
      const bool written = stub.run(deadline);
      const std::uint64_t at = machine.position(deadline);
      if (written) {
        hits.last = at;
        ++hits.count;
        hits.value = stub.memory(object.address, object.size, deadline);
      }
      if (at >= now) break;
    }
    hits.now = stub.memory(object.address, object.size, deadline);
  }
  machine.close_stub(deadline);
  return hits;
}

}  // namespace

DebugWrite DebugSession::last_write(const std::string& expression, Seconds timeout) {
  State& s = *state_;
  const std::string attempted = "find the last write to " + expression;
  const Deadline deadline = Deadline::after(timeout);
  const std::uint64_t now = s.travel(attempted).position(deadline);
  const Object object = object_of(s, expression);
  if (object.size == 0 || object.size > most_watched)
    throw DebugError({.attempted = attempted,
                      .reason = fmt::format("it has {} bytes", object.size),
                      .hint = "name a field of it",
                      .log = {}});
  if (now == 0)
    throw DebugError({.attempted = attempted, .reason = "the recording begins here", .hint = "", .log = {}});
  s.step_aside(deadline);
  const Hits hits = find_writes(s, object, now, deadline);
  if (hits.count == 0) {
    s.play(now, deadline);
    s.rejoin(deadline);
    throw DebugError(
        {.attempted = attempted,
         .reason = fmt::format("no instruction wrote to its {} bytes at {:#x} since the recording began",
                               object.size, object.address),
         .hint = "a device, or another mapping of that memory, may have",
         .log = {}});
  }
  DebugWrite write;
  write.position = hits.last - 1;
  write.address = object.address;
  write.size = object.size;
  write.writes = hits.count;
  write.after = hits.value;
  write.changed_since = !hits.now.empty() && hits.now != hits.value;
  // The watchpoint stops behind the instruction.
  s.play(write.position, deadline);
  s.rejoin(deadline);
  s.stop->reason = "watchpoint-trigger";
  if (s.stop->frame.function.empty() && s.python && s.symbols) {
    // In a module that is not there any more at the end.
    s.sync_modules(deadline);
    s.stand(deadline);
  }
  write.frame = s.stop->frame;
  write.backtrace = backtrace();
  const std::uint64_t pc = write.frame.address;
  for (const DebugInstruction& i : disassemble(pc, pc + 1)) write.instruction = i;
  for (const unsigned char byte : memory(object.address, object.size))
    write.before += fmt::format("{:02x}", byte);
  if (const auto task = s.target->gdb->current_task(); !task.name.empty()) {
    try {
      const std::string pid = evaluate(task.pid), name = evaluate("(char *)" + task.name);
      std::from_chars(pid.data(), pid.data() + pid.size(), write.pid);
      // 0xffff888000000000 "insmod"
      if (const std::size_t quote = name.find('"'); quote != name.npos)
        write.task = name.substr(quote + 1, name.rfind('"') - quote - 1);
    } catch (const DebugError&) {
      // Before there were tasks, or on the way into the kernel.
    }
  }
  return write;
}

}  // namespace kdev
