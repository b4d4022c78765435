// Crashes that were seen, in an SQLite database.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <ctime>
#include <kdev/error.hpp>
#include <kdev/triage.hpp>
#include <mutex>
#include <set>

#include "common/digest.hpp"
#include "common/json.hpp"

namespace kdev {
namespace {

constexpr int application_id = 0x6b646576;  // "kdev"
constexpr int schema_version = 1;
constexpr int patience_ms = 10000;  // while another process writes
constexpr std::size_t compared_frames = 12;
constexpr double least_score = 0.3;

constexpr const char* schema = R"(
CREATE TABLE crash(key TEXT PRIMARY KEY, os TEXT, title TEXT, type TEXT, function TEXT, first_seen INTEGER,
  last_seen INTEGER, count INTEGER, first_release TEXT, last_release TEXT, titles TEXT, stack TEXT, report TEXT);
)";
constexpr const char* columns =
    "key, os, title, type, function, first_seen, last_seen, count, first_release, last_release";

class Database {
 public:
  Database(const Path& file) : file_(file) {
    if (sqlite3_open_v2(file.c_str(), &handle_,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                        nullptr) != SQLITE_OK)
      try {
        fail("open");
      } catch (...) {
        sqlite3_close(handle_);
        throw;
      }
    sqlite3_busy_timeout(handle_, patience_ms);
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[noreturn]] void fail(const char* what) const {
    const int code = handle_ ? sqlite3_errcode(handle_) & 0xff : SQLITE_NOMEM;
    const ErrorInfo info{.attempted = fmt::format("{} the crash history {}", what, file_.string()),
                         .reason = handle_ ? sqlite3_errmsg(handle_) : "out of memory",
                         .hint = {},
                         .log = file_};
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) throw FormatError(info);
    throw HostError(info);
  }
  void run(const char* statements) const {
    if (sqlite3_exec(handle_, statements, nullptr, nullptr, nullptr) != SQLITE_OK) fail("change");
  }
  sqlite3* handle() const { return handle_; }
  const Path& file() const { return file_; }

 private:
  Path file_;
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement(const Database& database, const std::string& text) : database_(database) {
    if (sqlite3_prepare_v2(database.handle(), text.c_str(), -1, &handle_, nullptr) != SQLITE_OK)
      database.fail("read");
  }
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(const std::string& text) {
    if (sqlite3_bind_text64(handle_, ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) !=
        SQLITE_OK)
      database_.fail("write");
    return *this;
  }
  Statement& bind(std::int64_t number) {
    if (sqlite3_bind_int64(handle_, ++bound_, number) != SQLITE_OK) database_.fail("write");
    return *this;
  }
  /// False: no more rows.
  bool step() {
    const int code = sqlite3_step(handle_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail("use");
    return code == SQLITE_ROW;
  }
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))) : "";
  }
  std::int64_t number(int column) const { return sqlite3_column_int64(handle_, column); }

 private:
  const Database& database_;
  sqlite3_stmt* handle_ = nullptr;
  int bound_ = 0;
};

Sighting sighting(const Statement& row) {
  return {.key = row.text(0),
          .os = row.text(1),
          .title = row.text(2),
          .type = row.text(3),
          .function = row.text(4),
          .first_seen = row.number(5),
          .last_seen = row.number(6),
          .count = row.number(7),
          .first_release = row.text(8),
          .last_release = row.text(9)};
}

std::string lines_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + "\n";
  return text;
}

std::vector<std::string> words_of(std::string_view lines) {
  std::vector<std::string> words;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    if (end) words.emplace_back(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return words;
}

std::vector<std::string> titles_of(const CrashReport& report) {
  std::vector<std::string> titles{report.title};
  titles.insert(titles.end(), report.alternative_titles.begin(), report.alternative_titles.end());
  return titles;
}

/// Functions from the guilty one on: what lies before it reports the crash.
std::vector<std::string> stack_of(const CrashReport& report) {
  std::vector<std::string> all, from_guilty;
  for (const StackFrame& frame : report.frames()) {
    if (!frame.reliable || frame.inlined) continue;
    all.push_back(frame.function);
    if (!from_guilty.empty() || frame.function == report.function) from_guilty.push_back(frame.function);
  }
  std::vector<std::string>& stack = from_guilty.empty() ? all : from_guilty;
  if (stack.size() > compared_frames) stack.resize(compared_frames);
  return stack;
}

/// 1: the same functions. A function counts the less, the further it is from the crash.
double likeness(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  double both = 0, any = 0;
  const auto weigh = [](std::size_t i) { return 1.0 / static_cast<double>(i + 1); };
  std::set<std::string> seen;
  for (const auto* list : {&a, &b})
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string& name = (*list)[i];
      if (!seen.insert(name).second) continue;
      const auto in_a = std::find(a.begin(), a.end(), name), in_b = std::find(b.begin(), b.end(), name);
      const double weight = weigh(i);
      any += weight;
      if (in_a != a.end() && in_b != b.end()) both += weight;
    }
  return any > 0 ? both / any : 0;
}

}  // namespace

std::string crash_key(const CrashReport& report) {
  return report.title.empty() ? std::string() : sha256(report.os + "\n" + report.title).substr(0, 16);
}

