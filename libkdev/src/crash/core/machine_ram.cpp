#include "crash/core/machine_ram.hpp"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <kdev/error.hpp>

#include "common/system_error.hpp"
#include "crash/core/core_access.hpp"
#include "crash/core/elf_core.hpp"
#include "crash/core/elf_notes.hpp"
#include "crash/core/machine_notes.hpp"
#include "crash/core/paged_memory.hpp"

namespace kdev::crash {
namespace {

using Range = hypervisor::MemoryRange;

class Text final : public guest::CoreBytes {
 public:
  explicit Text(const std::string& text) : text_(text) {}
  std::uint64_t size() const override { return text_.size(); }
  bool read(std::uint64_t offset, void* to, std::size_t size) const override {
    if (offset > text_.size() || size > text_.size() - offset) return false;
    std::memcpy(to, text_.data() + offset, size);
    return true;
  }

 private:
  const std::string& text_;
};

class MachineRam final : public PagedMemory {
 public:
  explicit MachineRam(const hypervisor::MachineMemory& memory) {
    struct stat st {};
    if (::fstat(memory.fd, &st) != 0) throw host_error("look at a machine's memory", errno);
    size_ = static_cast<std::uint64_t>(st.st_size);
    void* at = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, memory.fd, 0);
    if (at == MAP_FAILED) throw host_error("map a machine's memory", errno);
    bytes_ = static_cast<const char*>(at);
    for (const Range& range : memory.ranges)
      if (range.offset < size_ && range.size <= size_ - range.offset) ranges_.push_back(range);
    std::sort(ranges_.begin(), ranges_.end(),
              [](const Range& a, const Range& b) { return a.physical < b.physical; });
  }
  ~MachineRam() override { ::munmap(const_cast<char*>(bytes_), size_); }

  std::string format() const override { return "memory of a machine"; }
  std::string arch() const override { return "x86_64"; }
  std::vector<std::string> problems() const override { return problems_; }
  std::vector<guest::CoreNote> notes() const override { return notes_; }
  bool made_by_machine() const override { return crash::made_by_machine(notes_); }
  std::uint64_t physical_end() const override {
    return ranges_.empty() ? 0 : ranges_.back().physical + ranges_.back().size;
  }

  std::vector<guest::MemoryRange> physical_ranges() const override {
    std::vector<guest::MemoryRange> ranges;
    for (const Range& r : ranges_) add_run(ranges, guest::MemoryRange{r.physical, r.size});
    return ranges;
  }

  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    char* out = static_cast<char*>(to);
    while (size) {
      auto it = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                 [](std::uint64_t a, const Range& r) { return a < r.physical; });
      if (it == ranges_.begin() || address - (--it)->physical >= it->size) return false;
      const auto at = address - it->physical;
      const auto n = std::min<std::uint64_t>(size, it->size - at);
      std::memcpy(out, bytes_ + it->offset + at, n);
      out += n;
      address += n;
      size -= n;
    }
    return true;
  }

  void take(const std::vector<hypervisor::CpuRegisters>& cpus) {
    if (cpus.empty()) problems_.push_back("the machine does not tell its CPUs' registers");
    notes_ = machine_notes(cpus);
  }
  void take(const std::string& file) {
    if (file.empty()) {
      problems_.push_back("the machine does not tell its CPUs' registers");
      return;
    }
    try {
      int abi = 0;
      const Text text(file);
      if (const auto core = open_elf_core(text, &abi)) notes_ = core->notes();
    } catch (const FormatError& e) {
      // Of another mode: its kernel has not got as far as its own.
      problems_.push_back("the CPUs' registers: " + e.reason());
    }
  }

 private:
  std::uint64_t size_ = 0;
  const char* bytes_ = nullptr;
  std::vector<Range> ranges_;
  std::vector<guest::CoreNote> notes_;
  std::vector<std::string> problems_;
};

}  // namespace

std::unique_ptr<guest::CoreMemory> open_machine_ram(const hypervisor::MachineMemory& memory,
                                                    const std::string& cpu_notes) {
  auto made = std::make_unique<MachineRam>(memory);
  made->take(cpu_notes);
  return made;
}

std::unique_ptr<guest::CoreMemory> open_machine_ram(const hypervisor::MachineMemory& memory,
                                                    const std::vector<hypervisor::CpuRegisters>& cpus) {
  auto made = std::make_unique<MachineRam>(memory);
  made->take(cpus);
  return made;
}

Core open_core(const std::string& name, std::unique_ptr<guest::CoreMemory> memory, SymbolSources symbols) {
  return CoreMaker::make(CoreMaker::memory(name, std::move(memory), std::move(symbols)));
}

}  // namespace kdev::crash
