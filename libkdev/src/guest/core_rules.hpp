#pragma once
// What a guest's kernel leaves of itself: dumps on disks, formats of its own, and how its structures tell
// what it was doing. Structures are read by the names that the kernel's debug information knows, through
// KernelView; no offset is written down. Everything read is hostile: lists may be cyclic, sizes absurd.
#include <array>
#include <cstdint>
#include <kdev/core.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/memory_runs.hpp"

namespace kdev::guest {

/// A dump's file, decompressed. Thread-safe.
class CoreBytes {
 public:
  virtual ~CoreBytes() = default;
  virtual std::uint64_t size() const = 0;
  /// All of the range, or false.
  virtual bool read(std::uint64_t offset, void* to, std::size_t size) const = 0;
};

using CoreNote = kdev::CoreNote;

/// Where a kernel lies in memory.
struct KernelPlace {
  std::uint64_t page_tables = 0;  ///< physical address of the top one
  int levels = 4;                 ///< of page tables
  std::uint64_t slide = 0;        ///< what it was moved by since it was linked
};

/// Memory as a dump has it: one reader per format.
class CoreMemory {
 public:
  virtual ~CoreMemory() = default;
  virtual std::string format() const = 0;
  virtual std::string arch() const = 0;  ///< as KernelArtifact::arch
  /// All of the range, or false. A range may cross pages.
  virtual bool read_physical(std::uint64_t address, void* to, std::size_t size) const = 0;
  virtual bool read_virtual(std::uint64_t address, void* to, std::size_t size) const = 0;
  /// The kernel's message buffer as it lies in memory, where the format has a copy of its own; empty: it has
  /// none.
  virtual std::string raw_messages() const { return {}; }
  /// What is missing; empty: it is complete.
  virtual std::vector<std::string> problems() const { return {}; }
  virtual std::vector<CoreNote> notes() const { return {}; }
  /// The machine that the kernel ran on made it: notes of registers are of CPUs, by their numbers.
  virtual bool made_by_machine() const { return false; }
  /// End of the physical memory that it has.
  virtual std::uint64_t physical_end() const { return 0; }
  /// The physical memory that it has, in order, runs apart from each other. FormatError for far too many.
  virtual std::vector<MemoryRange> physical_ranges() const = 0;
  /// What is mapped in the kernel's half of the address space, in order; also what it has not got, devices
  /// for one. Empty: that is not known (yet). FormatError for far too many.
  virtual std::vector<Mapping> kernel_mappings(const Deadline&) const { return {}; }
  /// Virtual addresses need page tables that the format does not point to: it wants to be told where.
  virtual bool needs_page_tables() const { return false; }
  virtual void set_page_tables(std::uint64_t /*top*/, int /*levels*/) {}
};

/// Registers by their DWARF numbers.
struct Registers {
  std::uint64_t pc = 0;
  bool pc_is_return = false;  ///< a call lies before it; else it is the instruction itself
  std::map<int, std::uint64_t> values{};
};

/// A member of a structure.
struct Member {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< bytes
};

struct KernelSymbol {
  std::uint64_t address = 0;
  std::uint64_t size = 0;  ///< bytes; 0: not stated
};

/// A kernel's memory and its debug information.
class KernelView {
 public:
  virtual ~KernelView() = default;
  virtual bool read(std::uint64_t address, void* to, std::size_t size) const = 0;
  virtual const CoreMemory& memory() const = 0;
  /// What the kernel's file has at an address of its own, as it was linked; fewer bytes, when it has fewer.
  virtual std::string linked_bytes(std::uint64_t address, std::size_t size) const = 0;
  virtual std::optional<KernelSymbol> symbol(std::string_view name) const = 0;
  /// `path`: "td_name", "p_list.le_next", "data[2]". `unit`: end of the source file's name, for a structure
  /// of which there are several.
  virtual std::optional<Member> member(std::string_view type, std::string_view path,
                                       std::string_view unit = {}) const = 0;
  virtual std::optional<std::uint64_t> size_of(std::string_view type, std::string_view unit = {}) const = 0;
  /// A static variable of a function.
  virtual std::optional<KernelSymbol> static_variable(std::string_view /*function*/,
                                                      std::string_view /*name*/) const {
    return std::nullopt;
  }
  virtual std::optional<std::int64_t> enumerator(std::string_view name, std::string_view unit = {}) const = 0;

