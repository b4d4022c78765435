#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <kdev/export.hpp>
#include <kdev/path.hpp>

namespace kdev {

struct CrashReport;

/// What every error of kdev tells.
struct ErrorInfo {
  std::string attempted{};  ///< what kdev was doing: "boot VM 'vm0'"
  std::string reason{};     ///< what went wrong
  std::string hint{};       ///< what to try; may be empty
  Path log{};               ///< file that has more; may be empty
};

/// Root of all errors. what() is "attempted: reason", then the log and the hint, each on a line of its own.
class KDEV_API Error : public std::runtime_error {
 public:
  explicit Error(ErrorInfo info);
  const ErrorInfo& info() const { return info_; }
  const std::string& attempted() const { return info_.attempted; }
  const std::string& reason() const { return info_.reason; }
  const std::string& hint() const { return info_.hint; }
  const Path& log() const { return info_.log; }

 private:
  ErrorInfo info_;
};

/// A configuration that cannot work: unknown or lost options, a bad spec.
class KDEV_API ConfigError : public Error {
  using Error::Error;
};

/// One message of a compiler, linker or make.
struct Diagnostic {
  Path file{};             ///< as absolute as could be worked out; empty for a linker or make message
  int line = 0;          ///< 1-based; 0: none
  int column = 0;        ///< 1-based; 0: none
  std::string severity{};  ///< "error", "fatal error", "warning", "note"
  std::string message{};
  bool operator==(const Diagnostic&) const = default;
};

/// The tree's build failed.
class KDEV_API BuildError : public Error {
 public:
  BuildError(ErrorInfo info, std::vector<Diagnostic> diagnostics)
      : Error(std::move(info)), diagnostics_(std::move(diagnostics)) {}
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

/// This machine's fault, not the kernel's: a program missing or failing, disk full, no permission, a lock held.
class KDEV_API HostError : public Error {
  using Error::Error;
};

/// A guest that did not become ready: the kernel's (or image's) fault, with the evidence.
class KDEV_API BootError : public Error {
 public:
  BootError(ErrorInfo info, std::string console_tail, std::shared_ptr<const CrashReport> crash = nullptr)
      : Error(std::move(info)), console_tail_(std::move(console_tail)), crash_(std::move(crash)) {}
  const std::string& console_tail() const { return console_tail_; }
  /// The crash found on the console, or null.
  const std::shared_ptr<const CrashReport>& crash() const { return crash_; }

 private:
  std::string console_tail_;
  std::shared_ptr<const CrashReport> crash_;
};

/// A deadline passed.
class KDEV_API TimeoutError : public Error {
  using Error::Error;
};

/// A guest that is there but cannot do what was asked: agent refused, file missing, VM in the wrong state.
class KDEV_API GuestError : public Error {
  using Error::Error;
};

/// A debugger or its target failed.
class KDEV_API DebugError : public Error {
  using Error::Error;
};

/// Input that is not what it should be: a truncated archive, a list line that makes no sense, no ELF.
class KDEV_API FormatError : public Error {
  using Error::Error;
};

/// The call was cancelled by its stop token or the interrupt hook (Ctrl-C).
class KDEV_API Interrupted : public Error {
  using Error::Error;
};

}  // namespace kdev
