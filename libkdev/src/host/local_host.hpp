#pragma once
#include <kdev/host.hpp>

namespace kdev {

/// This machine. Stateless, hence thread-safe. run() is in run.cpp, spawn() in spawn.cpp, files in files.cpp.
class LocalHost final : public Host {
 public:
  std::string name() const override;
  bool is_local() const override { return true; }
  ProcessResult run(const Command& command, const RunOptions& options) override;
  Process spawn(const Command& command, const SpawnOptions& options) override;
  std::optional<Path> which(const std::string& program) override;
  int cpu_count() override;
  std::uint64_t memory_available() override;
  bool exists(const Path& path) override;
  std::string read_file(const Path& path) override;
  void write_file(const Path& path, std::string_view content) override;
  void make_directories(const Path& path) override;
  void remove_all(const Path& path) override;
};

}  // namespace kdev
