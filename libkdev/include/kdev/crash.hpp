#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <kdev/crash_facts.hpp>
#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>
#include <kdev/variable.hpp>

namespace kdev {

struct CrashReport;

/// One line of a stack trace, or one inline function expanded from it.
struct StackFrame {
  std::string function{};
  std::uint64_t offset = 0;    ///< into the function's symbol, as printed
  std::uint64_t size = 0;      ///< of the symbol, as printed; 0: not printed
  std::string module{};          ///< empty: the kernel itself
  std::uint64_t address = 0;   ///< as printed, 0: not printed
  bool reliable = true;        ///< false for entries marked '?'
  bool inlined = false;        ///< expanded from the debug information; shares the address of the next real frame
  std::string file{};            ///< source file, relative to the tree where it lies below it
  int line = 0;                ///< 1-based; 0: unknown
  std::string source{};          ///< that line's text, without indentation; empty: not found
  std::vector<Variable> args{};    ///< from a dump, where it was asked for; in the function's order
  std::vector<Variable> locals{};  ///< likewise; those of the innermost block first
  bool operator==(const StackFrame&) const = default;
};

/// A named trace of a report: "Call Trace", "Allocated by task 42", "Freed by task 42", "<IRQ>" parts are in one trace.
struct KDEV_API StackTrace {
  std::string name{};
  std::string context{};  ///< "TASK", "IRQ", "NMI", ... as marked; of the first frame
  std::vector<StackFrame> frames{};
  bool operator==(const StackTrace&) const = default;
  std::string to_html() const;  ///< one self-contained fragment, escaped
};

/// What a guest's own debugger answered to one command.
struct DebuggerAnswer {
  std::string command{};
  std::string text{};                ///< as printed, without the command's echo and the prompt
  bool complete = true;              ///< false: the prompt did not come back in time
  std::vector<StackTrace> traces{};  ///< the stack traces in `text`
  bool operator==(const DebuggerAnswer&) const = default;
};

/// What a bundle takes along beside the report (kdev/bundle.hpp).
struct BundleOptions {
  bool memory = true;   ///< of the machine or dump, as far as the kernel itself has it
  bool symbols = true;  ///< debug information and source; without it the build id tells where to get them
  /// Of a VM with VmSpec::record whose kernel has crashed: what was recorded, which ends its machine.
  bool recording = true;
  Seconds timeout{600};
  std::stop_token stop{};
};

/// Where a report came from, for as long as that is there: no part of its value.
class CrashOrigin {
 public:
  virtual ~CrashOrigin() = default;
  virtual void save(const CrashReport& report, const Path& file, const BundleOptions& options) const = 0;
};

/// Everything one crash on a console says. A value.
struct KDEV_API CrashReport {
  std::string os;      ///< whose console it is: "linux", "freebsd", "openbsd", "netbsd"
  std::string kind;    ///< family: "oops", "bug", "warning", "panic", "kasan", "hung-task", "soft-lockup", "rcu-stall", ...
  std::string type;    ///< class as syzbot uses it: "KASAN-READ", "HANG", "WARNING", "BUG", "DoS", "LOCKDEP"; empty: unknown
  std::string title;   ///< stable and deduplicating, syzbot-compatible
  std::vector<std::string> alternative_titles;
  std::string message;      ///< the report's first line, as printed (without prefixes)
  std::string function;     ///< the guilty function
  std::string process;      ///< comm; empty: unknown
  int pid = -1;
  int cpu = -1;
  std::string taint;        ///< "Tainted: G        W" flags as printed, or "Not tainted"
  std::string release;      ///< uname -r as printed in the report
  std::map<std::string, std::string> registers;  ///< "RIP", "RAX", "CR2", ... as printed
  std::vector<StackTrace> traces;                ///< the guilty one first
  std::optional<FaultInfo> fault;                ///< the access that faulted; members by Symbolizer or Core
  std::vector<PoisonedRegister> poisons;         ///< registers with marks in them, by name
  std::optional<SlabObject> object;              ///< that was misused, as the report says
  std::optional<std::int64_t> kaslr_offset;      ///< from "Kernel Offset:"; absent: unknown
  bool panicked = false;    ///< the log also holds a panic that followed, before the next boot
  bool corrupted = false;   ///< truncated, or mixed with another
  bool suppressed = false;  ///< known, and not worth a look: the machine ran out of memory, its init ended, ...
  bool symbolized = false;  ///< file and line were filled in
  std::vector<std::string> notes;  ///< what a reader should know: a build id that differs, a module without symbols
  std::vector<DebuggerAnswer> debugger;  ///< what OnCrash::ask asked, in order
  std::string dump;         ///< how the kernel said that its dump ended ("Dump complete"); empty: none was made
  std::string dmesg;        ///< console text before the report
  std::string text;         ///< the report itself, as printed (prefixes as in the log)
  std::size_t begin = 0, end = 0;  ///< byte range of the report in the scanned log

  /// Null: a log. Equal to any other, and in no JSON.
  struct Origin {
    std::shared_ptr<const CrashOrigin> from{};
    bool operator==(const Origin&) const { return true; }
  } origin{};

  /// The guilty trace's frames; empty when there are none.
  const std::vector<StackFrame>& frames() const;
  /// The first frame that is the guilty function and has a source line, or null.
  const StackFrame* guilty() const;

