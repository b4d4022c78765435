#pragma once
#include <cstdint>
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/path.hpp>
#include <kdev/source_tree.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev {

namespace crash {
struct CoreMaker;
}

/// A dump that a kernel left on a disk or a partition, as the headers before and behind it tell. A value.
struct KDEV_API DumpInfo {
  std::string kind{};            ///< "core": memory; "text": a tar of texts
  Os os = Os::linux;             ///< whose it is
  int partition = 0;             ///< on which it lies, 1-based; 0: on the medium itself
  std::string partition_name{};  ///< its label; empty: none
  std::uint64_t offset = 0;      ///< of its first byte in the (raw) image; of a text dump, of its last block
  std::uint64_t length = 0;      ///< bytes, without headers; as stored, so compressed ones are short
  std::uint64_t extent = 0;      ///< bytes set aside for it
  std::uint32_t block_size = 0;  ///< of the medium
  std::uint32_t key_size = 0;    ///< bytes of its encrypted key; 0: it is not encrypted
  std::string magic{};
  std::string arch{};  ///< as the kernel calls it: "amd64"
  std::uint32_t version = 0, arch_version = 0;
  std::int64_t time = 0;  ///< seconds since 1970
  std::string hostname{};
  std::string version_text{};  ///< the kernel's version string; ends with a newline
  std::string panic{};         ///< empty: there was none
  std::string compression{};   ///< "none", "gzip", "zstd", or a number that is not known
  std::uint32_t parity = 0;    ///< as stored
  std::string problem{};       ///< why it cannot be lifted; empty: it is whole
  bool encrypted() const { return key_size != 0; }
  bool operator==(const DumpInfo&) const = default;
  std::string to_json() const;
  static DumpInfo from_json(std::string_view json);
};

/// Dumps on a raw disk image, a partition's image or a qcow2 (which is converted to a sparse temporary
/// first), in the order of partitions, the medium itself first. None is an empty list. HostError,
/// TimeoutError, Interrupted.
KDEV_API std::vector<DumpInfo> find_dumps(const Path& image, const Deadline& deadline = {});

/// A dump in files, named and made as savecore(8) does.
struct LiftedDump {
  DumpInfo info;
  int number = 0;    ///< N
  Path file{};       ///< vmcore.N, vmcore.N.gz, vmcore.N.zst or textdump.tar.N; zero blocks are holes
  Path info_file{};  ///< info.N
  bool operator==(const LiftedDump&) const = default;
};

/// Copies the image's dump into `dir` (made if need be) under the next number of dir/bounds. `partition`: of
/// the one meant, when there are several. FormatError, saying what was found, when there is no dump, several,
/// or one that is cut off, damaged or encrypted; the folder is left as it was then.
KDEV_API LiftedDump lift_dump(const Path& image, const Path& dir, std::optional<int> partition = {},
                              const Deadline& deadline = {});

/// What a text dump's tar holds.
struct KDEV_API TextDump {
  std::string debugger{};                       ///< ddb.txt: what the debugger's scripts printed
  std::string config{};                         ///< config.txt
  std::string messages{};                       ///< msgbuf.txt
  std::string panic{};                          ///< panic.txt, without its last newline
  std::string version{};                        ///< version.txt, likewise
  std::map<std::string, std::string> others{};  ///< further members
  bool operator==(const TextDump&) const = default;
};

/// Reads textdump.tar.N (also compressed). FormatError for what is none; a member of more than 64 MiB is one,
/// too.
KDEV_API TextDump read_text_dump(const Path& tar);

/// A kernel module as it was loaded.
struct CoreModule {
  std::string name{};         ///< as the kernel lists it: "nullfs.ko"
  std::string path{};         ///< in the guest
  std::uint64_t address = 0;  ///< of its first section
  std::uint64_t size = 0;     ///< bytes
  Path file{};                ///< with its symbols, on this host; empty: none was found
  bool operator==(const CoreModule&) const = default;
};

