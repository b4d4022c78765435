// Files between host and guest.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <boost/filesystem/operations.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kdev/error.hpp>

#include "vm/state.hpp"

namespace kdev {
namespace fs = boost::filesystem;
namespace {

constexpr std::size_t chunk = 128u << 10;
// The queue to the guest may hold this much before the sender waits for the guest to keep up.
constexpr std::size_t queue_limit = 1u << 20;

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// One exchange with the agent about a file; forgotten at the end, whatever happens.
class Transfer {
 public:
  Transfer(std::shared_ptr<vm::Session> session, std::string attempted, std::stop_token stop)
      : session_(std::move(session)), attempted_(std::move(attempted)), stop_(std::move(stop)), exchange_(session_->agent().open(0)) {}
  ~Transfer() { session_->agent().forget(exchange_->id); }

  void send(std::uint32_t type, std::string_view payload) { session_->agent().send(type, exchange_->id, payload); }

  /// Waits for `done` (called any number of times); a transfer may take long, but it may not stand still.
  template <class Done>
  void wait(Done done) {
    const auto& e = *exchange_;
    std::size_t seen = 0;
    for (bool over = false; !over;) {
      bool moved = false;
      const Deadline deadline = Deadline::after(Seconds(30), stop_);
      session_->wait(deadline, attempted_, [&] {
        over = e.error || session_->status_locked().gone || session_->status_locked().panicked || done();
        const std::size_t now = session_->agent().queued_locked() + e.data.size();
        moved = now != seen;
        seen = now;
        return over || moved;
      });
    }
    bool failed = false;
    std::string reason;
    session_->wait(Deadline(), attempted_, [&] {
      if (e.error) {
        failed = true;
        reason = e.error->second.empty() ? std::strerror(static_cast<int>(e.error->first)) : e.error->second;
      } else if (!done()) {
        failed = true;
        reason = session_->status_locked().panicked ? "the kernel crashed" : "QEMU ended";
      }
      return true;
    });
    if (failed) fail(reason);
  }
  void wait_room() {
    wait([&] { return session_->agent().queued_locked() < queue_limit; });
  }
  void wait_done() {
    wait([&] { return exchange_->done; });
  }
  kdev_meta wait_meta() {
    wait([&] { return exchange_->meta.has_value(); });
    return *exchange_->meta;
  }
  /// The next piece of data; empty at the end.
  std::string next_data() {
    wait([&] { return !exchange_->data.empty() || exchange_->data_end; });
    std::string piece;
    session_->wait(Deadline(), attempted_, [&] {
      std::swap(piece, exchange_->data);
      return true;
    });
    return piece;
  }
  [[noreturn]] void fail(const std::string& reason) const {
    throw GuestError({.attempted = attempted_, .reason = reason, .hint = "", .log = {}});
  }
  const std::string& attempted() const { return attempted_; }

 private:
  std::shared_ptr<vm::Session> session_;
  std::string attempted_;
  std::stop_token stop_;
  std::shared_ptr<vm::Exchange> exchange_;
};

UniqueFd open_or_throw(const Path& path, int flags, unsigned mode, const std::string& attempted) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) throw HostError({.attempted = attempted, .reason = path.string() + ": " + std::strerror(errno), .hint = "", .log = {}});
  return fd;
}

using Reader = std::function<std::size_t(char*, std::size_t)>;

void put(const std::shared_ptr<vm::Session>& session, const std::string& attempted, const std::string& guest_path, unsigned mode,
         std::uint64_t size, const Reader& read, const std::stop_token& stop) {
  Transfer transfer(session, attempted, stop);
  const kdev_put head{mode & 07777u, 0, size};
  transfer.send(KDEV_PUT, std::string(bytes_of(head)) + guest_path);
  std::string buffer(chunk, '\0');
  while (std::size_t n = read(buffer.data(), buffer.size())) {
    transfer.send(KDEV_DATA, std::string_view(buffer).substr(0, n));
    transfer.wait_room();
  }
  transfer.send(KDEV_DATA_END, {});
  transfer.wait_done();
}

void push_file(const std::shared_ptr<vm::Session>& session, const Path& source, const std::string& guest_path, const std::stop_token& stop) {
  const std::string attempted = fmt::format("push {} to {}", source.string(), guest_path);
  UniqueFd fd = open_or_throw(source, O_RDONLY, 0, attempted);
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) throw HostError({.attempted = attempted, .reason = std::strerror(errno), .hint = "", .log = {}});
  put(session, attempted, guest_path, st.st_mode, static_cast<std::uint64_t>(st.st_size), [&](char* to, std::size_t room) -> std::size_t {
    for (;;) {
      ssize_t n = ::read(fd.get(), to, room);
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) throw HostError({.attempted = attempted, .reason = std::strerror(errno), .hint = "", .log = {}});
    }
  }, stop);
}

