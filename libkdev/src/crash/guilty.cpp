#include "crash/guilty.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>

#include "crash/demangle.hpp"

namespace kdev::crash {
namespace {

using re2::RE2;
using re2::StringPiece;
using Names = std::vector<std::string_view>;

StringPiece piece(std::string_view s) {
  return {s.data(), s.size()};
}

std::unique_ptr<RE2> whole_name(const std::vector<std::string_view>& alternatives) {
  if (alternatives.empty()) return nullptr;
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_max_mem(32 << 20);
  auto re = std::make_unique<RE2>(fmt::format("^(?:{})$", fmt::join(alternatives, "|")), options);
  if (!re->ok()) throw std::logic_error("crash table: " + re->error());
  return re;
}

bool fits(const RE2* re, std::string_view name) {
  return re && RE2::PartialMatch(piece(name), *re);
}

/// The names of a trace's frames; those of entries marked '?' only when asked for.
Names frames_of(const StackTrace& trace, bool unreliable = false) {
  Names names;
  for (const auto& frame : trace.frames) {
    if (frame.function.empty() || frame.function.starts_with("0x")) continue;
    // What a symbolizing program added: titles must be the same without it.
    if (frame.inlined) continue;
    if (frame.reliable || unreliable) names.push_back(frame.function);
  }
  return names;
}

}  // namespace

struct GuiltyFinder::State {
  std::unique_ptr<RE2> helpers, dispatchers, watchers, timers, interrupts, waiters, idle, mixed;
  struct Rename {
    std::unique_ptr<RE2> pattern;
    std::string to;
    bool keep;
  };
  std::vector<Rename> renames;

  bool helper(std::string_view name, const RE2* skip) const {
    const std::string plain = renamed(std::string(name), false);
    return fits(helpers.get(), plain) || fits(skip, plain);
  }

  /// With `all` false only the renames that keep no alternative: compiler suffixes.
  std::string renamed(std::string name, bool all) const {
    for (const auto& r : renames)
      if (all || !r.keep) RE2::Replace(&name, *r.pattern, r.to);
    if (name.starts_with("_Z") || name.starts_with("_R")) return demangled(name);
    return name;
  }

  /// The first trace of code that runs.
  const StackTrace* running(const std::vector<StackTrace>& traces) const {
    for (const auto& trace : traces) {
      const auto end = trace.frames.begin() + std::min<std::size_t>(trace.frames.size(), 8);
      const bool sleeps = std::any_of(trace.frames.begin(), end, [&](const StackFrame& f) {
        return f.reliable && fits(idle.get(), f.function);
      });
      if (!trace.frames.empty() && !sleeps) return &trace;
    }
    return nullptr;
  }

  /// What the first timer interrupt that the trace shows came into: ticks find it in what takes long.
  Names below_timer(const StackTrace& trace) const {
    const Names names = frames_of(trace);
    const auto timer =
        std::find_if(names.begin(), names.end(), [&](auto n) { return fits(timers.get(), n); });
    if (timer == names.end()) return names;
    auto entry = std::find_if(timer, names.end(), [&](auto n) { return fits(interrupts.get(), n); });
    while (entry != names.end() && fits(interrupts.get(), *entry)) ++entry;
    return {entry, names.end()};
  }

  /// What ran when a watchdog's interrupt looked.
  Names interrupted(const StackTrace& trace) const {
    const Names names = frames_of(trace);
    auto after = names.begin();
    for (auto it = names.begin(); it != names.end(); ++it)
      if (fits(watchers.get(), *it)) after = it + 1;
    if (after == names.begin()) return names;
    auto entry = std::find_if(after, names.end(), [&](auto n) { return fits(interrupts.get(), n); });
    if (entry == names.end()) return {after, names.end()};
    while (entry != names.end() && fits(interrupts.get(), *entry)) ++entry;
    return {entry, names.end()};
  }

