#include <fmt/format.h>

#include <algorithm>

#include "debug/session_state.hpp"

namespace kdev {

using debug::soon;

namespace {

/// Stops the kernel for as long as it lives, if it ran.
class Halted {
 public:
  template <class State>
  explicit Halted(State& state)
      : was_running_(!state.stop), resume_([&state] {
          // Not when it has met a breakpoint on its way to this stop.
          if (state.stop && state.stop->breakpoint == 0) state.run("-exec-continue");
        }) {
    if (was_running_) state.halt(soon());
  }
  ~Halted() {
    try {
      if (was_running_) resume_();
    } catch (const std::exception&) {
      // gdb has ended: the next call says so.
    }
  }
  Halted(const Halted&) = delete;
  Halted& operator=(const Halted&) = delete;

 private:
  const bool was_running_;
  std::function<void()> resume_;
};

}  // namespace

DebugSession::DebugSession(std::unique_ptr<debug::Target> target, const Deadline& deadline)
    : state_(std::make_unique<State>(std::move(target))) {
  state_->connect(deadline);
}
DebugSession::DebugSession(DebugSession&&) noexcept = default;
DebugSession& DebugSession::operator=(DebugSession&&) noexcept = default;
DebugSession::~DebugSession() = default;

void DebugSession::close() noexcept {
  if (state_) state_->end();
}

int DebugSession::pid() const {
  return state_->gdb ? state_->gdb->pid() : -1;
}

bool DebugSession::running() const {
  return state_->gdb && !state_->stop;
}

std::optional<DebugStop> DebugSession::stopped() const {
  return state_->stop;
}

DebugBreakpoint DebugSession::break_at(const std::string& location, const std::string& condition, bool once) {
  State& s = *state_;
  s.open("break at " + location);
  const Halted halted(s);
  const std::string text = fmt::format("-break-insert {}{}{}", once ? "-t " : "",
                                       condition.empty() ? "" : "-c " + debug::mi_quote(condition) + " ",
                                       debug::mi_quote(location));
  debug::Gdb::Answer answer;
  try {
    answer = s.command(text);
  } catch (const DebugError&) {
    // In a module that gdb has not heard of yet?
    if (s.read_modules().empty()) throw;
    answer = s.command(text);
  }
  DebugBreakpoint made;
  if (const auto* b = answer.results.if_contains("bkpt"); b && b->is_object()) {
    const json::object& o = b->as_object();
    made.number = debug::number(o, "number");
    const json::object* place = &o;
    if (const auto* several = o.if_contains("locations");
        several && several->is_array() && !several->as_array().empty())
      place = &several->as_array()[0].as_object();
    const DebugFrame frame = debug::frame_from(*place, s.sources);
    made.address = frame.address;
    made.function = frame.function;
    made.file = frame.file;
    made.line = frame.line;
  }
  s.breakpoints.insert(made.number);
  return made;
}

void DebugSession::clear(int breakpoint) {
  State& s = *state_;
  s.open("clear a breakpoint");
  const Halted halted(s);
  s.command(fmt::format("-break-delete {}", breakpoint));
  s.breakpoints.erase(breakpoint);
}

void DebugSession::resume() {
  State& s = *state_;
  s.open("resume " + (s.target ? s.target->name : std::string()));
  if (s.stop) s.run("-exec-continue");
}

DebugStop DebugSession::wait(Seconds timeout, std::stop_token stop) {
  State& s = *state_;
  s.open("wait for a stop");
  if (s.stop && s.fresh) {
    s.fresh = false;
    return *s.stop;
  }
  if (s.stop) s.run("-exec-continue");
  return s.await(Deadline::after(timeout, std::move(stop)), "wait for a stop of " + s.target->name);
}

DebugStop DebugSession::interrupt() {
  State& s = *state_;
  s.open("interrupt the kernel");
  s.halt(soon());
  s.fresh = false;
  return *s.stop;
}

DebugStop DebugSession::step() {
  return state_->step("-exec-step");
}
DebugStop DebugSession::next() {
  return state_->step("-exec-next");
}
DebugStop DebugSession::finish() {
  return state_->step("-exec-finish");
}

std::vector<DebugFrame> DebugSession::backtrace(int limit, int thread) {
  State& s = *state_;
  s.open("backtrace");
  const Halted halted(s);
  const std::string of = thread > 0 ? fmt::format("--thread {} ", thread) : "";
  const int last = std::max(limit, 1) - 1;
  const auto stack = s.command(fmt::format("-stack-list-frames {}0 {}", of, last));
  const auto arguments = s.command(fmt::format("-stack-list-arguments {}--simple-values 0 {}", of, last));
  std::vector<DebugFrame> frames;
  for (const auto& frame : stack.results.at("stack").as_array())
    frames.push_back(debug::frame_from(frame.as_object(), s.sources));
  for (const auto& of_frame : arguments.results.at("stack-args").as_array()) {
    const auto level = static_cast<std::size_t>(debug::number(of_frame.as_object(), "level"));
    if (level < frames.size()) frames[level].args = debug::variables_from(of_frame.as_object(), "args");
  }
  // A stack's bottom has nowhere to return to.
  while (frames.size() > 1 && frames.back().address == 0) frames.pop_back();
  return frames;
}

std::vector<Variable> DebugSession::locals(int frame) {
  State& s = *state_;
  s.need_stop("list local variables");
  s.command(fmt::format("-stack-select-frame {}", frame));
  return debug::variables_from(s.command("-stack-list-variables --simple-values").results, "variables");
}

std::vector<DebugThread> DebugSession::threads() {
  State& s = *state_;
  s.open("list threads");
  const Halted halted(s);
  std::vector<DebugThread> threads;
  const auto answer = s.command("-thread-info");
  for (const auto& v : answer.results.at("threads").as_array()) {
    const json::object& o = v.as_object();
    DebugThread thread{.number = debug::number(o, "id"),
                       .id = json::get_string(o, "target-id"),
                       .name = json::get_string(o, "details")};
    if (thread.name.empty()) thread.name = json::get_string(o, "name");
    if (const auto* frame = o.if_contains("frame"); frame && frame->is_object())
      thread.frame = debug::frame_from(frame->as_object(), s.sources);
    threads.push_back(std::move(thread));
  }
  return threads;
}

std::string DebugSession::evaluate(const std::string& expression, int frame) {
  State& s = *state_;
  s.open("evaluate " + expression);
  const Halted halted(s);
  s.command(fmt::format("-stack-select-frame {}", frame));
  return json::get_string(s.command("-data-evaluate-expression " + debug::mi_quote(expression)).results,
                          "value");
}

std::string DebugSession::memory(std::uint64_t address, std::size_t size) {
  State& s = *state_;
  s.open("read memory");
  const Halted halted(s);
  const auto answer = s.command(fmt::format("-data-read-memory-bytes {:#x} {}", address, size));
  std::string bytes;
  const json::array& parts = answer.results.at("memory").as_array();
  if (!parts.empty()) {
    const std::string digits = json::get_string(parts[0].as_object(), "contents");
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
      bytes += static_cast<char>(debug::hex_number(digits.substr(i, 2)));
  }
  return bytes;
}

std::map<std::string, std::uint64_t> DebugSession::registers() {
  State& s = *state_;
  s.open("read registers");
  const Halted halted(s);
  const auto names = s.command("-data-list-register-names");
  const auto values = s.command("-data-list-register-values --skip-unavailable x");
  const json::array& list = names.results.at("register-names").as_array();
  std::map<std::string, std::uint64_t> registers;
  for (const auto& v : values.results.at("register-values").as_array()) {
    const auto place = static_cast<std::size_t>(debug::number(v.as_object(), "number"));
    const std::string value = json::get_string(v.as_object(), "value");
    if (place < list.size() && !list[place].as_string().empty() && value.starts_with("0x"))
      registers[std::string(list[place].as_string())] = debug::hex_number(value);
  }
  return registers;
}

std::string DebugSession::source(const std::string& location, int lines) {
  State& s = *state_;
  s.command(fmt::format("-gdb-set listsize {}", std::max(lines, 1)));
  return s.gdb->console("list " + location, soon());
}

std::vector<std::string> DebugSession::load_modules() {
  State& s = *state_;
  s.open("read the list of modules");
  const Halted halted(s);
  return s.read_modules();
}

std::string DebugSession::execute(const std::string& command) {
  State& s = *state_;
  const std::string said = s.open("gdb: " + command).console(command, soon());
  return said;
}

}  // namespace kdev
