#include "crash/scan.hpp"

#include <algorithm>

#include "common/json.hpp"
#include "crash/console_lines.hpp"
#include "crash/fault.hpp"

namespace kdev::crash {
namespace {

using guest::CrashFormat;
using guest::ReportReader;

constexpr int max_foreign = 8;             // beginnings of other callers' reports inside a report
constexpr int max_quiet = 120;             // records in a row that belong to no report
constexpr int max_quiet_after_end = 40;    // the same, after a line that ends most reports
constexpr int max_quiet_before_panic = 8;  // a panic that comes later than that is another story
constexpr int head_records = 60;           // how far into a report its title may lie
constexpr int look_back = 5;               // lines before the first one that may announce it
constexpr std::size_t max_dmesg = 16 << 10;
constexpr std::size_t max_text = 1 << 20;
constexpr std::size_t max_report = 2 << 20;  // from its first line to its last
// What is looked at behind a report's first line, and before a line that may be one.
constexpr std::size_t ahead = max_report + 2 * max_line;
constexpr std::size_t behind = (look_back + 1) * max_line + max_dmesg;

bool same_stream(std::string_view a, std::string_view b) {
  return a.empty() || b.empty() || a == b;
}

}  // namespace

/// Where the lines that announce the report at `line` begin: the last few before it, as far as they do.
std::size_t Scan::announcement(std::size_t line) const {
  std::size_t begin = line, found = line;
  for (int i = 0; i < look_back && begin > 0; ++i) {
    const std::size_t from = begin > max_line ? begin - max_line : 0;
    const auto newline = log_.substr(from, begin - from - 1).rfind('\n');
    if (newline == std::string_view::npos && from > 0) break;
    begin = newline == std::string_view::npos ? 0 : from + newline + 1;
    ConsoleLines one(rules_, log_, begin);
    one.advance();
    for (const auto& record : one.records())
      if (rules_.is_preamble(record.text)) found = begin;
  }
  return found;
}

void Scan::find_starts(bool last) {
  ConsoleLines lines(rules_, log_, searched_);
  while (lines.advance()) {
    if (!lines.whole() && !last) break;  // the rest of the line is still to come
    searched_ = lines.next();
    int index = -1;
    std::size_t begin = std::string_view::npos;
    for (const auto& record : lines.records()) {
      ++index;
      const int format = rules_.format_of(record);
      const auto* row = format < 0 ? nullptr : &rules_.formats()[format];
      const bool begins = uptime_.reportable(row, record);
      if (begins) {
        if (begin == std::string_view::npos) begin = announcement(lines.begin());
        starts_.push_back({lines.begin(), index, format, begin, std::string(record.caller)});
      }
      if (!row || starts_.empty()) continue;
      using Role = CrashFormat::Role;
      const bool panic = rules_.is_fatal(record.text);
      if (panic || row->role == Role::boot || row->role == Role::firmware || row->role == Role::farewell)
        turns_.push_back({lines.begin(), panic});
    }
  }
}

void Scan::run(std::string_view log, bool last, const Sink& sink) {
  log_ = log;
  find_starts(last);
  while (!starts_.empty() && (last || log.size() - starts_[0].line >= ahead)) {
    const bool more = starts_[0].used || sink(read(0));
    starts_.pop_front();
    if (!more) break;
  }
  if (starts_.empty()) turns_.clear();
}

std::size_t Scan::settled() const {
  const std::size_t needed = starts_.empty() ? searched_ : std::min(starts_[0].begin, searched_);
  return needed > behind ? needed - behind : 0;
}

void Scan::drop(std::size_t size) {
  const auto less = [size](std::size_t& at) { at = at > size ? at - size : 0; };
  for (Start& s : starts_) {
    s.line -= size;
    s.begin -= size;
  }
  for (Turn& turn : turns_) less(turn.line);
  less(searched_);
  less(last_end_);
  dropped_ += size;
}

std::string Scan::lines_before(const Start& start) const {
  std::string text;
  if (start.begin == start.line) return text;
  ConsoleLines lines(rules_, log_, start.begin);
  while (lines.advance() && lines.begin() < start.line)
    for (const auto& record : lines.records()) text.append(record.text.substr(0, 4096)).append("\n");
  return text;
}

/// The kernel that printed the report panicked, of that or of what came next.
bool Scan::panic_follows(const Start& start) {
  while (!turns_.empty() && turns_.front().line < start.line) turns_.pop_front();
  return !turns_.empty() && turns_.front().panic && turns_.front().line - start.line < max_report;
}

CrashReport Scan::read(std::size_t index) {
  const Start start = starts_[index];
  const bool all = format(start).all_callers;
  CrashReport report;
  report.os = system_;
  report.begin = std::max(start.begin, std::min(last_end_, start.line));
  const auto reader = rules_.reader();
  ConsoleLines lines(rules_, log_, start.line);
  std::string head;
  std::size_t end = start.line, next_start = index + 1;
  int records = 0, quiet = 0, foreign = 0;
  bool ended = false, done = false, ran_on = false;
  while (!done && lines.advance() && lines.begin() - start.line < max_report) {
    int at = -1;
    bool useful = false;
    for (const auto& record : lines.records()) {
      ++at;
      if (lines.begin() == start.line && at < start.record) continue;
      const bool ours = same_stream(start.caller, record.caller);
      while (next_start < starts_.size() &&
             (starts_[next_start].line < lines.begin() ||
              (starts_[next_start].line == lines.begin() && starts_[next_start].record < at)))
        ++next_start;
      const bool begins = next_start < starts_.size() && starts_[next_start].line == lines.begin() &&
                          starts_[next_start].record == at;
      // A program that says its last words does not interrupt the kernel.
      if (begins && format(starts_[next_start]).role == CrashFormat::Role::program) {
        starts_[next_start].used = true;
        continue;
      }
      if (begins) {
        auto& other = starts_[next_start];
        const bool follows = format(other).role == CrashFormat::Role::follow && !format(start).survives &&
                             !(ended && quiet > max_quiet_before_panic);
        if (!ours && !(all && follows)) {
          if (++foreign > max_foreign) done = true;
          continue;
        }
        // The same task's next report came between this one and its stack: that one's is still to be had,
        // once.
        const bool runs_on = !follows && !ran_on && !start.caller.empty() && start.caller == record.caller &&
                             format(start).needs_trace && !reader->framed();
        ran_on |= runs_on;
        if (!follows && !runs_on) {
          done = true;
          if (other.begin > start.line && other.begin < end)
            end = other.begin;  // its announcement looked like our end
          break;
        }
        other.used = follows;
        useful = true;
      }
      if (!ours && !all) continue;
      const auto seen = reader->read(record.text);
      if (seen == ReportReader::Seen::reboot) {
        done = true;
        break;
      }
      if (records == 0) report.message = std::string(record.text.substr(0, 1024));
      if (records++ < head_records) head.append(record.text.substr(0, 4096)).append("\n");
      if (seen != ReportReader::Seen::nothing) useful = true;
      if (seen == ReportReader::Seen::end) ended = true;
      if (seen == ReportReader::Seen::stop) done = true;
    }
    if (useful || lines.begin() == start.line) {
      if (!done || useful) end = std::max(end, lines.next());
      quiet = 0;
    } else if (++quiet > (ended ? max_quiet_after_end : max_quiet)) {
      done = true;
    }
  }
  reader->finish(report);
  report.panicked = panic_follows(start);
  report.end = std::max(end, report.begin);
  titles_.name(report, start.format, lines_before(start), head, reader->pc());
  if (const auto* pc = reader->pc()) {
    // The faulting instruction is the innermost frame; most traces begin with its caller.
    if (report.traces.empty()) report.traces.push_back({});
    auto& frames = report.traces[0].frames;
    const bool there = std::any_of(frames.begin(), frames.end(), [&](const StackFrame& f) {
      return f.function == pc->function && f.offset == pc->offset && f.reliable;
    });
    if (!there) frames.insert(frames.begin(), *pc);
  }
  finish(report);
  last_end_ = report.end;
  report.begin += dropped_;
  report.end += dropped_;
  return report;
}

/// Text around the report, and everything made valid UTF-8, so that the report survives JSON unchanged.
void Scan::finish(CrashReport& report) const {
  report.text = json::utf8(log_.substr(report.begin, std::min(report.end - report.begin, max_text)));
  std::size_t dmesg_from = std::min(last_end_, report.begin);
  if (report.begin - dmesg_from > max_dmesg) {
    dmesg_from = report.begin - max_dmesg;
    const auto newline = log_.find('\n', dmesg_from);
    if (newline < report.begin) dmesg_from = newline + 1;
  }
  report.dmesg = json::utf8(log_.substr(dmesg_from, report.begin - dmesg_from));
  for (auto* field :
       {&report.title, &report.message, &report.function, &report.process, &report.taint, &report.release})
    *field = json::utf8(*field);
  for (auto& title : report.alternative_titles) title = json::utf8(title);
  for (auto& [name, value] : report.registers) value = json::utf8(value);
  for (auto& trace : report.traces) {
    trace.name = json::utf8(trace.name);
    for (auto& frame : trace.frames)
      for (auto* field : {&frame.function, &frame.module, &frame.file}) *field = json::utf8(*field);
  }
  read_facts(report, rules_);
}

}  // namespace kdev::crash
