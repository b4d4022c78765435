// The public faces of Scan: a text, a file, pieces of a text that arrives.
#include <algorithm>
#include <fstream>
#include <kdev/error.hpp>

#include "crash/scan.hpp"
#include "guest/consoles.hpp"

namespace kdev {
namespace {

constexpr std::size_t max_reports = 10000;  // then it is the same again and again
constexpr std::size_t slice = 4 << 20;      // of a text at once: beginnings that wait to be read take memory
constexpr std::size_t file_piece = 1 << 20;

/// What cannot be told is taken for the first system's.
std::string system_of(std::string_view text, std::string_view system) {
  if (system.empty()) system = guest::detect_console(text);
  if (system.empty()) system = guest::console_systems()[0].name;
  return std::string(system);
}

}  // namespace

struct ConsoleScanner::State {
  explicit State(std::string_view name) : asked(name) {
    if (!name.empty()) guest::console_rules_for(name);  // a wrong name is said at once
  }
  void run(bool last, std::vector<CrashReport>& found) {
    if (!scan) {
      system = system_of(text, asked);
      scan.emplace(guest::console_rules_for(system), system);
    }
    scan->run(text, last, [&](CrashReport report) {
      found.push_back(std::move(report));
      return true;
    });
    const std::size_t size = scan->settled();
    text.erase(0, size);
    scan->drop(size);
    fresh = 0;
  }
  std::string asked, system, text;
  std::size_t fresh = 0;  ///< bytes that came since the last run
  std::optional<crash::Scan> scan;
};

ConsoleScanner::ConsoleScanner(std::string_view system) : state_(new State(system)) {}
ConsoleScanner::ConsoleScanner(ConsoleScanner&&) noexcept = default;
ConsoleScanner& ConsoleScanner::operator=(ConsoleScanner&&) noexcept = default;
ConsoleScanner::~ConsoleScanner() = default;

std::vector<CrashReport> ConsoleScanner::feed(std::string_view bytes) {
  std::vector<CrashReport> found;
  State& s = *state_;
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, file_piece - s.fresh);
    s.text += piece;
    s.fresh += piece.size();
    bytes.remove_prefix(piece.size());
    if (s.fresh == file_piece) s.run(false, found);
  }
  return found;
}

std::vector<CrashReport> ConsoleScanner::finish() {
  std::vector<CrashReport> found;
  state_->run(true, found);
  state_ = std::make_unique<State>(state_->asked);
  return found;
}

std::string ConsoleScanner::system() const {
  return state_->system;
}

std::vector<CrashReport> scan_console(std::string_view log, std::string_view system) {
  const std::string name = system_of(log, system);
  crash::Scan scan(guest::console_rules_for(name), name);
  std::vector<CrashReport> reports;
  const auto sink = [&](CrashReport report) {
    reports.push_back(std::move(report));
    return reports.size() < max_reports;
  };
  for (std::size_t end = std::min(slice, log.size());; end = std::min(end + slice, log.size())) {
    scan.run(log.substr(0, end), end == log.size(), sink);
    if (end == log.size() || reports.size() >= max_reports) return reports;
  }
}

std::vector<CrashReport> scan_console(std::string_view log, Os os) {
  return scan_console(log, to_string(os));
}

void scan_file(const Path& file, const std::function<bool(CrashReport)>& found, std::string_view system) {
  std::ifstream in(file.string(), std::ios::binary);
  if (!in)
    throw ConfigError({.attempted = "read the console log " + file.string(),
                       .reason = "it cannot be opened",
                       .hint = "",
                       .log = {}});
  ConsoleScanner scanner(system);
  std::string piece(file_piece, '\0');
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    for (CrashReport& report : scanner.feed({piece.data(), static_cast<std::size_t>(in.gcount())}))
      if (!found(std::move(report))) return;
  }
  if (in.bad())
    throw ConfigError({.attempted = "read the console log " + file.string(),
                       .reason = "reading failed",
                       .hint = "",
                       .log = {}});
  for (CrashReport& report : scanner.finish())
    if (!found(std::move(report))) return;
}

std::string detect_console(std::string_view log) {
  return std::string(guest::detect_console(log));
}

std::vector<std::string> console_systems() {
  std::vector<std::string> names;
  for (const auto& row : guest::console_systems()) names.emplace_back(row.name);
  return names;
}

}  // namespace kdev
