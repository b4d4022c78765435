#pragma once
// What a Core knows, made when it is first asked for.
#include <mutex>

#include "crash/core/core_file.hpp"
#include "crash/core/kernel_image.hpp"
#include "crash/core/unwinder.hpp"
#include "guest/guest.hpp"

namespace kdev {

struct Core::State {
  /// The dump's memory with the kernel's symbols.
  class View final : public guest::KernelView {
   public:
    View(const guest::CoreMemory& memory, const crash::KernelImage& image) : memory_(memory), image_(image) {}
    bool read(std::uint64_t address, void* to, std::size_t size) const override {
      return memory_.read_virtual(address, to, size);
    }
    const guest::CoreMemory& memory() const override { return memory_; }
    std::string linked_bytes(std::uint64_t address, std::size_t size) const override {
      return std::string(image_.kernel().file().bytes_at(address, size));
    }
    std::optional<guest::KernelSymbol> symbol(std::string_view name) const override {
      return image_.symbol(name);
    }
    std::optional<guest::Member> member(std::string_view type, std::string_view path,
                                        std::string_view unit) const override {
      return image_.types().member(type, path, unit);
    }
    std::optional<std::uint64_t> size_of(std::string_view type, std::string_view unit) const override {
      return image_.types().size_of(type, unit);
    }
    std::optional<guest::KernelSymbol> static_variable(std::string_view function,
                                                       std::string_view name) const override {
      return image_.static_variable(function, name);
    }
    std::optional<std::int64_t> enumerator(std::string_view name, std::string_view unit) const override {
      return image_.types().enumerator(name, unit);
    }

   private:
    const guest::CoreMemory& memory_;
    const crash::KernelImage& image_;
  };

  State(const Path& file, SymbolSources sources, const Deadline& deadline);
  /// Memory of a kernel of `sources.os`. `name`: for messages.
  State(const std::string& name, std::unique_ptr<guest::CoreMemory> ram, SymbolSources sources);

  const guest::KernelView* kernel_view() const { return view ? &*view : nullptr; }
  const std::vector<CoreModule>& list_modules();
  const std::vector<guest::ThreadState>& list_threads();
  const guest::ThreadState& thread(int tid);
  std::string messages() const;
  /// The frames of a stack; `expanded`: with inline functions; `variables`: those of expanded ones.
  std::vector<StackFrame> frames(const guest::Registers& registers, bool expanded, bool variables = false);
  /// Puts files, lines and inline functions into what the kernel printed of a stack.
  void expand_printed(CrashReport& report, StackTrace& trace);
  /// Fills in what sleeping threads wait for.
  std::string wait_channel(const guest::ThreadState& thread);
  std::vector<CoreLock> list_locks();
  /// Finds out what a report's fault meant. `stopped`: of the thread that it is of.
  void explain(CrashReport& report, const guest::Registers& stopped);
  void note(std::string text);

  // core_write.cpp: what a dump written anew has.
  std::vector<guest::MemoryRange> kept(const std::vector<PageKind>& leave_out, const std::string& attempted,
                                       const Deadline& deadline);
  std::vector<guest::CoreNote> thread_notes();
  std::vector<guest::CoreNote> cpu_notes();
  std::vector<std::string> gdb_command(const Path& core) const;

 private:
  /// Once `guest` and `memory` are known.
  void begin(SymbolSources sources);
  /// Whether the kernel's file is that of the kernel in memory.
  void compare();

 public:
  mutable std::mutex mutex;
  Path path;
  std::string attempted;
  crash::CoreFile file;
  const guest::Guest* guest = nullptr;
  const guest::CoreRules* rules = nullptr;
  std::unique_ptr<guest::CoreMemory> memory;
  const crash::Machine* machine = nullptr;
  std::optional<guest::KernelPlace> place;    // where it was asked for
  std::unique_ptr<crash::KernelImage> image;  // null: no symbols were given
  std::optional<View> view;                   // empty: likewise
  std::vector<std::string> notes;
  std::optional<std::vector<CoreModule>> modules;
  std::optional<std::vector<guest::ThreadState>> threads;
  std::shared_ptr<const void> held;  // what its files lie in
};

}  // namespace kdev
