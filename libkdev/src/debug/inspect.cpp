// What a stopped kernel is asked: frames, variables, memory, code.
#include <algorithm>

#include "common/digest.hpp"
#include "debug/session_state.hpp"

namespace kdev {

using debug::Halted;
using debug::soon;

namespace {

/// An array of the answer; empty when it is not there.
const json::array& list(const json::object& o, std::string_view name) {
  static const json::array none;
  const auto* v = o.if_contains(name);
  return v && v->is_array() ? v->as_array() : none;
}

/// What "kdev-types" says, put to variables whose values are there.
void add_types(const json::value& types, std::vector<Variable>& variables) {
  if (!types.is_object()) return;
  for (Variable& variable : variables) {
    // "how@entry": what it was where the function began.
    const auto* type = types.as_object().if_contains(variable.name.substr(0, variable.name.find('@')));
    if (!type || !type->is_array() || type->as_array().size() != 2 || !type->as_array()[0].is_string())
      continue;
    variable.type = std::string(type->as_array()[0].as_string());
    const auto& aggregate = type->as_array()[1];
    if (aggregate.is_bool() && aggregate.as_bool() && variable.available) variable.value.clear();
  }
}

json::array read_types(const std::string& said) {
  const std::size_t begin = said.find('[');
  if (begin == std::string::npos) return {};
  boost::system::error_code ec;
  auto value = boost::json::parse(said.substr(begin), ec);
  return !ec && value.is_array() ? std::move(value.as_array()) : json::array();
}

}  // namespace

std::vector<DebugFrame> DebugSession::backtrace(int limit, int thread, bool variables) {
  State& s = *state_;
  s.open("backtrace");
  const Halted halted(s);
  const int last = std::max(limit, 1) - 1;
  const auto stack = s.command_in("-stack-list-frames", thread, -1, fmt::format("0 {}", last));
  const bool types_by_script = s.scripts;
  const auto arguments =
      s.command_in("-stack-list-arguments", thread, -1,
                   fmt::format("{} 0 {}", types_by_script ? "--all-values" : "--simple-values", last));
  std::vector<DebugFrame> frames;
  for (const auto& frame : list(stack.results, "stack"))
    if (frame.is_object()) frames.push_back(debug::frame_from(frame.as_object(), s.sources));
  for (const auto& of_frame : list(arguments.results, "stack-args")) {
    if (!of_frame.is_object()) continue;
    const auto level = static_cast<std::size_t>(debug::number(of_frame.as_object(), "level"));
    if (level < frames.size()) frames[level].args = debug::variables_from(of_frame.as_object(), "args");
  }
  if (variables)
    for (DebugFrame& frame : frames)
      frame.locals = debug::variables_from(s.command_in("-stack-list-locals", thread, frame.level,
                                                        types_by_script ? "--all-values" : "--simple-values")
                                               .results,
                                           "locals");
  if (types_by_script) {
    const auto types = read_types(
        s.command_in("-interpreter-exec", thread, -1, fmt::format("console \"kdev-types {}\"", frames.size()))
            .said);
    for (std::size_t i = 0; i < frames.size() && i < types.size(); ++i) {
      add_types(types[i], frames[i].args);
      add_types(types[i], frames[i].locals);
    }
  }
  // A stack's bottom has nowhere to return to.
  while (frames.size() > 1 && frames.back().address == 0) frames.pop_back();
  // What was inlined is at the address of the function that it was inlined into.
  for (std::size_t i = 0; i + 1 < frames.size(); ++i)
    frames[i].inlined =
        frames[i].address == frames[i + 1].address && frames[i].function != frames[i + 1].function;
  return frames;
}

std::vector<Variable> DebugSession::locals(int frame, int thread) {
  State& s = *state_;
  s.need_stop("list local variables");
  const bool types_by_script = s.scripts;
  auto found = debug::variables_from(s.command_in("-stack-list-variables", thread, frame,
                                                  types_by_script ? "--all-values" : "--simple-values")
                                         .results,
                                     "variables");
  if (types_by_script) {
    const auto types = read_types(
        s.command_in("-interpreter-exec", thread, -1, fmt::format("console \"kdev-types-of {}\"", frame))
            .said);
    if (!types.empty()) add_types(types[0], found);
  }
  return found;
}

std::vector<DebugThread> DebugSession::threads() {
  State& s = *state_;
  s.open("list threads");
  const Halted halted(s);
  std::vector<DebugThread> threads;
  const auto answer = s.command("-thread-info");
  for (const auto& v : list(answer.results, "threads")) {
    if (!v.is_object()) continue;
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

std::string DebugSession::evaluate(const std::string& expression, int frame, int thread) {
  State& s = *state_;
  s.open("evaluate " + expression);
  const Halted halted(s);
  return json::get_string(
      s.command_in("-data-evaluate-expression", thread, frame, debug::mi_quote(expression)).results, "value");
}

std::string DebugSession::type_of(const std::string& expression, int frame, int thread) {
  State& s = *state_;
  s.open("type of " + expression);
  const Halted halted(s);
  const std::string said =
      s.command_in("-interpreter-exec", thread, frame, "console " + debug::mi_quote("whatis " + expression))
          .said;
  // "type = struct file *\n"
  const std::size_t begin = said.find("= ");
  return begin == std::string::npos ? said : said.substr(begin + 2, said.find_last_not_of('\n') - begin - 1);
}

std::string DebugSession::describe_type(const std::string& type) {
  State& s = *state_;
  debug::Gdb& gdb = s.open("describe " + type);
  const Halted halted(s);
  return gdb.console("ptype /o " + type, soon());
}

std::string DebugSession::memory(std::uint64_t address, std::size_t size) {
  State& s = *state_;
  s.open("read memory");
  if (size == 0) return {};
  const Halted halted(s);
  return debug::bytes_from(s.command(fmt::format("-data-read-memory-bytes {:#x} {}", address, size)).results);
}

void DebugSession::write_memory(std::uint64_t address, std::string_view bytes) {
  State& s = *state_;
  s.need_live("write memory");
  if (bytes.empty()) return;
  const Halted halted(s);
  s.command(fmt::format("-data-write-memory-bytes {:#x} {}", address, hex_of(bytes)));
}

std::map<std::string, std::uint64_t> DebugSession::registers(int thread) {
  State& s = *state_;
  s.open("read registers");
  const Halted halted(s);
  const auto names = s.command("-data-list-register-names");
  const auto values =
      s.command_in("-data-list-register-values", thread, thread > 0 ? 0 : -1, "--skip-unavailable x");
  const json::array& known = list(names.results, "register-names");
  std::map<std::string, std::uint64_t> registers;
  for (const auto& v : list(values.results, "register-values")) {
    if (!v.is_object()) continue;
    const auto place = static_cast<std::size_t>(debug::number(v.as_object(), "number"));
    const std::string value = json::get_string(v.as_object(), "value");
    if (place < known.size() && known[place].is_string() && !known[place].as_string().empty() &&
        value.starts_with("0x"))
      registers[std::string(known[place].as_string())] = debug::hex_number(value);
  }
  return registers;
}

std::vector<DebugInstruction> DebugSession::State::disassemble(const std::string& where) {
  // Mode 5: lines in the order of the code, with the instructions' bytes.
  const auto answer = command("-data-disassemble " + where + " -- 5");
  std::vector<DebugInstruction> code;
  for (const auto& line : list(answer.results, "asm_insns"))
    if (line.is_object()) debug::add_instructions(line.as_object(), sources, code);
  std::stable_sort(code.begin(), code.end(), [](const DebugInstruction& a, const DebugInstruction& b) {
    return a.address < b.address;
  });
  return code;
}

std::vector<DebugInstruction> DebugSession::disassemble(const Location& location) {
  State& s = *state_;
  s.open("disassemble " + location);
  const Halted halted(s);
  const std::string expression = location.empty()                      ? "$pc"
                                 : location.starts_with('*')           ? location.substr(1)
                                 : location.find(':') == location.npos ? location
                                                                       : "";
  std::uint64_t address = 0;
  if (expression.empty()) {
    // "Line 1290 of "fs/open.c" starts at address 0xffffffff81234567 <do_sys_openat2+4> and ends at ..."
    const std::string said = s.gdb->console("info line " + location, soon());
    const std::size_t at = said.find("address 0x");
    if (at == std::string::npos)
      throw DebugError({.attempted = "disassemble " + location, .reason = said, .hint = "", .log = {}});
    address = debug::hex_number(said.substr(at + 8));
  } else {
    const auto value =
        s.command("-data-evaluate-expression " + debug::mi_quote("(unsigned long) (" + expression + ")"));
    address = std::stoull(json::get_string(value.results, "value", "0"), nullptr, 10);
  }
  return s.disassemble(fmt::format("-a {:#x}", address));
}

std::vector<DebugInstruction> DebugSession::disassemble(std::uint64_t begin, std::uint64_t end) {
  State& s = *state_;
  s.open("disassemble");
  const Halted halted(s);
  return s.disassemble(fmt::format("-s {:#x} -e {:#x}", begin, end));
}

std::string DebugSession::source(const Location& location, int lines) {
  State& s = *state_;
  s.open("list source");
  const Halted halted(s);
  s.command(fmt::format("-gdb-set listsize {}", std::max(lines, 1)));
  return s.gdb->console("list " + location, soon());
}

}  // namespace kdev
