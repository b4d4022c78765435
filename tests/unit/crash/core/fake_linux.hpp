#pragma once
// Dumps of a Linux kernel that the test compiles.
#include <fmt/format.h>

#include "unit/crash/core/fake_dump.hpp"

namespace kdev::test {

inline std::string note(const std::string& name, std::uint32_t type, std::string data) {
  const auto word = [](std::size_t n) { return std::string(reinterpret_cast<const char*>(&n), 4); };
  std::string all = word(name.size() + 1) + word(data.size()) + word(type) + name;
  all.resize((all.size() + 4) / 4 * 4);
  all += data;
  all.resize((all.size() + 3) / 4 * 4);
  return all;
}

/// struct elf_prstatus of x86-64.
inline std::string prstatus(std::uint32_t pid, std::uint64_t ip, std::uint64_t sp, std::uint64_t bp,
                            std::uint64_t cs = 0x10) {
  std::string data(336, '\0');
  put_le(data, 32, pid, 4);
  put_le(data, 112 + 4 * 8, bp, 8);
  put_le(data, 112 + 16 * 8, ip, 8);
  put_le(data, 112 + 17 * 8, cs, 8);
  put_le(data, 112 + 19 * 8, sp, 8);
  return note("CORE", 1, data);
}

/// As makedumpfile -F writes it: pieces in any order, each with its place.
inline std::string flattened(const std::string& whole) {
  const auto word = [](std::uint64_t n) {
    std::string s;
    for (int shift = 56; shift >= 0; shift -= 8) s += static_cast<char>(n >> shift);
    return s;
  };
  std::string file = "makedumpfile" + std::string(4, '\0') + word(1) + word(1);
  file.resize(4096);
  constexpr std::size_t piece = 100000;
  for (std::size_t i = (whole.size() + piece - 1) / piece; i-- > 0;) {
    const auto part = whole.substr(i * piece, piece);
    file += word(i * piece) + word(part.size()) + part;
  }
  return file + word(~0ull) + word(~0ull);
}

/// A kernel and dumps of it. `text`: where it is linked, as it lies in memory.
struct LinuxKernel : FakeKernel {
  explicit LinuxKernel(std::vector<std::string> defines = {}, const std::string& text = "0xffffffff81000000",
                       const std::string& fixture = "linux_kernel.c")
      : FakeKernel(std::move(defines), "", 0, fixture, text) {}

  std::uint64_t stack(int which, int n) const {
    return symbols.at("stacks") + static_cast<std::uint64_t>(which * 4096 + n * 8);
  }
  /// As QEMU writes them; `second`: pid in CPU 1's.
  std::string cpu_notes(bool qemu = true) const {
    const auto idle = prstatus(qemu ? 1 : 0, symbols.at("cpu_idle") + 16, stack(3, 400), stack(3, 402));
    const auto panic = prstatus(qemu ? 2 : 31, symbols.at("panic") + 16, stack(1, 490), stack(1, 500));
    return (qemu ? idle + panic : panic + idle) + (qemu ? note("QEMU", 0, std::string(440, '\0')) : "");
  }
  std::string vmcoreinfo(std::uint64_t slide = 0) const {
    return note("VMCOREINFO", 0,
                fmt::format("OSRELEASE=6.1.0-test\nSYMBOL(init_top_pgt)={:x}\nNUMBER(phys_base)={}\n"
                            "NUMBER(pgtable_l5_enabled)=0\nKERNELOFFSET={:x}\nNUMBER(PG_lru)=4\n"
                            "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n",
                            symbols.at("init_top_pgt"), load_address, slide));
  }
  std::string dump(const std::string& notes) const { return dump(notes, memory); }
  std::string dump(const std::string& notes, const FakeMemory& m) const {
    return m.mapped(physical("init_top_pgt")).elf_file(ELFOSABI_NONE, notes);
  }
  Core open(const std::string& bytes) const { return Core(folder().write("vmcore", bytes), sources()); }
};

}  // namespace kdev::test