  bool operator==(const CrashReport&) const = default;
  std::string to_json() const;
  static CrashReport from_json(std::string_view json);
  std::string to_text() const;  ///< for a terminal, no colours
  std::string to_html() const;  ///< one self-contained fragment, escaped
  /// As a bundle: of a VM that still runs its crashed kernel, or waits, with console, commands, memory and
  /// symbols; of one that is gone without memory, which a note says; of a log the report alone. See
  /// save_bundle().
  void save(const Path& file, const BundleOptions& options = {}) const;
};

/// All reports in a console log, in order; at most 10,000. Robust against hostile input: linear time, no exceptions for
/// content. Text in the reports is valid UTF-8: other bytes of the log are replaced by U+FFFD. `system`: one of
/// console_systems(); empty: as detect_console() has it, or Linux. ConfigError when it is no such name.
KDEV_API std::vector<CrashReport> scan_console(std::string_view log, std::string_view system = {});
KDEV_API std::vector<CrashReport> scan_console(std::string_view log, Os os);

/// The same for a file of any size, in constant memory and without a limit to the reports. `found` takes each, and returns
/// false to end. ConfigError when the file cannot be read.
KDEV_API void scan_file(const Path& file, const std::function<bool(CrashReport)>& found, std::string_view system = {});

/// The same for a log that arrives in pieces: it keeps a few megabytes. Not thread-safe.
class KDEV_API ConsoleScanner {
 public:
  explicit ConsoleScanner(std::string_view system = {});
  ConsoleScanner(ConsoleScanner&&) noexcept;
  ConsoleScanner& operator=(ConsoleScanner&&) noexcept;
  ~ConsoleScanner();
  /// The reports that are complete: some megabytes follow them.
  std::vector<CrashReport> feed(std::string_view bytes);
  /// All that are left. The scanner is as new then.
  std::vector<CrashReport> finish();
  /// Whose console it is; empty while that is not known.
  std::string system() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whose console it seems to be; empty: nobody's. Of a long text its beginning and its end count.
KDEV_API std::string detect_console(std::string_view log);
/// Those whose consoles can be read: "linux", "freebsd", "openbsd", "netbsd".
KDEV_API std::vector<std::string> console_systems();

/// Where to find a kernel's and its modules' debug information.
struct SymbolSources {
  std::optional<KernelArtifact> kernel{};
  Path vmlinux{};                       ///< when there is no artifact
  std::vector<Path> modules{};          ///< .ko files; matched to the report by name
  Path source{};                        ///< tree to read source lines from; default: the artifact's
  Os os = Os::linux;                    ///< whose kernel it is, when there is no artifact
  Path index{};                         ///< folder of the indexes; default: $XDG_CACHE_HOME/kdev/symbols
  /// Ask the servers of $DEBUGINFOD_URLS, if it is set, for debug information that the files lack, and for source files
  /// that are not there. false: nobody is asked.
  bool debuginfod = true;
  std::string build_id{};               ///< of the kernel, hex, when there is neither: all comes from debuginfod
};

/// Turns frames into file:line with inline functions expanded. Opens the kernel's file once, a module's anew when it was
/// built anew; thread-safe for const calls behind an internal lock. FormatError when vmlinux has no symbols. Where a
/// debuginfod server is asked, a call takes as long as $DEBUGINFOD_TIMEOUT and the others allow; Interrupted.
class KDEV_API Symbolizer {
 public:
  explicit Symbolizer(SymbolSources sources);
  Symbolizer(Symbolizer&&) noexcept;
  ~Symbolizer();
  /// Inline frames first (innermost), then the real one. `return_address`: look up address - 1.
  std::vector<StackFrame> at_symbol(std::string_view symbol, std::uint64_t offset, std::uint64_t size,
                                    std::string_view module, bool return_address) const;
  /// An absolute address, `kaslr_offset` already in it.
  std::vector<StackFrame> at_address(std::uint64_t address, std::int64_t kaslr_offset, bool return_address) const;
  /// Many at once, each as at_address() has it; without an index, several threads read. `source_text`: read the
  /// source lines, too. Interrupted.
  std::vector<std::vector<StackFrame>> at_addresses(const std::vector<std::uint64_t>& addresses,
                                                    std::int64_t kaslr_offset, bool return_address,
                                                    bool source_text = true) const;
  /// Fills in every trace of a report, in place.
  void symbolize(CrashReport& report) const;
  /// A console's text with file and line behind every function and offset that the files know, as
  /// scripts/decode_stacktrace.sh does it; the inline functions come on lines of their own before it, in the form
  /// that scan_console() reads. All else is as it was. `source_text`: the source line is put behind, too.
  std::string decode(std::string_view text, bool source_text = false) const;
  /// Build id of vmlinux, hex; empty: none.
  std::string build_id() const;

  /// Writes the index of the kernel, and those of the modules that were asked for until now, unless they are there:
  /// every address with its symbol, lines and inline functions, which symbolizers of this build id map from then on,
  /// this one included. Takes a second or so; other calls go on meanwhile. Of several processes one makes it, the
  /// others wait. Returns the kernel's file; empty when it has no build id or no debug information, or, see notes(),
  /// when the folder cannot be written: nothing needs an index. Interrupted.
  Path build_index() const;
  /// The kernel's is in use.
  bool indexed() const;
  /// What a user should know of the files: no debuginfod server has them, no index can be written. A report that is
  /// symbolized has them, too.
  std::vector<std::string> notes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// nm-style lookup on any ELF file with a symbol table, or a System.map: see KernelArtifact::lookup.
KDEV_API std::vector<SymbolMatch> lookup_symbol(const Path& elf_or_system_map, std::string_view address);

/// GNU build id of an ELF file, hex; empty: none. FormatError when it is no ELF.
KDEV_API std::string read_build_id(const Path& elf);

}  // namespace kdev