struct CrashHistory::State {
  explicit State(const Path& file) : database(file) {
    // Whoever makes it makes it whole.
    database.run("BEGIN IMMEDIATE");
    try {
      const std::int64_t id = pragma("application_id"), version = pragma("user_version");
      if (id == 0 && version == 0 && pragma("schema_version") == 0) {
        database.run(fmt::format("{} PRAGMA application_id={}; PRAGMA user_version={}", schema,
                                 application_id, schema_version)
                         .c_str());
      } else if (id != application_id || version != schema_version) {
        throw FormatError(
            {.attempted = "open the crash history " + file.string(),
             .reason = id != application_id
                           ? "it is another program's database"
                           : fmt::format("its version is {}, this kdev knows {}", version, schema_version),
             .hint = {},
             .log = file});
      }
      database.run("COMMIT");
    } catch (...) {
      sqlite3_exec(database.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  }
  std::int64_t pragma(const std::string& name) const {
    Statement row(database, "PRAGMA " + name);
    return row.step() ? row.number(0) : 0;
  }
  std::optional<Sighting> find(const std::string& key) const {
    Statement row(database, fmt::format("SELECT {} FROM crash WHERE key=?", columns));
    if (!row.bind(key).step()) return std::nullopt;
    return sighting(row);
  }

  std::mutex mutex;
  Database database;
};

CrashHistory::CrashHistory(const Path& file) : state_(std::make_unique<State>(file)) {}
CrashHistory::CrashHistory(CrashHistory&&) noexcept = default;
CrashHistory& CrashHistory::operator=(CrashHistory&&) noexcept = default;
CrashHistory::~CrashHistory() = default;

Sighting CrashHistory::add(const CrashReport& report, std::int64_t time) {
  const std::string key = crash_key(report);
  if (key.empty())
    throw ConfigError(
        {.attempted = "remember a crash", .reason = "the report has no title", .hint = {}, .log = {}});
  if (!time) time = std::time(nullptr);
  std::lock_guard lock(state_->mutex);
  // One statement, so that two processes cannot both be the first.
  Statement row(
      state_->database,
      fmt::format("INSERT INTO crash VALUES(?,?,?,?,?,?,?,1,?,?,?,?,?) ON CONFLICT(key) DO UPDATE SET "
                  "count=count+1, first_seen=min(first_seen, excluded.first_seen), "
                  "last_release=CASE WHEN excluded.last_seen>=last_seen THEN excluded.last_release ELSE "
                  "last_release END, last_seen=max(last_seen, excluded.last_seen) RETURNING {}",
                  columns));
  CrashReport kept = report;
  kept.dmesg.clear();
  row.bind(key)
      .bind(report.os)
      .bind(report.title)
      .bind(report.type)
      .bind(report.function)
      .bind(time)
      .bind(time);
  row.bind(report.release)
      .bind(report.release)
      .bind(lines_of(titles_of(report)))
      .bind(lines_of(stack_of(report)));
  row.bind(kept.to_json());
  row.step();
  const Sighting result = sighting(row);
  row.step();  // to its end: then it is written
  return result;
}

std::optional<Sighting> CrashHistory::find(const std::string& key) const {
  std::lock_guard lock(state_->mutex);
  return state_->find(key);
}

std::optional<CrashReport> CrashHistory::report(const std::string& key) const {
  std::lock_guard lock(state_->mutex);
  Statement row(state_->database, "SELECT report FROM crash WHERE key=?");
  if (!row.bind(key).step()) return std::nullopt;
  return CrashReport::from_json(row.text(0));
}

std::vector<SimilarCrash> CrashHistory::similar(const CrashReport& report, int limit) const {
  const std::string key = crash_key(report);
  const std::vector<std::string> titles = titles_of(report), stack = stack_of(report);
  std::vector<SimilarCrash> found;
  {
    std::lock_guard lock(state_->mutex);
    Statement row(state_->database,
                  fmt::format("SELECT {}, titles, stack FROM crash WHERE os=? AND key!=?", columns));
    row.bind(report.os).bind(key);
    while (row.step()) {
      SimilarCrash other{.sighting = sighting(row)};
      const auto shared = [&] {
        for (const std::string& title : words_of(row.text(10)))
          if (std::find(titles.begin(), titles.end(), title) != titles.end()) return title;
        return std::string();
      }();
      const double frames = likeness(stack, words_of(row.text(11)));
      if (!shared.empty()) {
        other.score = 0.9 + frames / 10;
        other.why = "both may be called \"" + shared + "\"";
      } else if (!report.function.empty() && other.sighting.function == report.function) {
        other.score = 0.6 + 0.3 * frames;
        other.why = "both blame " + report.function;
      } else {
        other.score = 0.8 * frames;
        other.why = fmt::format("{:.0f} % of the stack", 100 * frames);
      }
      if (other.score >= least_score) found.push_back(std::move(other));
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  if (static_cast<int>(found.size()) > limit) found.resize(static_cast<std::size_t>(std::max(limit, 0)));
  return found;
}

std::vector<Sighting> CrashHistory::all() const {
  std::lock_guard lock(state_->mutex);
  Statement row(state_->database, fmt::format("SELECT {} FROM crash ORDER BY last_seen DESC, key", columns));
  std::vector<Sighting> result;
  while (row.step()) result.push_back(sighting(row));
  return result;
}

}  // namespace kdev
