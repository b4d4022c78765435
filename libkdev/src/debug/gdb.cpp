#include "debug/gdb.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <kdev/error.hpp>

#include "common/system_error.hpp"
#include "debug/modules_script.hpp"

namespace kdev::debug {
namespace {

// Under these numbers a child may get descriptors; the shell moves them to where gdb looks.
constexpr int passed_fd = 3;
// A line that never ends is no MI.
constexpr std::size_t longest_line = 64u << 20;
constexpr std::size_t most_notes = 4096;

}  // namespace

std::string gdb_program() {
  const char* program = std::getenv("KDEV_GDB");
  return program && *program ? program : "gdb";
}

Gdb::Gdb(const GdbOptions& options) : log_(options.log) {
  Host& host = *local_host();
  const std::string attempted = "start " + gdb_program();
  if (!host.which(gdb_program()))
    throw HostError({.attempted = attempted,
                     .reason = "it is not installed",
                     .hint = "apt install gdb, or let KDEV_GDB name it",
                     .log = {}});
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) throw host_error(attempted, errno);
  fd_ = UniqueFd(fds[0]);
  const UniqueFd theirs(fds[1]);
  Command command{.argv = {"/bin/sh", "-c", "exec \"$@\" <&3 >&3 3<&-", "sh", gdb_program(), "-nx", "-quiet",
                           "-interpreter=mi3"},
                  .cwd = options.cwd,
                  .env = {},
                  .unset_env = {"DEBUGINFOD_URLS"},
                  .input = ""};
  process_ =
      host.spawn(command, {.log = options.log, .pass = {{theirs.get(), passed_fd}}, .lease = options.lease});
  if (options.on_start) options.on_start(process_.pid(), process_.start_time());
}

Gdb::~Gdb() {
  end();
}

void Gdb::end() noexcept {
  if (!process_) return;
  fd_ = UniqueFd();
  ended_ = true;
  process_.terminate(Seconds(1));
}

void Gdb::take(std::string_view line) {
  auto record = parse_mi(line);
  if (!record) {
    said_ += std::string(line) + "\n";
    return;
  }
  using Kind = MiRecord::Kind;
  switch (record->kind) {
    case Kind::result:
      if (record->token && *record->token == awaited_) answer_ = std::move(record);
      break;
    case Kind::exec:
      if (record->name == "running") running_ = true, lost_ = false;
      if (record->name == "stopped") {
        running_ = false;
        stops_.push_back(std::move(record->results));
      }
      break;
    case Kind::notify:
      if (record->name == "thread-group-exited") lost_ = true, running_ = false;
      if (record->name == "thread-group-started") lost_ = false;
      note(std::move(*record));
      break;
    case Kind::console:
      // modules_script.hpp: between two of gdb's own lines.
      if (record->text.starts_with(module_mark)) {
        record->text.erase(0, module_mark.size());
        note(std::move(*record));
        break;
      }
      said_ += record->text;
      break;
    case Kind::target:  // what a stub prints, for "monitor" or by itself
      if (asked_)
        said_ += record->text;
      else
        note(std::move(*record));
      break;
    default:
      break;
  }
}

void Gdb::note(MiRecord record) {
  if (notes_.size() == most_notes) notes_.pop_front();
  notes_.push_back(std::move(record));
}

bool Gdb::listen(Seconds limit) {
  pollfd readable{fd_.get(), POLLIN, 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  if (!ended_ && ::poll(&readable, 1, static_cast<int>(std::clamp<long>(ms, 0, 1000))) <= 0) return false;
  read(Deadline::after(Seconds(1)), "listen to gdb");
  return true;
}

void Gdb::read(const Deadline& deadline, const std::string& what) {
  const DebugError gone({.attempted = what, .reason = "gdb has ended", .hint = "", .log = log_});
  if (ended_) throw gone;
  deadline.check(what);
  pollfd readable{fd_.get(), POLLIN, 0};
  if (::poll(&readable, 1, std::max(1, deadline.slice_ms())) <= 0) return;
  std::array<char, 65536> buffer;
  const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (n <= 0) {
    ended_ = true;
    throw gone;
  }
  pending_.append(buffer.data(), static_cast<std::size_t>(n));
  std::size_t begin = 0;
  for (std::size_t end; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1)
    take(std::string_view(pending_).substr(begin, end - begin));
  pending_.erase(0, begin);
  if (pending_.size() > longest_line) pending_.clear();
}

void Gdb::send(const std::string& line, const Deadline& deadline) {
  for (std::size_t done = 0; done < line.size();) {
    deadline.check("talk to gdb");
    const ssize_t n = ::send(fd_.get(), line.data() + done, line.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd writable{fd_.get(), POLLOUT, 0};
      ::poll(&writable, 1, std::max(1, deadline.slice_ms()));
    } else if (errno != EINTR) {
      ended_ = true;
      throw DebugError({.attempted = "talk to gdb", .reason = "gdb has ended", .hint = "", .log = log_});
    }
  }
}

Gdb::Answer Gdb::command(const std::string& text, const Deadline& deadline) {
  if (ended_) throw DebugError({.attempted = text, .reason = "gdb has ended", .hint = "", .log = log_});
  answer_.reset();
  said_.clear();
  awaited_ = next_token_++;
  struct Asked {
    bool& asked;
    ~Asked() { asked = false; }
  } asked{asked_};
  asked_ = true;
  send(fmt::format("{}{}\n", awaited_, text), deadline);
  while (!answer_) read(deadline, "gdb: " + text);
  Answer answer{.name = answer_->name, .results = std::move(answer_->results), .said = std::move(said_)};
  if (answer.name == "running") running_ = true;
  if (answer.name == "error")
    throw DebugError({.attempted = "gdb: " + text,
                      .reason = json::get_string(answer.results, "msg", "it refused"),
                      .hint = "",
                      .log = log_});
  return answer;
}

std::string Gdb::console(const std::string& text, const Deadline& deadline) {
  return command("-interpreter-exec console " + mi_quote(text), deadline).said;
}

json::object Gdb::wait_stop(const Deadline& deadline, const std::string& what) {
  while (stops_.empty()) {
    if (lost_)
      throw DebugError({.attempted = what,
                        .reason = "gdb has lost its target: the machine ended, or its stub went away",
                        .hint = "",
                        .log = log_});
    read(deadline, what);
  }
  json::object stop = std::move(stops_.front());
  stops_.pop_front();
  return stop;
}

}  // namespace kdev::debug
