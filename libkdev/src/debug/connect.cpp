// A debug session's beginning and end, and the kernel's and modules' symbols.
#include <algorithm>

#include "debug/kernel_place.hpp"
#include "debug/modules_script.hpp"
#include "debug/session_state.hpp"
#include "debug/types_script.hpp"

namespace kdev {
namespace {

constexpr Seconds close_limit{10};
constexpr const char* script_name = "kdev-gdb.py";
// How far behind its likely begin an unknown kernel's notes are looked for: only to say which it is.
constexpr std::size_t look_for_other{64u << 20};
constexpr Seconds look_for_other_limit{5};
// A CPU in a program's code may have nothing of the kernel mapped: it will be in the kernel some time.
constexpr int other_moments = 20;
constexpr Seconds look_again{0.01};
constexpr int every_look = 50;
// Programs and loaders run below.
constexpr std::uint64_t lowest_kernel_address = std::uint64_t{1} << 63;

std::string word(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
  return quoted + '"';
}

}  // namespace

void DebugSession::State::connect(const Deadline& deadline) {
  gdb = std::make_unique<debug::Gdb>(target->options);
  for (const char* setting :
       {"confirm off", "pagination off", "width 0", "height 0", "remotetimeout 10", "print symbol on",
        "breakpoint pending off", "tcp auto-retry off", "mi-async on", "language c"})
    command(std::string("-gdb-set ") + setting, deadline);
  const auto features = command("-list-features", deadline);
  if (const auto* list = features.results.if_contains("features"); list && list->is_array())
    for (const auto& feature : list->as_array())
      python = python || (feature.is_string() && feature.as_string() == "python");
  if (!python)
    notes.push_back("this gdb has no Python: modules' symbols are not loaded, and backtraces end at traps");
  if (target->is_core())
    open_core(deadline);
  else
    open_stub(deadline);
}

void DebugSession::State::open_core(const Deadline& deadline) {
  for (const std::string& line : target->core) gdb->console(line, deadline);
  symbols = true;
  slide = target->core_slide;
  load_script(deadline);
  gdb->drop_stops();
  stand(deadline);
}

void DebugSession::State::open_stub(const Deadline& deadline) {
  const debug::Target& t = *target;
  if (t.gdb)
    for (const std::string& line : t.gdb->setup()) gdb->console(line, deadline);
  if (t.baud > 0) command(fmt::format("-gdb-set serial baud {}", t.baud), deadline);
  command("-target-select remote " + t.stub, deadline);
  connected = true;
  take(gdb->wait_stop(deadline, "connect gdb to " + t.name));
  fresh = false;
  place_kernel(deadline);
  load_symbols(deadline);
  load_script(deadline);
  stand(deadline);
  if (t.booting)
    notes.push_back(
        "the kernel boots: breakpoints are the hardware's, of which there are four; modules are not "
        "followed");
  if (!python || !t.gdb || !symbols || t.booting) return;
  if (!early) sync_modules(deadline);
  // There is no code yet that a breakpoint could be written into.
  gdb->console(early ? "kdev-follow hardware" : "kdev-follow", deadline);
  following = true;
}

/// Whether the kernel is in memory by now, and symbols are where it is.
bool DebugSession::State::see_kernel(const Deadline& deadline) {
  if (!identity || !target->gdb) return true;
  const debug::BuildIdPlace& place = *identity;
  const auto found = debug::find_slide(
      place, target->may_move ? target->gdb->slides() : std::vector<std::uint64_t>{0},
      [&](std::uint64_t address, std::size_t size) { return read(address, size, deadline); });
  if (!found) return false;
  early = false;
  if (*found != slide) {
    // The new ones first: a breakpoint whose place goes is disabled.
    const std::uint64_t before = std::exchange(slide, *found);
    load_symbols(deadline);
    gdb->console(fmt::format("remove-symbol-file -a {:#x}", place.first + before), deadline);
  }
  return true;
}

/// A kernel that finds a place for itself does so before anything in it can be stopped at: it is looked for
/// in between.
json::object DebugSession::State::await_early(const Deadline& deadline, const std::string& what) {
  int looks = 0;
  while (early && target->may_move) {
    try {
      return gdb->wait_stop(deadline.within(look_again), what);
    } catch (const TimeoutError&) {
      deadline.check(what);
    }
    gdb->command("-exec-interrupt", deadline);
    json::object there = gdb->wait_stop(deadline, what);
    // All places are looked at only when it runs where a kernel would, or has had time to get there.
    if (debug::stop_from(there, sources).frame.address >= lowest_kernel_address || ++looks % every_look == 0)
      see_kernel(deadline);
    if (json::get_string(there, "reason") != "signal-received") return there;
    gdb->command("-exec-continue", deadline);
  }
  json::object there = gdb->wait_stop(deadline, what);
  if (early) see_kernel(deadline);
  return there;
}

std::string DebugSession::State::read(std::uint64_t address, std::size_t size, const Deadline& deadline) {
  try {
    return debug::bytes_from(
        gdb->command(fmt::format("-data-read-memory-bytes {:#x} {}", address, size), deadline).results);
  } catch (const DebugError&) {
    return {};  // nothing is mapped there
  }
}

void DebugSession::State::place_kernel(const Deadline& deadline) {
  const debug::Target& t = *target;
  if (t.symbols.empty()) return;
  identity = debug::find_build_id(t.symbols);
  if (t.fresh_machine) {
    early = true;
    return;
  }
  const auto& place = identity;
  if (!place) {
    notes.push_back(t.symbols.string() + " has no build id: whether it is the kernel that runs is not known");
    return;
  }
  const auto reader = [&](std::uint64_t address, std::size_t size) { return read(address, size, deadline); };
  const std::vector<std::uint64_t> slides = t.gdb ? t.gdb->slides() : std::vector<std::uint64_t>{0};
  for (int moment = 0; moment <= other_moments; ++moment) {
    if (const auto found = debug::find_slide(*place, slides, reader)) {
      slide = *found;
      return;
    }
    std::string other;
    try {
      const auto until = deadline.within(look_for_other_limit);
      other = debug::other_build_id(
          *place, slides, [&](std::uint64_t address, std::size_t size) { return read(address, size, until); },
          look_for_other);
    } catch (const TimeoutError&) {
      deadline.check("look for the kernel of " + t.name);
    }
    if (!other.empty())
      throw DebugError({.attempted = "debug " + t.name,
                        .reason = fmt::format("another kernel runs there: build id {}, that of {} is {}",
                                              other, t.symbols.string(), place->id),
                        .hint = "name the file that the running kernel was made with",
                        .log = {}});
    if (t.slide)
      if (const auto told = t.slide()) {
        slide = *told;
        return;
      }
    if (moment == other_moments) break;
    run("-exec-continue");
    halt(deadline);
  }
  throw DebugError({.attempted = "debug " + t.name,
                    .reason = fmt::format("the kernel {} (build id {}) is not in its memory",
                                          t.symbols.string(), place->id),
                    .hint = "is it the file that the running kernel was made with?",
                    .log = {}});
}

void DebugSession::State::load_symbols(const Deadline& deadline) {
  if (target->symbols.empty()) return;
  gdb->console(symbols_command(), deadline);
  symbols = true;
}

std::string DebugSession::State::symbols_command() const {
  const debug::Target& t = *target;
  const std::string file = word(t.symbols.string());
  if (slide == 0 && !t.may_move) return "file " + file;
  std::string fixed;
  for (const auto& [name, address] : t.gdb->fixed_sections())
    fixed += fmt::format(" -s {} {:#x}", name, address);
  return fmt::format("add-symbol-file {} -o {:#x}{}", file, slide, fixed);
}

void DebugSession::State::load_script(const Deadline& deadline) {
  if (!target->gdb || !python || !symbols) return;
  json::object files;
  for (const Path& module : target->modules) {
    const Path with_symbols = target->names ? target->names->symbol_file(module) : module;
    files.insert_or_assign(target->gdb->listed_name(module), with_symbols.string());
  }
  const Path& folder = target->options.cwd;
  local_host()->write_file(folder / "kdev-modules.json", json::dump(files));
  local_host()->write_file(folder / script_name, std::string(debug::types_script()) +
                                                     std::string(debug::modules_script()) +
                                                     std::string(target->gdb->script()));
  gdb->console(fmt::format("source ./{}", script_name), deadline);
  gdb->console("python KdevModules.tell = True", deadline);
  scripts = true;
}

/// Where it was before there were symbols, said with them.
void DebugSession::State::stand(const Deadline& deadline) {
  if (!stop) stop.emplace();
  const auto answer = command("-stack-info-frame", deadline);
  if (const auto* frame = answer.results.if_contains("frame"); frame && frame->is_object())
    stop->frame = debug::frame_from(frame->as_object(), sources);
}

std::vector<std::string> DebugSession::State::sync_modules(const Deadline& deadline) {
  std::vector<std::string> added;
  const std::string said = gdb->console("kdev-modules", deadline);
  for (std::string_view rest = said; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.starts_with("loaded ")) added.emplace_back(line.substr(7));
  }
  return added;
}