/// A thread when the kernel stopped.
struct CoreThread {
  int pid = -1;
  int tid = -1;           ///< unique; of Linux's idle tasks, all of which have 0, -N-1 for CPU N > 0
  std::string process{};  ///< the process's name
  std::string name{};     ///< the thread's own
  std::string
      state{};  ///< "running", "runnable", "sleeping", "locked", "stopped", "interrupt", "zombie", ...
  std::string wait_channel{};  ///< what it sleeps for; empty: nothing
  int cpu = -1;                ///< on which it ran; -1: it did not
  bool panicked = false;       ///< it called for the dump
  std::uint64_t address = 0;   ///< of the kernel's structure
  bool operator==(const CoreThread&) const = default;
};

/// A processor when the kernel stopped.
struct CoreCpu {
  int id = 0;
  int tid = -1;  ///< of the thread that ran there; -1: unknown
  bool operator==(const CoreCpu&) const = default;
};

/// Memory that a written dump may do without, as the kernel's own lists tell it. Pages of zeros take no space
/// in any case.
enum class PageKind {
  free,   ///< nobody has it
  user,   ///< programs' own: stacks, heaps
  cache,  ///< files' content
};

/// Of the pages in a kdump-compressed file.
enum class KdumpCompression { none, zlib, zstd };

/// A dump that was written.
struct WrittenDump {
  Path file{};
  std::uint64_t memory = 0;            ///< bytes of physical memory in it
  std::uint64_t size = 0;              ///< bytes that the file takes on its disk; holes take none
  std::vector<std::string> command{};  ///< opens it: {"gdb", "vmlinux", "vmcore", ...}, {"crash", ...}
  std::string script{};              ///< for gdb -x: it leads backtraces through traps; empty: none is needed
  std::vector<std::string> notes{};  ///< what a reader should know
  bool operator==(const WrittenDump&) const = default;
};

/// A message of the kernel's.
struct CoreMessage {
  std::optional<double> time{};  ///< seconds since the boot; absent: not kept
  int level = -1;                ///< as syslog(3) has it, 0 (emergency) to 7 (debug); -1: not kept
  std::string caller{};          ///< who said it: "T31", the task, or "C1", the CPU; empty: not kept
  std::string text{};            ///< may have several lines; no newline at its end
  bool operator==(const CoreMessage&) const = default;
};

/// A note beside a dump's memory, as in an ELF core file (elf(5)).
struct CoreNote {
  std::string name{};  ///< of its owner: "CORE", "VMCOREINFO"
  std::uint32_t type = 0;
  std::string data{};
  bool operator==(const CoreNote&) const = default;
};

/// A lock that threads waited for, or are stuck with.
struct CoreLock {
  std::uint64_t address = 0;
  std::string kind{};          ///< "mutex", "rwsem", "spinlock"; "sleep mutex", "sx", "rw", "lockmgr"
  std::string name{};          ///< the variable that it is in, or what the kernel calls it; empty: unknown
  std::vector<int> holders{};  ///< tids; of a lock that is held shared, those that are known
  std::vector<int> waiters{};  ///< tids, in the lock's order where it has one
  bool shared = false;         ///< it is held by readers
  bool deadlock = false;       ///< holders wait for it by way of other locks
  bool operator==(const CoreLock&) const = default;
};

/// A kernel's memory: a dump, read in place (gzip and zstd files are unpacked to a temporary without a name
/// first), or that of a machine (VM::core()). What needs no symbols (format, memory, messages) works without
/// the kernel's file. Damage in a dump is no error but a note, and what could be read. Thread-safe for const
/// calls behind an internal lock. A handle: move-only.
class KDEV_API Core {
 public:
  /// `symbols`: the kernel that crashed, and modules' files. HostError, FormatError (what is no dump: what it
  /// is instead), TimeoutError, Interrupted.
  explicit Core(const Path& file, SymbolSources symbols = {}, const Deadline& deadline = {});
  Core(Core&&) noexcept;
  Core& operator=(Core&&) noexcept;
  ~Core();

