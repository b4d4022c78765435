#pragma once
// A gdb process, spoken to in MI.
#include <deque>
#include <functional>
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <string>
#include <utility>

#include "debug/mi.hpp"
#include "host/unique_fd.hpp"

namespace kdev::debug {

/// "gdb", or what KDEV_GDB names.
std::string gdb_program();

struct GdbOptions {
  Path cwd;           ///< relative names in commands are below it
  Path log;           ///< gdb's standard error
  std::string lease;  ///< SpawnOptions::lease
  std::function<void(int pid, unsigned long long start_time)> on_start{};
};

/// One thread at a time. The destructor ends the process.
class Gdb {
 public:
  /// HostError when there is no gdb.
  explicit Gdb(const GdbOptions& options);
  ~Gdb();
  Gdb(const Gdb&) = delete;
  Gdb& operator=(const Gdb&) = delete;

  /// An answer, and what gdb said for people meanwhile.
  struct Answer {
    std::string name;  ///< "done", "running", "connected"
    json::object results;
    std::string said;
  };
  /// One MI command. DebugError with gdb's words when it refuses or has ended, TimeoutError, Interrupted: the
  /// answer is ignored when it comes later.
  Answer command(const std::string& text, const Deadline& deadline);
  /// A command of its command line: what it says.
  std::string console(const std::string& text, const Deadline& deadline);
  /// True while the debugged kernel runs, as far as gdb has said.
  bool running() const { return running_; }
  /// The next stop that nobody has taken yet; waits for it. TimeoutError, Interrupted, DebugError (also when
  /// the target is lost).
  json::object wait_stop(const Deadline& deadline, const std::string& what);
  /// What gdb said by itself, in order: notifications, changes of modules ("module-loaded", its name as the
  /// text) and what the stub printed. The oldest go when nobody takes them.
  std::deque<MiRecord> take_notes() { return std::exchange(notes_, {}); }
  /// Takes what gdb has said, and waits for that no longer than `limit`. True: there was something.
  /// DebugError: it has ended.
  bool listen(Seconds limit);
  bool has_stopped() const { return !stops_.empty(); }
  /// Forgets the stops that nobody has taken.
  void drop_stops() { stops_.clear(); }
  int pid() const { return process_.pid(); }
  /// Ends it: by the end of its input, then TERM, KILL. Never throws.
  void end() noexcept;

 private:
  void send(const std::string& line, const Deadline& deadline);
  /// Waits a slice for output and takes what has come.
  void read(const Deadline& deadline, const std::string& what);
  void take(std::string_view line);
  void note(MiRecord record);

  UniqueFd fd_;
  Process process_;
  std::string pending_;
  unsigned long next_token_ = 1;
  unsigned long awaited_ = 0;
  std::optional<MiRecord> answer_;
  std::string said_;
  std::deque<json::object> stops_;
  std::deque<MiRecord> notes_;
  bool asked_ = false;  ///< a command waits for its answer
  bool running_ = false, ended_ = false, lost_ = false;
  Path log_;
};

}  // namespace kdev::debug