void DebugSession::State::leave() noexcept {
  const bool ran = !stop;
  try {
    const Deadline deadline = Deadline::after(close_limit);
    // A running kernel without breakpoints does not notice that gdb goes.
    if (!stop && breakpoints.empty() && !following && target->interrupt) return;
    // Nobody will ask whose thread it was; over a serial line that takes a second.
    if (!stop) halt(deadline, false);
    gdb->command("-break-delete", deadline);
    breakpoints.clear();
    abandoned = target->crashed && target->crashed();
    gdb->command(abandoned ? "-target-disconnect" : "-target-detach", deadline);
  } catch (const std::exception&) {
    // gdb or the stub answers no more: the kernel is to be left by other means.
    abandoned = true;
    left_running = ran;
  }
}

void DebugSession::State::end_gdb() noexcept {
  if (gdb) {
    if (connected) leave();
    gdb->end();
    gdb.reset();
  }
  connected = false;
  stop.reset();
}

GdbCommand DebugSession::State::hand_over() {
  open("hand " + target->name + " over to another gdb");
  const debug::Target& t = *target;
  std::vector<std::string> lines{"set confirm off", "set pagination off", "set print symbol on"};
  const auto add = [&](const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  if (!t.source.empty()) lines.push_back("directory " + t.source.string());
  if (t.is_core()) {
    add(t.core);
    if (python && t.gdb) lines.push_back(fmt::format("source ./{}", script_name));
  } else {
    if (t.gdb) add(t.gdb->setup());
    if (t.baud > 0) lines.push_back(fmt::format("set serial baud {}", t.baud));
    if (symbols) lines.push_back(symbols_command());
    if (python && t.gdb && symbols) lines.push_back(fmt::format("source ./{}", script_name));
    lines.push_back("target remote " + t.stub);
    if (following) add({"kdev-modules", "kdev-follow"});
  }
  const Path folder = t.options.cwd;
  std::string text = fmt::format("cd {}\n", folder.string());
  for (const std::string& line : lines) text += line + "\n";
  local_host()->write_file(folder / "kdev.gdb", text);
  end_gdb();
  return {.argv = {debug::gdb_program(), "-nx", "-q", "-x", (folder / "kdev.gdb").string()},
          .script = folder / "kdev.gdb",
          .symbols = t.symbols};
}

void DebugSession::State::end() noexcept {
  if (!target) return;
  // A stub that no gdb has come to waits as well.
  if (!connected) abandoned = true;
  end_gdb();
  const auto done = std::move(target);
  try {
    if (abandoned && done->abandoned) done->abandoned(left_running);
  } catch (const std::exception&) {
    // It stays in its stub.
  }
  if (done->closed) done->closed();
}

}  // namespace kdev
