#include "guest/ddb_report.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>

#include "guest/ddb_frame.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  return {s.data(), s.size()};
}
std::string text_of(StringPiece s) {
  return {s.data(), s.size()};
}

int to_int(StringPiece s) {
  int v = -1;
  std::from_chars(s.data(), s.data() + s.size(), v);
  return v;
}

struct Patterns {
  RE2 known, end, reboot;
  RE2 prompt{R"(^(?:ddb(?:\{\d+\})?|db(?:\{\d+\})?)>\s?(.*)$)"};
  // db_trap() in the machines' db_interface.c and db_print_loc_and_inst(); OpenBSD, then NetBSD.
  RE2 stopped{R"(^\S{0,2}Stopped (?:at|in pid (\d+)\.\d+ \((.{0,32}?)\) at)\s+(\S+):)"};
  // db_show_all_procs' line of the thread that runs: "*TID PID UID PRFLAGS PFLAGS CPU COMMAND".
  RE2 thread{R"(^\*\s*\d+\s+(\d+)\s+-?\d+\s+\S+\s+\S+\s+(\d+)K?\s+(\S.*)$)"};
  RE2 lwp{R"(^curlwp 0x[0-9a-f]+ pid (\d+)\.\d+ )"};
  RE2 cpu{R"(^(?:cpu(\d+): Begin traceback|\*?cpu(\d+): ))"};
  RE2 order{R"(^lock order .{1,300} (?:first seen )?at:$)"};
  explicit Patterns(const DdbWords& words)
      : known(piece(words.known)), end(piece(words.end)), reboot(piece(words.reboot)) {}
};

const Patterns& patterns(const DdbWords& words) {
  static std::mutex mutex;
  static auto* all = new std::map<const DdbWords*, std::unique_ptr<Patterns>>;
  const std::lock_guard lock(mutex);
  auto& one = (*all)[&words];
  if (!one) one = std::make_unique<Patterns>(words);
  return *one;
}

class Reader final : public ReportReader {
 public:
  explicit Reader(const DdbWords& words) : re_(patterns(words)) {}
  Seen read(std::string_view text) override;
  void finish(CrashReport& report) override;
  bool framed() const override { return frames_ > 0; }
  const StackFrame* pc() const override { return stopped_ ? &*stopped_ : nullptr; }

 private:
  bool read_who(std::string_view text);

  static constexpr std::size_t max_frames = 4096;
  const Patterns& re_;
  CrashReport found_;
  std::optional<StackFrame> stopped_;
  std::size_t frames_ = 0;
  bool in_trace_ = false, first_ = true;
};

ReportReader::Seen Reader::read(std::string_view text) {
  text = text.substr(0, 4096);
  if (!first_ && RE2::PartialMatch(piece(text), re_.reboot)) return Seen::reboot;
  first_ = false;
  StringPiece rest;
  if (RE2::PartialMatch(piece(text), re_.prompt, &rest)) {
    in_trace_ = false;
    return Seen::part;
  }
  if (auto frame = parse_ddb_frame(text)) {
    if (!in_trace_) {
      // Whoever asks for a trace gets the first one again.
      found_.traces.push_back({.name = "Stack", .context = {}, .frames = {}});
      in_trace_ = true;
    }
    if (++frames_ <= max_frames) found_.traces.back().frames.push_back(std::move(*frame));
    return Seen::part;
  }
  if (RE2::PartialMatch(piece(text), re_.order)) {
    found_.traces.push_back(
        {.name = std::string(text.substr(0, text.size() - 1)), .context = {}, .frames = {}});
    in_trace_ = true;
    return Seen::part;
  }
  if (RE2::PartialMatch(piece(text), re_.end)) {
    in_trace_ = false;
    return Seen::end;
  }
  const bool who = read_who(text);
  return who || RE2::PartialMatch(piece(text), re_.known) ? Seen::part : Seen::nothing;
}

bool Reader::read_who(std::string_view text) {
  StringPiece pid, comm, cpu, other, where;
  if (RE2::PartialMatch(piece(text), re_.stopped, &pid, &comm, &where)) {
    if (!stopped_) stopped_ = parse_ddb_symbol({where.data(), where.size()});
    if (!pid.empty() && found_.pid < 0) {
      found_.pid = to_int(pid);
      found_.process = text_of(comm);
    }
    in_trace_ = false;
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.thread, &pid, &cpu, &comm)) {
    if (found_.pid < 0) {
      found_.pid = to_int(pid);
      found_.process = text_of(comm);
      found_.cpu = to_int(cpu);
    }
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.lwp, &pid)) {
    if (found_.pid < 0) found_.pid = to_int(pid);
    return true;
  }
  if (RE2::PartialMatch(piece(text), re_.cpu, &cpu, &other)) {
    if (found_.cpu < 0) found_.cpu = to_int(cpu.empty() ? other : cpu);
    in_trace_ = false;
    return true;
  }
  return false;
}

void Reader::finish(CrashReport& report) {
  std::erase_if(found_.traces, [](const StackTrace& t) { return t.frames.empty(); });
  report.process = std::move(found_.process);
  report.pid = found_.pid;
  report.cpu = found_.cpu;
  report.traces = std::move(found_.traces);
}

}  // namespace

std::unique_ptr<ReportReader> ddb_report_reader(const DdbWords& words) {
  return std::make_unique<Reader>(words);
}

}  // namespace kdev::guest
