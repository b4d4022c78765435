#include "crash/annotate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace kdev::crash {
namespace {

// Nobody prints longer ones; what is behind is passed on.
constexpr std::size_t longest_line = 4096;

std::string place(const StackFrame& frame) {
  return fmt::format("{}:{}", frame.file, frame.line);
}

class Annotator {
 public:
  Annotator(const guest::SymbolRules& rules, bool source_text, const FindFrames& find)
      : rules_(rules), source_text_(source_text), find_(find) {}

  void add(std::string_view line, std::string_view end_of_line) {
    const auto symbols = rules_.symbols_on(line.substr(0, longest_line));
    std::size_t done = 0;
    for (const auto& symbol : symbols) {
      const auto& frames = at(symbol);
      if (frames.empty() || frames.back().line <= 0) continue;
      if (symbol.own_line && symbols.size() == 1)
        add_inlined(line.substr(0, symbol.begin), frames, end_of_line);
      out_ += line.substr(done, symbol.end - done);
      done = symbol.end;
      if (symbol.own_line || frames.size() == 1)
        out_ += " " + place(frames.back());
      else
        add_chain(frames);
      if (symbol.own_line)
        add_source(frames.back());
      else if (symbol.is_pc)
        add_source(frames.front());
    }
    out_ += line.substr(done);
    out_ += end_of_line;
  }

  std::string take() { return std::move(out_); }

 private:
  const std::vector<StackFrame>& at(const guest::PrintedSymbol& symbol) {
    const auto& f = symbol.frame;
    // A trace may begin with the program counter that the registers' dump has.
    if (symbol.is_pc) pc_ = {f.function, f.offset};
    const bool exact = symbol.is_pc || pc_ == std::pair(f.function, f.offset);
    auto [it, fresh] = known_.try_emplace({f.module, f.function, f.offset, f.size, exact});
    if (fresh) it->second = find_(f, !exact);
    return it->second;
  }

  void add_inlined(std::string_view front, const std::vector<StackFrame>& frames,
                   std::string_view end_of_line) {
    std::string before(front);
    std::replace(before.begin(), before.end(), '?', ' ');
    for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
      out_ += fmt::format("{}{} {} [inline]", before, frames[i].function, place(frames[i]));
      add_source(frames[i]);
      out_ += end_of_line.empty() ? "\n" : end_of_line;
    }
  }

  /// A sentence stays one, and the registers' dump names the function that the trace does.
  void add_chain(const std::vector<StackFrame>& frames) {
    out_ += " (";
    for (std::size_t i = 0; i < frames.size(); ++i)
      out_ += fmt::format("{}{} {}", i ? ", inlined in " : "", frames[i].function, place(frames[i]));
    out_ += ")";
  }

  void add_source(const StackFrame& frame) {
    if (source_text_ && !frame.source.empty()) out_ += "  | " + frame.source;
  }

  const guest::SymbolRules& rules_;
  bool source_text_;
  const FindFrames& find_;
  std::string out_;
  std::pair<std::string, std::uint64_t> pc_;
  // A log says the same functions again and again.
  std::map<std::tuple<std::string, std::string, std::uint64_t, std::uint64_t, bool>, std::vector<StackFrame>>
      known_;
};

}  // namespace

std::string annotate(std::string_view text, const guest::SymbolRules& rules, bool source_text,
                     const FindFrames& find) {
  Annotator annotator(rules, source_text, find);
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    auto rest = text.substr(line.size(), end == std::string_view::npos ? 0 : 1);
    text.remove_prefix(line.size() + rest.size());
    // The carriage returns of a serial line belong to its end.
    const auto last = line.find_last_not_of('\r');
    const std::size_t kept = last == std::string_view::npos ? 0 : last + 1;
    annotator.add(line.substr(0, kept), {line.data() + kept, line.size() - kept + rest.size()});
  }
  return annotator.take();
}

}  // namespace kdev::crash
