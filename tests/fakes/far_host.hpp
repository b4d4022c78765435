#pragma once
// A host that is not this machine as far as callers can tell: its folder /mnt/far is nowhere in this
// process's file system, only in that of the commands it runs (a mount namespace of their own). Whoever goes
// around the Host finds nothing.
#include <fmt/format.h>
#include <unistd.h>

#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <string>

namespace kdev::test {

class FarHost : public Host {
 public:
  /// `folder` of this machine is the far host's /mnt/far.
  explicit FarHost(Path folder) : near_(std::move(folder)), local_(local_host()) {}
  static Path far() { return "/mnt/far"; }

  /// Whether this machine lets it be: namespaces may be forbidden.
  bool works() { return run({.argv = {"test", "-d", far().string()}}, {}).ok(); }

  std::string name() const override { return "far"; }
  bool is_local() const override { return false; }

  ProcessResult run(const Command& command, const RunOptions& options) override {
    Command there = command;
    there.argv = {"unshare"};
    if (::geteuid() != 0) there.argv.insert(there.argv.end(), {"--user", "--map-root-user"});
    there.argv.insert(
        there.argv.end(),
        {"--mount", "sh", "-c",
         "mount -t tmpfs kdev-far /mnt && mkdir /mnt/far && mount --bind \"$1\" /mnt/far && cd \"$2\" && "
         "shift 2 && exec \"$@\"",
         "sh", near_.string(), command.cwd ? command.cwd->string() : "/"});
    there.argv.insert(there.argv.end(), command.argv.begin(), command.argv.end());
    there.cwd.reset();
    RunOptions mapped = options;
    if (!mapped.log.empty()) mapped.log = to_near(mapped.log);
    if (!mapped.lease_dir.empty()) mapped.lease_dir = to_near(mapped.lease_dir);
    return local_->run(there, mapped);
  }
  Process spawn(const Command&, const SpawnOptions&) override {
    throw HostError({.attempted = "spawn", .reason = "not on the far host", .hint = "", .log = {}});
  }
  std::optional<Path> which(const std::string& program) override { return local_->which(program); }
  int cpu_count() override { return local_->cpu_count(); }
  std::uint64_t memory_available() override { return local_->memory_available(); }
  Path home() override { return far() / "home"; }

  FileStatus status(const Path& path) override { return local_->status(to_near(path)); }
  FileStatus link_status(const Path& path) override { return local_->link_status(to_near(path)); }
  std::vector<DirectoryEntry> entries(const Path& folder) override {
    return local_->entries(to_near(folder));
  }
  Path absolute(const Path& path) override {
    return (path.is_absolute() ? path : home() / path).lexically_normal();
  }
  Path canonical(const Path& path) override { return to_far(local_->canonical(to_near(path))); }
  Path read_link(const Path& link) override { return local_->read_link(to_near(link)); }
  std::string read_file(const Path& path) override { return local_->read_file(to_near(path)); }
  std::optional<FileDigest> digest(const Path& file, bool follow_link, const std::stop_token& stop) override {
    return local_->digest(to_near(file), follow_link, stop);
  }
  void write_file(const Path& path, std::string_view content) override {
    local_->write_file(to_near(path), content);
  }
  void copy_file(const Path& from, const Path& to) override { local_->copy_file(to_near(from), to_near(to)); }
  void make_link(const Path& target, const Path& link) override { local_->make_link(target, to_near(link)); }
  bool rename(const Path& from, const Path& to) override {
    return local_->rename(to_near(from), to_near(to));
  }
  void set_mode(const Path& path, unsigned mode) override { local_->set_mode(to_near(path), mode); }
  void touch(const Path& path) override { local_->touch(to_near(path)); }
  void make_directories(const Path& path) override { local_->make_directories(to_near(path)); }
  void remove_all(const Path& path) override { local_->remove_all(to_near(path)); }
  std::unique_ptr<HeldLock> try_lock(const Path& file, std::string_view sign) override {
    return local_->try_lock(to_near(file), sign);
  }
  std::vector<std::string> reap(const Path& lease_dir) override { return local_->reap(to_near(lease_dir)); }

 private:
  /// The system's own folders are the same on both.
  Path to_near(const Path& path) const {
    const std::string text = path.string(), prefix = far().string();
    if (text != prefix && !text.starts_with(prefix + "/")) return path;
    return near_.string() + text.substr(prefix.size());
  }
  Path to_far(const Path& path) const {
    const std::string text = path.string(), prefix = near_.string();
    if (text != prefix && !text.starts_with(prefix + "/")) return path;
    return far().string() + text.substr(prefix.size());
  }

  Path near_;
  std::shared_ptr<Host> local_;
};

}  // namespace kdev::test
