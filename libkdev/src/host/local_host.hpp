#pragma once
#include <kdev/host.hpp>

namespace kdev {

/// This machine. Stateless, hence thread-safe. run() is in run.cpp, spawn() in spawn.cpp; what files are in
/// file_status.cpp, what is in them in files.cpp, copies in copy_file.cpp, locks in file_lock.cpp.
class LocalHost final : public Host {
 public:
  std::string name() const override;
  bool is_local() const override { return true; }
  ProcessResult run(const Command& command, const RunOptions& options) override;
  Process spawn(const Command& command, const SpawnOptions& options) override;
  std::optional<Path> which(const std::string& program) override;
  int cpu_count() override;
  std::uint64_t memory_available() override;
  Path home() override;
  FileStatus status(const Path& path) override;
  FileStatus link_status(const Path& path) override;
  std::vector<DirectoryEntry> entries(const Path& folder) override;
  Path absolute(const Path& path) override;
  Path canonical(const Path& path) override;
  Path read_link(const Path& link) override;
  std::string read_file(const Path& path) override;
  std::optional<FileDigest> digest(const Path& file, bool follow_link, const std::stop_token& stop) override;
  void write_file(const Path& path, std::string_view content) override;
  void copy_file(const Path& from, const Path& to) override;
  void make_link(const Path& target, const Path& link) override;
  bool rename(const Path& from, const Path& to) override;
  void set_mode(const Path& path, unsigned mode) override;
  void touch(const Path& path) override;
  void make_directories(const Path& path) override;
  void remove_all(const Path& path) override;
  std::unique_ptr<HeldLock> try_lock(const Path& file, std::string_view sign) override;
  std::vector<std::string> reap(const Path& lease_dir) override;

 private:
  ProcessResult run_to_end(const Command& command, const RunOptions& options);
};

}  // namespace kdev