  /// The function that the innermost dispatching code called.
  Names entry(const Names& names, const RE2* skip) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!fits(dispatchers.get(), renamed(std::string(names[i]), false))) continue;
      for (std::size_t k = i; k-- > 0;)
        if (!helper(names[k], skip)) return {names[k]};
    }
    return names;
  }

  Names stalled(const Names& names, const RE2* skip) const {
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 3); ++i)
      if (fits(waiters.get(), names[i])) return {names[i]};
    return entry(names, skip);
  }
};

GuiltyFinder::GuiltyFinder(const guest::FunctionRules& rules) : state_(new State) {
  state_->helpers = whole_name(rules.helpers);
  state_->dispatchers = whole_name(rules.dispatchers);
  state_->watchers = whole_name(rules.watchers);
  state_->timers = whole_name(rules.timers);
  state_->waiters = whole_name(rules.waiters);
  state_->interrupts = whole_name(rules.interrupts);
  state_->idle = whole_name(rules.idle);
  state_->mixed = whole_name(rules.mixed);
  for (const auto& r : rules.renames)
    state_->renames.push_back({whole_name({r.pattern}), std::string(r.to), r.keep_alternative});
}

GuiltyFinder::~GuiltyFinder() = default;

namespace {

/// The function that calls itself, when the trace shows it do so again and again.
Names recursion(const StackTrace& trace) {
  const Names names = frames_of(trace, true);
  std::size_t run = 1;
  for (std::size_t i = 1; i < names.size(); ++i) {
    run = names[i] == names[i - 1] ? run + 1 : 1;
    if (run >= 4) return {names[i]};
  }
  return {};
}

}  // namespace

bool GuiltyFinder::mixed(const std::vector<StackTrace>& traces) const {
  return std::any_of(traces.begin(), traces.end(), [&](const StackTrace& t) {
    return std::any_of(t.frames.begin(), t.frames.end(), [&](const StackFrame& f) {
      return f.reliable && fits(state_->mixed.get(), f.function);
    });
  });
}

Guilty GuiltyFinder::find(const std::vector<std::string_view>& words,
                          const std::vector<std::string_view>& captures,
                          const std::vector<StackTrace>& traces, const StackFrame* pc,
                          const RE2* skip) const {
  for (auto word : words) {
    const bool raw = word.ends_with(":raw");
    if (raw) word.remove_suffix(4);
    Names names;
    if (word.size() == 1) {
      const std::size_t i = word[0] - '0';
      if (i < captures.size() && !captures[i].empty()) names = {captures[i]};
    } else if (word == "pc") {
      if (pc && !pc->function.empty()) names = {pc->function};
    } else if (word == "traces") {
      for (const auto& trace : traces)
        for (const auto name : frames_of(trace)) names.push_back(name);
    } else if (word.starts_with("trace:")) {
      const RE2 wanted{piece(word.substr(6))};
      for (const auto& trace : traces)
        if (names.empty() && RE2::PartialMatch(trace.name, wanted)) names = frames_of(trace);
    } else if (word == "stalled" || word == "leaf") {
      const auto* trace = state_->running(traces);
      if (trace && word == "leaf") names = state_->interrupted(*trace);
      if (trace && word == "stalled") {
        names = state_->below_timer(*trace);
        // The trace begins with the caller of what ran.
        if (pc && trace == &traces[0] && names.size() == frames_of(*trace).size())
          names.insert(names.begin(), pc->function);
        names = state_->stalled(names, skip);
      }
    } else if (word == "entry") {
      if (!traces.empty()) names = state_->entry(frames_of(traces[0]), skip);
    } else if (!traces.empty()) {
      names = word == "recursion" ? recursion(traces[0]) : frames_of(traces[0], word == "any");
    }
    for (const auto name : names)
      if (raw || !state_->helper(name, skip))
        return {std::string(name), state_->renamed(std::string(name), false),
                state_->renamed(std::string(name), true)};
  }
  return {};
}

}  // namespace kdev::crash
