// Files between host and guest.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstring>
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

/// A GET that the guest refused.
struct Refusal {
  int error;  ///< the guest's errno
  std::string reason;
};

/// One exchange with the agent about a file; forgotten at the end, whatever happens.
class Transfer {
 public:
  Transfer(std::shared_ptr<vm::Session> session, std::string attempted, std::stop_token stop)
      : session_(std::move(session)),
        attempted_(std::move(attempted)),
        stop_(std::move(stop)),
        exchange_(session_->agent().open(0)) {}
  ~Transfer() { session_->agent().forget(exchange_->id); }

  void send(std::uint32_t type, std::string_view payload) {
    session_->agent().send(type, exchange_->id, payload);
  }

  /// Waits for `done` (called any number of times); a transfer may take long, but it may not stand still.
  template <class Done>
  void wait(Done done) {
    const auto& e = *exchange_;
    std::size_t seen = 0;
    for (bool over = false; !over;) {
      bool moved = false;
      const Deadline deadline = Deadline::after(Seconds(30), stop_);
      session_->wait(deadline, attempted_, [&] {
        over = e.error || session_->status_locked().gone || session_->status_locked().panicked ||
               session_->agent().broken_locked() || done();
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
        const auto& status = session_->status_locked();
        reason = status.panicked ? "the kernel crashed" : status.gone ? vm::ended() : vm::channel_broke;
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
  /// Whether a GET or LIST is refused; if not, its meta is there.
  std::optional<Refusal> refusal() {
    std::optional<Refusal> refused;
    try {
      wait_meta();
    } catch (const GuestError& error) {
      session_->locked([&] {
        if (exchange_->error) refused = Refusal{static_cast<int>(exchange_->error->first), error.reason()};
      });
      if (!refused) throw;
    }
    return refused;
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
  if (!fd)
    throw HostError({.attempted = attempted,
                     .reason = path.string() + ": " + std::strerror(errno),
                     .hint = "",
                     .log = {}});
  return fd;
}

using Reader = std::function<std::size_t(char*, std::size_t)>;

void put(const std::shared_ptr<vm::Session>& session, const std::string& attempted,
         const std::string& guest_path, unsigned mode, std::uint64_t size, const Reader& read,
         const std::stop_token& stop) {
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

void push_file(const std::shared_ptr<vm::Session>& session, const Path& source, const std::string& guest_path,
               const std::stop_token& stop) {
  const std::string attempted = fmt::format("push {} to {}", source.string(), guest_path);
  UniqueFd fd = open_or_throw(source, O_RDONLY, 0, attempted);
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0)
    throw HostError({.attempted = attempted, .reason = std::strerror(errno), .hint = "", .log = {}});
  put(
      session, attempted, guest_path, st.st_mode, static_cast<std::uint64_t>(st.st_size),
      [&](char* to, std::size_t room) -> std::size_t {
        for (;;) {
          ssize_t n = ::read(fd.get(), to, room);
          if (n >= 0) return static_cast<std::size_t>(n);
          if (errno != EINTR)
            throw HostError({.attempted = attempted, .reason = std::strerror(errno), .hint = "", .log = {}});
        }
      },
      stop);
}

void make_directory(const std::shared_ptr<vm::Session>& session, const std::string& guest_path, unsigned mode,
                    const std::stop_token& stop) {
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

/// One pull(): files as they are, directories with what is below them.
class Pull {
 public:
  Pull(std::shared_ptr<vm::Session> session, vm::EventQueue& events, std::stop_token stop)
      : session_(std::move(session)), events_(events), stop_(std::move(stop)) {}

  void any(const std::string& guest_path, const Path& destination) {
    const auto refusal = file(guest_path, destination, true);
    if (!refusal) return;
    if (refusal->error != EISDIR)
      throw GuestError({.attempted = attempted(guest_path, destination),
                        .reason = refusal->reason,
                        .hint = "",
                        .log = {}});
    directory(guest_path, destination);
  }

 private:
  static std::string attempted(const std::string& guest_path, const Path& destination) {
    return fmt::format("pull {} to {}", guest_path, destination.string());
  }
  void leave_out(const std::string& guest_path, const std::string& why) {
    events_.push(Notice{fmt::format("{} is left out: {}", guest_path, why)});
  }

  void directory(const std::string& guest_path, const Path& destination) {
    std::string listing;
    kdev_meta own;
    {
      Transfer transfer(session_, "list " + guest_path, stop_);
      transfer.send(KDEV_LIST, guest_path);
      own = transfer.wait_meta();
      for (std::string piece; !(piece = transfer.next_data()).empty();) listing += piece;
    }
    local_host()->make_directories(destination);
    for (std::string_view rest = listing; rest.size() > sizeof(kdev_meta);) {
      kdev_meta meta;
      std::memcpy(&meta, rest.data(), sizeof meta);
      rest.remove_prefix(sizeof meta);
      const std::string name(rest.substr(0, rest.find('\0')));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      // The names come from the guest: they may not lead out of the destination.
      if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) continue;
      entry(guest_path + "/" + name, meta, destination / name);
    }
    // Last: it may be one that nothing can be written to.
    if (::chmod(destination.c_str(), own.mode & 07777u) != 0)
      throw HostError({.attempted = attempted(guest_path, destination),
                       .reason = std::strerror(errno),
                       .hint = "",
                       .log = {}});
  }

  void entry(const std::string& guest_path, const kdev_meta& meta, const Path& destination) {
    if (S_ISDIR(meta.mode)) return directory(guest_path, destination);
    const bool link = S_ISLNK(meta.mode);
    if (!link && !S_ISREG(meta.mode)) return leave_out(guest_path, "it is no file");
    const auto refusal = file(guest_path, destination, false);
    if (!refusal) return;
    // A link may lead nowhere, or up the tree; there is a name for it, but no file.
    if (link) return leave_out(guest_path, "a symbolic link: " + refusal->reason);
    throw GuestError(
        {.attempted = attempted(guest_path, destination), .reason = refusal->reason, .hint = "", .log = {}});
  }

  /// `special`: also what a device or a pipe has to give.
  std::optional<Refusal> file(const std::string& guest_path, const Path& destination, bool special) {
    const std::string what = attempted(guest_path, destination);
    Transfer transfer(session_, what, stop_);
    transfer.send(KDEV_GET, guest_path);
    if (auto refusal = transfer.refusal()) return refusal;
    const kdev_meta meta = transfer.wait_meta();
    if (!special && !S_ISREG(meta.mode)) return Refusal{0, "it leads to no file"};
    const Path temporary =
        destination.parent_path() / fs::unique_path("." + destination.filename().string() + ".%%%%%%%%");
    UniqueFd fd = open_or_throw(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600, what);
    try {
      for (std::string piece; !(piece = transfer.next_data()).empty();) write_all(fd, piece, what);
      ::fchmod(fd.get(), meta.mode & 07777u);
      if (::rename(temporary.c_str(), destination.c_str()) != 0)
        throw HostError({.attempted = what, .reason = std::strerror(errno), .hint = "", .log = {}});
    } catch (...) {
      ::unlink(temporary.c_str());
      throw;
    }
    return {};
  }

  std::shared_ptr<vm::Session> session_;
  vm::EventQueue& events_;
  std::stop_token stop_;
};

}  // namespace

void VM::push(const Path& source, const std::string& guest_path, std::stop_token stop) {
  const auto session = state_->ready_session(fmt::format("push {} to {}", source.string(), guest_path));
  if (!fs::is_directory(source)) return push_file(session, source, guest_path, stop);
  make_directory(session, guest_path, fs::status(source).permissions(), stop);
  for (fs::recursive_directory_iterator it(source), end; it != end; ++it) {
    const std::string target = guest_path + "/" + fs::relative(it->path(), source).string();
    if (fs::is_directory(it->symlink_status()))
      make_directory(session, target, it->symlink_status().permissions(), stop);
    else if (fs::is_regular_file(it->path()))
      push_file(session, it->path(), target, stop);
    else
      state_->events->push(Notice{it->path().string() + " is left out: it is no file"});
  }
}

void VM::pull(const std::string& guest_path, const Path& destination, std::stop_token stop) {
  const auto session = state_->ready_session(fmt::format("pull {}", guest_path));
  const Path target = fs::is_directory(destination) ? destination / Path(guest_path).filename() : destination;
  Pull(session, *state_->events, stop).any(guest_path, target);
  state_->events->deliver();
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
  put(session, "write " + guest_path, guest_path, mode, content.size(),
      [rest = content](char* to, std::size_t room) mutable {
        const std::size_t n = std::min(room, rest.size());
        std::memcpy(to, rest.data(), n);
        rest.remove_prefix(n);
        return n;
      },
      {});
}

}  // namespace kdev