  // In terms of those.
  /// An unsigned number of 1 to 8 bytes.
  std::optional<std::uint64_t> number(std::uint64_t address, std::size_t size = 8) const;
  std::optional<std::uint64_t> number(std::uint64_t structure, std::string_view type, std::string_view path,
                                      std::string_view unit = {}) const;
  /// The number that a global variable holds.
  std::optional<std::uint64_t> variable(std::string_view name, std::size_t size = 8) const;
  /// Up to the zero byte, at most `limit` bytes.
  std::string text(std::uint64_t address, std::size_t limit = 256) const;
  /// A char array in a structure.
  std::string text_member(std::uint64_t structure, std::string_view type, std::string_view path,
                          std::string_view unit = {}) const;
};

/// A thread, and where its stack was left.
struct ThreadState {
  CoreThread thread;
  std::optional<Registers> registers{};
};

/// A module, and where its sections lie; for one that is linked at its address, none.
struct ModuleState {
  CoreModule module;
  std::map<std::string, std::uint64_t> sections{};
  std::string build_id{};  ///< GNU build id, hex; empty: not known
};

/// A step up a stack.
struct Unwound {
  Registers registers;
  bool trap = false;  ///< they are those of what was interrupted: on any stack
  bool end = false;   ///< the stack begins here
};

/// What the header of a kdump-compressed file says of a kernel.
struct KdumpHeader {
  std::array<std::string, 6> names{};  ///< of uname(2): system, node, release, version, machine, domain
  std::uint64_t physical_base = 0;     ///< what the kernel's addresses were moved by, in physical memory
};

/// A function's activation on a thread's stack, innermost first.
struct StackStep {
  std::string_view function{};  ///< empty: unknown
  std::uint64_t pc = 0, sp = 0;
};
/// Stacks of threads, for rules that look for something on them.
class StackSource {
 public:
  virtual ~StackSource() = default;
  /// At most `limit` of them.
  virtual std::vector<StackStep> stack(const ThreadState& thread, std::size_t limit) const = 0;
  /// The value that a register of an activation was left with that holds a variable of its function; nothing:
  /// none does.
  virtual std::optional<std::uint64_t> variable(const ThreadState& thread, std::size_t step,
                                                std::string_view name) const = 0;
};

class CoreRules {
 public:
  virtual ~CoreRules() = default;

  // Dumps on a disk.
  /// The header in a sector; `offset`, `partition` are not in it. Nothing: it is none. A damaged one has a
  /// `problem`.
  virtual std::optional<DumpInfo> dump_header(std::string_view) const { return std::nullopt; }
  /// Name of the lifted file, for a number.
  virtual std::string lifted_name(const DumpInfo&, const std::string& /*number*/) const { return {}; }
  /// The text beside it.
  virtual std::string info_text(const DumpInfo&, const std::string& /*device*/, int /*number*/) const {
    return {};
  }

  // A dump's file.
  /// A reader when the file is in a format of this guest alone; null: it is not. FormatError when it is one,
  /// but beyond use. `bytes` lives as long as the reader.
  virtual std::unique_ptr<CoreMemory> open(const CoreBytes&) const { return nullptr; }
  /// The rules for kernels of a machine, as CoreMemory::arch() names it. They live as long as these.
  virtual const CoreRules& of_machine(std::string_view /*arch*/) const { return *this; }
  /// A core file of plain physical memory is of this guest, by its notes and the OS ABI in its ELF header.
  virtual bool owns_elf(int /*abi*/, const CoreMemory&) const { return false; }
  /// Asked for when there are no page tables yet, of a view (which may be null) whose symbols are where they
  /// were linked. Nothing: it cannot be found.
  virtual std::optional<KernelPlace> place(const CoreMemory&, const KernelView*) const {
    return std::nullopt;
  }
  /// Name of the variable that version() reads.
  virtual std::string_view version_symbol() const { return "version"; }
  /// GNU build id of the kernel that crashed, hex, if the dump says it beside its memory.
  virtual std::string build_id(const CoreMemory&) const { return {}; }
  /// What the kernel tells dump tools of itself, by the dump's notes or in its memory.
  virtual std::string vmcoreinfo(const CoreMemory&, const KernelView*) const { return {}; }

