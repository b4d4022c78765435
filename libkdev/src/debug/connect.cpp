// A debug session's beginning and end, and the kernel's and modules' symbols.
#include <algorithm>

#include "debug/kernel_place.hpp"
#include "debug/modules_script.hpp"
#include "debug/session_state.hpp"

namespace kdev {
namespace {

constexpr Seconds close_limit{10};
// How far behind its likely begin an unknown kernel's notes are looked for: only to say which it is.
constexpr std::size_t look_for_other{64u << 20};
constexpr Seconds look_for_other_limit{5};
// A CPU in a program's code may have nothing of the kernel mapped: it will be in the kernel some time.
constexpr int other_moments = 20;

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
        "breakpoint pending off", "tcp auto-retry off", "mi-async on"})
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
  if (!python || !t.gdb || !symbols) return;
  sync_modules(deadline);
  gdb->console("kdev-follow", deadline);
  following = true;
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
  if (t.symbols.empty() || t.fresh_machine) return;
  const auto place = debug::find_build_id(t.symbols);
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
  const debug::Target& t = *target;
  if (t.symbols.empty()) return;
  if (slide == 0) {
    command("-file-exec-and-symbols " + debug::mi_quote(t.symbols.string()), deadline);
  } else {
    std::string fixed;
    for (const auto& [name, address] : t.gdb->fixed_sections())
      fixed += fmt::format(" -s {} {:#x}", name, address);
    gdb->console(fmt::format("add-symbol-file {} -o {:#x}{}", word(t.symbols.string()), slide, fixed),
                 deadline);
  }
  symbols = true;
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
  local_host()->write_file(folder / "kdev-gdb.py",
                           std::string(debug::modules_script()) + std::string(target->gdb->script()));
  gdb->console("source ./kdev-gdb.py", deadline);
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
    if (!stop) halt(deadline);
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

void DebugSession::State::end() noexcept {
  if (!target) return;
  if (gdb) {
    if (connected) leave();
    gdb->end();
    gdb.reset();
  }
  connected = false;
  stop.reset();
  const auto done = std::move(target);
  try {
    if (abandoned && done->abandoned) done->abandoned(left_running);
  } catch (const std::exception&) {
    // It stays in its stub.
  }
  if (done->closed) done->closed();
}

}  // namespace kdev