  std::string format() const;  ///< "minidump 3", "elf", "kdump-compressed, flattened", "memory of a machine"
  Os os() const;
  std::string arch() const;  ///< "x86_64", "aarch64"
  /// All of what the format promises is there.
  bool complete() const;
  /// What a reader should know: what is cut off, does not fit, could not be read.
  std::vector<std::string> notes() const;

  /// FormatError when a part of the range is not in the dump.
  std::string read(std::uint64_t address, std::size_t size) const;
  std::string read_physical(std::uint64_t address, std::size_t size) const;
  /// End of the physical memory that it has; 0: not known.
  std::uint64_t physical_end() const;

  /// What its maker wrote beside memory: registers of CPUs, VMCOREINFO, ...
  std::vector<CoreNote> elf_notes() const;
  /// What a Linux kernel tells dump tools of itself (lines "KEY=VALUE"): the note's text, else what lies in
  /// memory, where the kernel's file says. Empty: neither.
  std::string vmcoreinfo() const;
  /// The file with the kernel's symbols; empty: none was given.
  Path kernel_file() const;
  /// How far from where it was linked the kernel runs (KASLR); 0 also where that is not known.
  std::uint64_t slide() const;
  /// Where its source is now; empty: that was not said.
  Path source_tree() const;
  /// The symbol at an address, of code or data; a module's function has its name behind it: "greet
  /// [crasher]".
  std::optional<SymbolMatch> lookup(std::uint64_t address) const;

  std::string panic() const;    ///< the panic's message; empty: none, or it is not known
  std::string version() const;  ///< the kernel's version string
  /// The kernel's message buffer, oldest first, without the levels that it keeps in it.
  std::string dmesg() const;
  /// The same, one by one.
  std::vector<CoreMessage> messages() const;
  std::optional<double> uptime() const;  ///< seconds
  std::vector<CoreModule> modules() const;
  std::vector<CoreThread> threads() const;
  std::vector<CoreCpu> cpus() const;
  /// The locks that threads waited for, by address. Without the kernel's debug information none.
  std::vector<CoreLock> locks() const;
  /// Where a thread's stack was left, as far as the dump has it: "RIP", "RSP", ... or
  /// "PC", "sp", "x19", ... in hex.
  std::map<std::string, std::string> registers(int tid) const;
  /// A thread's stack, through traps, with inline functions, file and line. `variables`: with the arguments
  /// and local variables of each frame, as far as the debug information knows them. ConfigError when there is
  /// no such thread.
  StackTrace stack(int tid, bool variables = false) const;
  /// The crash as scan_console() reports it, its frames from the dump's stack, with their variables.
  CrashReport report() const;

  // Writing it anew. The file appears whole, or not at all; one that is there is replaced. FormatError when
  // the dump is not complete, its page tables are not known, or a part of it cannot be read; ConfigError for
  // what cannot be left out (without the kernel's file, of a system or version whose lists kdev does not
  // know) and for dumps of other machines than x86_64; HostError, TimeoutError, Interrupted.
  /// An ELF core file for debuggers: the kernel's virtual addresses, one NT_PRSTATUS per thread whose pr_pid
  /// is its tid (-1 for 0, which gdb does not know), the panicked one first. Memory that no kernel address
  /// leads to is not in it. It is sparse.
  WrittenDump write_elf(const Path& file, const std::vector<PageKind>& leave_out = {},
                        const Deadline& deadline = {}) const;
  /// A kdump-compressed file (version 6), as makedumpfile writes them. ConfigError also for guests that have
  /// no tools for these.
  WrittenDump write_kdump(const Path& file, KdumpCompression compression = KdumpCompression::zlib,
                          const std::vector<PageKind>& leave_out = {}, const Deadline& deadline = {}) const;

 private:
  struct State;
  friend struct crash::CoreMaker;
  explicit Core(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kdev