  // What the kernel knew. Nothing, or what could be read, when structures are damaged; `notes` then say so.
  virtual std::string messages(const CoreMemory&, const KernelView*) const { return {}; }
  virtual std::vector<CoreMessage> message_list(const CoreMemory&, const KernelView*) const { return {}; }
  virtual std::string panic(const KernelView&) const { return {}; }
  /// The line that the kernel prints of a panic with that message.
  virtual std::string panic_line(const std::string& message) const { return "panic: " + message; }
  virtual std::string version(const KernelView&) const { return {}; }
  virtual std::optional<double> uptime(const KernelView&) const { return std::nullopt; }
  virtual std::vector<ModuleState> modules(const KernelView&, std::vector<std::string>& /*notes*/) const {
    return {};
  }
  virtual std::vector<ThreadState> threads(const KernelView&, std::vector<std::string>& /*notes*/) const {
    return {};
  }
  virtual std::vector<CoreCpu> cpus(const KernelView&, std::vector<std::string>& /*notes*/) const {
    return {};
  }
  /// Locks that threads wait for, with who holds them. Cycles and names of variables are the caller's.
  virtual std::vector<CoreLock> locks(const KernelView&, const std::vector<ThreadState>&, const StackSource&,
                                      std::vector<std::string>& /*notes*/) const {
    return {};
  }
  /// The code is of the scheduler: a thread that sleeps waits in what called it.
  virtual bool is_scheduler(const KernelView&, std::uint64_t /*pc*/) const { return false; }

  // Stacks.
  /// A function of assembly code that puts a trap's registers on the stack.
  virtual bool is_trap_entry(std::string_view /*function*/) const { return false; }
  /// The registers at the trap, when the entry's stack pointer is `sp` (where frame pointers led there, on
  /// some machines only below it); nothing: the stack begins here.
  virtual std::optional<Registers> trap_registers(const KernelView&, const Registers& /*entry*/,
                                                  std::uint64_t /*sp*/) const {
    return std::nullopt;
  }
  /// A step by unwind tables of the kernel's own; nothing: they do not know.
  virtual std::optional<Unwound> unwind(const KernelView&, const Registers&) const { return std::nullopt; }
  /// The stack pointer before a switch of stacks, when this is what it is where a function returns to that
  /// made one; nothing: it is none.
  virtual std::optional<std::uint64_t> switched_stack(const KernelView&, std::uint64_t /*sp*/) const {
    return std::nullopt;
  }
  /// An address that the kernel's code may have.
  virtual bool is_kernel_address(std::uint64_t) const { return true; }

  // Writing a dump anew. `view` and `place` may be null: they are not known.
  /// What owns_elf() knows a core file by that has no notes of a machine.
  virtual int elf_abi() const { return 0; }
  /// The dump's notes by which its readers find their way, or such as are made of what is known.
  virtual std::vector<CoreNote> self_notes(const CoreMemory&, const KernelView* /*view*/,
                                           const KernelPlace* /*place*/) const {
    return {};
  }
  /// Nothing: no tool for this guest reads such files.
  virtual std::optional<KdumpHeader> kdump_header(const CoreMemory&, const KernelView* /*view*/,
                                                  const KernelPlace* /*place*/) const {
    return std::nullopt;
  }
  /// The physical memory that holds what is to be left out, by the kernel's own lists, in order and apart
  /// from each other. Nothing: they cannot be read.
  virtual std::optional<std::vector<MemoryRange>> pages_of(const KernelView&,
                                                           const std::vector<PageKind>& /*what*/,
                                                           const Deadline&) const {
    return std::nullopt;
  }
};

}  // namespace kdev::guest
