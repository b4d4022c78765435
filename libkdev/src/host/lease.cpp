#include "host/lease.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <kdev/error.hpp>
#include <utility>

#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/lease_file.hpp"
#include "host/random.hpp"

namespace kdev {
namespace {

std::string owner_of(const Path& file) {
  try {
    const LeaseOwner owner = lease_from_json(local_host()->read_file(file)).owner;
    return fmt::format("held by process {}", owner.pid);
  } catch (const Error&) {
    return "held by somebody else";
  }
}

}  // namespace

Lease Lease::create(const Path& dir, const std::string& name) {
  const std::string attempted = fmt::format("take the lease {} in {}", name, dir.string());
  if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos)
    throw HostError(
        {.attempted = attempted, .reason = "'" + name + "' is no file name", .hint = "", .log = {}});
  local_host()->make_directories(dir);
  const Path file = hostfs::absolute(dir) / (name + ".lease");
  if (local_host()->exists(file)) reap_lease(file);

  Lease lease;
  lease.token_ = random_token();
  lease.owner_ = ::getpid();
  lease.file_ = file.parent_path() / fmt::format(".{}.lease.{}.{}.tmp", name, ::getpid(), lease.token_);
  lease.save();
  // Unlike rename(), link() never replaces: of two who take one name, one gets it.
  const int error = ::link(lease.file_.c_str(), file.c_str()) == 0 ? 0 : errno;
  ::unlink(lease.file_.c_str());
  lease.file_ = error == 0 ? file : Path();
  if (error == EEXIST)
    throw HostError(
        {.attempted = attempted, .reason = owner_of(file), .hint = "use another name", .log = {}});
  if (error != 0) throw host_error(attempted, error);
  return lease;
}

Lease::Lease(Lease&& other) noexcept {
  *this = std::move(other);
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  if (held_.processes.empty() && held_.paths.empty() && held_.undo.empty()) release();
  file_ = std::exchange(other.file_, Path());
  token_ = std::exchange(other.token_, std::string());
  owner_ = std::exchange(other.owner_, 0);
  held_ = std::exchange(other.held_, Held());
  return *this;
}

Lease::~Lease() {
  if (held_.processes.empty() && held_.paths.empty() && held_.undo.empty()) release();
}

void Lease::add_process(int pid, unsigned long long start_time) {
  held_.processes.emplace_back(pid, start_time);
  save();
}

void Lease::add_path(const Path& path) {
  held_.paths.push_back(hostfs::absolute(path));
  save();
}

void Lease::add_undo(std::vector<std::string> argv) {
  held_.undo.push_back(std::move(argv));
  save();
}

void Lease::release() noexcept {
  if (!file_.empty() && owner_ == ::getpid()) ::unlink(file_.c_str());
  file_.clear();
  token_.clear();
  held_ = {};
}

void Lease::save() const {
  if (file_.empty()) return;
  const LeaseFile content = {.owner = LeaseOwner::self(),
                             .token = token_,
                             .processes = held_.processes,
                             .paths = held_.paths,
                             .undo = held_.undo};
  local_host()->write_file(file_, to_json(content));
}

}  // namespace kdev