void make_directory(const std::shared_ptr<vm::Session>& session, const std::string& guest_path, unsigned mode, const std::stop_token& stop) {
  Transfer transfer(session, "make directory " + guest_path, stop);
  const std::uint32_t bits = mode & 07777u;
  transfer.send(KDEV_MKDIR, std::string(bytes_of(bits)) + guest_path);
  transfer.wait_done();
}

void write_all(const UniqueFd& fd, std::string_view data, const std::string& attempted) {
  while (!data.empty()) {
    ssize_t n = ::write(fd.get(), data.data(), data.size());
    if (n > 0)
      data.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR)
      throw HostError({.attempted = attempted, .reason = std::strerror(errno), .hint = "", .log = {}});
  }
}

void pull_any(const std::shared_ptr<vm::Session>& session, const std::string& guest_path, const Path& destination, const std::stop_token& stop);

void pull_directory(const std::shared_ptr<vm::Session>& session, const std::string& guest_path, const Path& destination, const std::stop_token& stop) {
  std::string listing;
  {
    Transfer transfer(session, "list " + guest_path, stop);
    transfer.send(KDEV_LIST, guest_path);
    transfer.wait_meta();
    for (std::string piece; !(piece = transfer.next_data()).empty();) listing += piece;
  }
  local_host()->make_directories(destination);
  for (std::string_view rest = listing; rest.size() > sizeof(kdev_meta);) {
    rest.remove_prefix(sizeof(kdev_meta));
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    // The names come from the guest: they may not lead out of the destination.
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) continue;
    pull_any(session, guest_path + "/" + name, destination / name, stop);
  }
}

void pull_any(const std::shared_ptr<vm::Session>& session, const std::string& guest_path, const Path& destination, const std::stop_token& stop) {
  const std::string attempted = fmt::format("pull {} to {}", guest_path, destination.string());
  Transfer transfer(session, attempted, stop);
  transfer.send(KDEV_GET, guest_path);
  kdev_meta meta{};
  try {
    meta = transfer.wait_meta();
  } catch (const GuestError&) {
    // A directory is refused by GET; if it is none, LIST says the same again.
    pull_directory(session, guest_path, destination, stop);
    return;
  }
  if (S_ISDIR(meta.mode)) return pull_directory(session, guest_path, destination, stop);
  const Path temporary = destination.parent_path() / fs::unique_path("." + destination.filename().string() + ".%%%%%%%%");
  UniqueFd fd = open_or_throw(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600, attempted);
  try {
    for (std::string piece; !(piece = transfer.next_data()).empty();) write_all(fd, piece, attempted);
    ::fchmod(fd.get(), meta.mode & 07777u);
    if (::rename(temporary.c_str(), destination.c_str()) != 0)
      throw HostError({.attempted = attempted, .reason = std::strerror(errno), .hint = "", .log = {}});
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace

void VM::push(const Path& source, const std::string& guest_path, std::stop_token stop) {
  const auto session = state_->ready_session(fmt::format("push {} to {}", source.string(), guest_path));
  if (!fs::is_directory(source)) return push_file(session, source, guest_path, stop);
  make_directory(session, guest_path, 0755, stop);
  for (fs::recursive_directory_iterator it(source), end; it != end; ++it) {
    const std::string target = guest_path + "/" + fs::relative(it->path(), source).string();
    if (fs::is_directory(it->symlink_status()))
      make_directory(session, target, it->symlink_status().permissions(), stop);
    else if (fs::is_regular_file(it->path()))
      push_file(session, it->path(), target, stop);
  }
}

void VM::pull(const std::string& guest_path, const Path& destination, std::stop_token stop) {
  const auto session = state_->ready_session(fmt::format("pull {}", guest_path));
  const Path target = fs::is_directory(destination) ? destination / Path(guest_path).filename() : destination;
  pull_any(session, guest_path, target, stop);
}

std::string VM::read_file(const std::string& guest_path) {
  const auto session = state_->ready_session("read " + guest_path);
  Transfer transfer(session, "read " + guest_path, {});
  transfer.send(KDEV_GET, guest_path);
  if (S_ISDIR(transfer.wait_meta().mode)) transfer.fail("it is a directory");
  std::string content;
  for (std::string piece; !(piece = transfer.next_data()).empty();) content += piece;
  return content;
}

void VM::write_file(const std::string& guest_path, std::string_view content, unsigned mode) {
  const auto session = state_->ready_session("write " + guest_path);
  put(session, "write " + guest_path, guest_path, mode, content.size(), [rest = content](char* to, std::size_t room) mutable {
    const std::size_t n = std::min(room, rest.size());
    std::memcpy(to, rest.data(), n);
    rest.remove_prefix(n);
    return n;
  }, {});
}

}  // namespace kdev
