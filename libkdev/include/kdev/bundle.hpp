#pragma once
#include <functional>
#include <kdev/core.hpp>
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/path.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

/// A command that was run in a guest.
struct GuestCommand {
  std::string command{};
  std::optional<int> exit_code{};  ///< absent: it did not exit
  Seconds duration{};              ///< seen from the host
  bool operator==(const GuestCommand&) const = default;
};

/// So many bytes of a console a bundle takes.
inline constexpr std::size_t max_bundle_console = 64u << 20;

/// All that a bundle says of a crash, but its memory and its symbols. A value.
struct CrashRecord {
  CrashReport report{};
  std::string console{};  ///< bytes, from the guest's start; of a long one the last max_bundle_console
  std::string config{};   ///< the kernel's configuration
  std::map<std::string, std::string>
      environment{};  ///< what it ran on: "release", "build_id", "command_line", "memory", ...
  std::vector<GuestCommand> commands{};  ///< what was run in it, in order
  bool operator==(const CrashRecord&) const = default;
};

/// A guest's recorded run as files: what Recording makes of itself for a bundle, and is made of again.
struct RecordedRun {
  std::string description{};            ///< Recording's JSON
  std::map<std::string, Path> files{};  ///< by their role: "tape", "kernel", "initrd"
  std::string missing{};                ///< why there is none
};

/// Writes a bundle: one file, which zip's tools open as well, with the record and, when there is a `core`,
/// its memory (kdump-compressed, or an ELF core file), its kernel's and modules' files with debug
/// information, and the source files that its stacks name, and the run that `recorded`, asked last, gives. It
/// appears whole, or not at all; one that is there is replaced. FormatError when the memory cannot be read;
/// HostError, TimeoutError, Interrupted.
KDEV_API void save_bundle(const Path& file, const CrashRecord& record, const Core* core = nullptr,
                          const BundleOptions& options = {},
                          const std::function<RecordedRun()>& recorded = {});

/// A bundle that was opened. What is in one may come from anybody: nothing of it is executed, its names lead
/// nowhere, sizes are bounded and every member's SHA-256 is checked. Memory and symbols are unpacked, when
/// they are first asked for, to a folder that goes with the Bundle. Thread-safe for const calls. A handle:
/// move-only.
class KDEV_API Bundle {
 public:
  /// HostError; FormatError: it is none, or damaged.
  explicit Bundle(const Path& file, const Deadline& deadline = {});
  Bundle(Bundle&&) noexcept;
  Bundle& operator=(Bundle&&) noexcept;
  ~Bundle();

  const CrashRecord& record() const;
  /// What a reader should know: what is missing, or was left out when it was made.
  std::vector<std::string> notes() const;
  bool has_memory() const;
  bool has_symbols() const;
  bool has_recording() const;
  /// The kernel's and modules' files and the source, unpacked: good for as long as the Bundle and the Cores
  /// that it gave. FormatError: it has none, or a damaged one; the build id in record() tells where to get
  /// them.
  SymbolSources symbols(const Deadline& deadline = {}) const;
  /// The recorded run's files, unpacked; Recording::from_bundle() makes it one that can be replayed. They are
  /// good for as long as `folder`. FormatError: it has none, or a damaged one.
  RecordedRun recorded_run(std::shared_ptr<const void>& folder, const Deadline& deadline = {}) const;
  /// Its memory, with its own symbols or others. It is good for longer than the Bundle. FormatError.
  Core core(const Deadline& deadline = {}) const;
  Core core(SymbolSources symbols, const Deadline& deadline = {}) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kdev
