// A console log in, its crash reports out. Two passes: the first looks at each line once, for beginnings; the
// second reads each report. Both linear: a line is read for at most 1 + max_foreign reports.
#include <algorithm>

#include "common/json.hpp"
#include "crash/title.hpp"
#include "guest/console_rules.hpp"
#include "guest/guest.hpp"

namespace kdev {
namespace {

using guest::ConsoleRecord;
using guest::ConsoleRules;
using guest::CrashFormat;
using guest::ReportReader;

constexpr int max_foreign = 8;             // beginnings of other callers' reports inside a report
constexpr int max_quiet = 120;             // records in a row that belong to no report
constexpr int max_quiet_after_end = 40;    // the same, after a line that ends most reports
constexpr int max_quiet_before_panic = 8;  // a panic that comes later than that is another story
constexpr int head_records = 60;           // how far into a report its title may lie
constexpr int look_back = 5;               // lines before the first one that may announce it
constexpr std::size_t max_dmesg = 16 << 10;
constexpr std::size_t max_line = 64 << 10;  // what is longer is taken as several lines
constexpr std::size_t max_reports = 10000;  // then it is the same again and again
constexpr std::size_t max_text = 1 << 20;

struct Start {
  std::size_t line;  ///< offset of the line
  int record;        ///< index within the line
  int format;
  std::size_t begin;  ///< where the report's announcement begins; offset of a line
  std::string_view caller;
  bool used = false;  ///< part of an earlier report
};

/// Walks over the lines of a log, each split into its records.
class Lines {
 public:
  Lines(const ConsoleRules& rules, std::string_view log, std::size_t at)
      : rules_(rules), log_(log), next_(at) {}
  bool advance() {
    if (next_ >= log_.size()) return false;
    begin_ = next_;
    const auto window = log_.substr(begin_, max_line);
    const auto newline = window.find('\n');
    const auto end = begin_ + std::min(newline, window.size());
    next_ = newline == std::string_view::npos ? end : end + 1;
    records_.clear();
    scratch_.clear();
    rules_.split(log_.substr(begin_, end - begin_), records_, scratch_);
    return true;
  }
  std::size_t begin() const { return begin_; }
  std::size_t next() const { return next_; }  ///< where the next line begins
  const std::vector<ConsoleRecord>& records() const { return records_; }

 private:
  const ConsoleRules& rules_;
  std::string_view log_;
  std::size_t begin_ = 0, next_;
  std::vector<ConsoleRecord> records_;
  std::string scratch_;
};

/// Where the lines that announce the report at `line` begin: the last few before it, as far as they do.
std::size_t announcement(const ConsoleRules& rules, std::string_view log, std::size_t line) {
  std::size_t begin = line, found = line;
  for (int i = 0; i < look_back && begin > 0; ++i) {
    const std::size_t from = begin > max_line ? begin - max_line : 0;
    const auto newline = log.substr(from, begin - from - 1).rfind('\n');
    if (newline == std::string_view::npos && from > 0) break;
    begin = newline == std::string_view::npos ? 0 : from + newline + 1;
    Lines one(rules, log, begin);
    one.advance();
    for (const auto& record : one.records())
      if (rules.is_preamble(record.text)) found = begin;
  }
  return found;
}

std::vector<Start> find_starts(const ConsoleRules& rules, std::string_view log) {
  std::vector<Start> starts;
  Lines lines(rules, log, 0);
  while (lines.advance() && starts.size() < 16 * max_reports) {
    int index = -1;
    std::size_t begin = std::string_view::npos;
    for (const auto& record : lines.records()) {
      ++index;
      const int format = rules.format_of(record);
      if (format < 0) continue;
      std::string_view caller;  // the record's own view dies with the line when it was rewritten
      if (!record.caller.empty() && record.caller.data() >= log.data() &&
          record.caller.data() < log.data() + log.size())
        caller = record.caller;
      if (begin == std::string_view::npos) begin = announcement(rules, log, lines.begin());
      starts.push_back({lines.begin(), index, format, begin, caller});
    }
  }
  return starts;
}

class Scanner {
 public:
  Scanner(const ConsoleRules& rules, std::string_view log)
      : rules_(rules), titles_(crash::TitleTable::of(rules)), log_(log), starts_(find_starts(rules, log)) {}

  std::vector<CrashReport> run() {
    std::vector<CrashReport> reports;
    for (std::size_t i = 0; i < starts_.size() && reports.size() < max_reports; ++i)
      if (!starts_[i].used) reports.push_back(read(i));
    return reports;
  }

 private:
  const CrashFormat& format(const Start& s) const { return rules_.formats()[s.format]; }

  static bool same_stream(std::string_view a, std::string_view b) { return a.empty() || b.empty() || a == b; }

  CrashReport read(std::size_t index);
  std::string lines_before(const Start& start) const;
  void finish(CrashReport& report, std::size_t dmesg_from);

  const ConsoleRules& rules_;
  const crash::TitleTable& titles_;
  std::string_view log_;
  std::vector<Start> starts_;
  std::size_t last_end_ = 0;
};

std::string Scanner::lines_before(const Start& start) const {
  std::string text;
  if (start.begin == start.line) return text;
  Lines lines(rules_, log_, start.begin);
  while (lines.advance() && lines.begin() < start.line)
    for (const auto& record : lines.records()) text.append(record.text.substr(0, 4096)).append("\n");
  return text;
}

CrashReport Scanner::read(std::size_t index) {
  const Start start = starts_[index];
  const bool all = format(start).all_callers;
  CrashReport report;
  report.begin = std::max(start.begin, std::min(last_end_, start.line));
  const auto reader = rules_.reader();
  Lines lines(rules_, log_, start.line);
  std::string head;
  std::size_t end = start.line, next_start = index + 1;
  int records = 0, quiet = 0, foreign = 0;
  bool ended = false, done = false;
  while (!done && lines.advance()) {
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
      if (begins) {
        auto& other = starts_[next_start];
        const bool follows = format(other).role == CrashFormat::Role::follow && !format(start).survives &&
                             !(ended && quiet > max_quiet_before_panic);
        if (!ours && !(all && follows)) {
          if (++foreign > max_foreign) done = true;
          continue;
        }
        if (!follows) {
          done = true;
          if (other.begin > start.line && other.begin < end)
            end = other.begin;  // its announcement looked like our end
          break;
        }
        other.used = true;
        useful = true;
        if (rules_.is_fatal(record.text)) report.panicked = true;
      } else if (records == 0 && rules_.is_fatal(record.text)) {
        report.panicked = true;
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
  finish(report, last_end_);
  last_end_ = report.end;
  return report;
}

/// Text around the report, and everything made valid UTF-8, so that the report survives JSON unchanged.
void Scanner::finish(CrashReport& report, std::size_t dmesg_from) {
  report.text = json::utf8(log_.substr(report.begin, std::min(report.end - report.begin, max_text)));
  dmesg_from = std::min(dmesg_from, report.begin);
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
}

}  // namespace

std::vector<CrashReport> scan_console(std::string_view log, Os os) {
  const auto* rules = guest::guest_for(os).console();
  if (!rules) return {};
  return Scanner(*rules, log).run();
}

}  // namespace kdev
