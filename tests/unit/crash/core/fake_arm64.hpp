#pragma once
// Minidumps of an arm64 kernel that the test compiles (fixture/kernel.c).
#include "unit/crash/core/fake_dump.hpp"

namespace kdev::test {

/// Empty: this machine cannot compile for arm64; `why` says what is missing.
inline std::string arm64_compiler(std::string& why) {
  if (!local_host()->which("clang"))
    why = "no clang";
  else if (!local_host()->which("ld.lld"))
    why = "no ld.lld";
  return why.empty() ? "clang" : "";
}

/// Memory of a kernel whose pages do not lie in their order.
class Arm64Memory {
 public:
  static constexpr std::uint64_t base = 0xffff000000000000, direct_base = 0xffffa00000000000,
                                 direct_end = 0xffffff0000000000, direct_physical = 0x40000000,
                                 load = 0x40200000, covered = 64u << 20;
  explicit Arm64Memory(std::uint64_t page = 4096) : page_(page) {}

  std::uint64_t physical(std::uint64_t address) const {
    const auto at = address - base;
    return load + (at / page_ ^ 5) * page_ + at % page_;
  }
  void put(std::uint64_t address, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto place = physical(address);
      auto& page = pages_.try_emplace(place / page_ * page_, page_, '\0').first->second;
      const auto at = place % page_, n = std::min<std::uint64_t>(page_ - at, bytes.size());
      page.replace(at, n, bytes.substr(0, n));
      address += n;
      bytes.remove_prefix(n);
    }
  }
  void put_number(std::uint64_t address, std::uint64_t value) {
    put(address, {reinterpret_cast<const char*>(&value), 8});
  }
  /// What an ELF program loads, moved by `slide`.
  void load_elf(const Path& elf, std::uint64_t slide = 0) {
    const auto file = content_of(elf);
    Elf64_Ehdr header;
    std::memcpy(&header, file.data(), sizeof(header));
    for (int i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr p;
      std::memcpy(&p, file.data() + header.e_phoff + static_cast<std::size_t>(i) * sizeof(p), sizeof(p));
      if (p.p_type != PT_LOAD) continue;
      put(p.p_vaddr + slide, std::string(p.p_memsz, '\0'));
      put(p.p_vaddr + slide, std::string_view(file).substr(p.p_offset, p.p_filesz));
    }
  }

  std::string minidump(int version, std::string_view messages) const {
    // AF, UXN, and what is left to software.
    constexpr std::uint64_t attributes = 3 | 1u << 10 | std::uint64_t{1} << 54 | std::uint64_t{0xf} << 55;
    const std::uint64_t end = 0x80400000;
    std::string tables, list, bitmap, data;
    const auto add = [](std::string& to, std::uint64_t n) {
      to.append(reinterpret_cast<const char*>(&n), 8);
    };
    for (std::uint64_t at = base; at < base + covered; at += page_)
      add(tables, pages_.count(physical(at)) ? physical(at) | attributes : at % (3 * page_) ? 0 : 1);
    using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
    // With a hole between.
    const auto ranges =
        version == 1 ? Ranges{{0, end}} : Ranges{{direct_physical, 0x50000000}, {end - (4 << 20), end}};
    std::uint64_t bit = 0;
    for (const auto& [start, stop] : ranges) {
      add(list, start);
      add(list, stop);
      for (auto at = start; at < stop; at += page_, ++bit) {
        if (bitmap.size() <= bit / 8) bitmap.resize(bit / 8 + 8);
        const auto it = pages_.find(at);
        if (it == pages_.end()) continue;
        bitmap[bit / 8] = static_cast<char>(bitmap[bit / 8] | 1 << bit % 8);
        data += it->second;
      }
    }
    list.resize(page_);
    bitmap.resize((bitmap.size() + page_ - 1) / page_ * page_);
    const auto padded = [&](std::string s) {
      s.resize((s.size() + page_ - 1) / page_ * page_);
      return s;
    };
    std::string header(page_, '\0');
    header.replace(0, 22, "minidump FreeBSD/arm64");
    put_le(header, 24, static_cast<std::uint64_t>(version), 4);
    put_le(header, 28, messages.size(), 4);
    put_le(header, 32, bitmap.size(), 4);
    put_le(header, 36, tables.size(), 4);
    put_le(header, 40, base, 8);
    put_le(header, 48, direct_physical, 8);
    put_le(header, 56, direct_base, 8);
    put_le(header, 64, direct_end, 8);
    if (version >= 2) put_le(header, 72, list.size(), 4);
    if (version >= 3) put_le(header, 76, page_ == 16384, 4);
    return header + padded(std::string(messages)) + (version >= 2 ? list : "") + padded(bitmap) +
           padded(tables) + data;
  }

 private:
  std::uint64_t page_;
  std::map<std::uint64_t, std::string> pages_;  // by physical address
};

/// The kernel compiled, and its memory.
class Arm64Kernel {
 public:
  /// `options`: "NAME" to define, or one of the compiler's.
  explicit Arm64Kernel(const std::vector<std::string>& options = {}, std::size_t written = 0,
                       std::uint64_t page = 4096)
      : memory(page) {
    std::vector<std::string> argv = compile(file(), "tests/unit/crash/core/fixture/kernel.c");
    for (const char* option : {"-static", "-fno-pie", "-Wl,--image-base=0xffff000000000000", "-Wl,-e,0"})
      argv.push_back(option);
    argv.push_back("-DMESSAGES=\"\"");
    argv.push_back("-DWRITTEN=" + std::to_string(written));
    for (const auto& o : options) argv.push_back(o[0] == '-' ? o : "-D" + o);
    local_host()->check("compile the kernel", {.argv = argv});
    memory.load_elf(file());
    const ElfFile elf(file(), "test");
    for (const auto& s : elf.symbols()) symbols[std::string(s.name)] = s.address;
  }
  Path file() const { return folder_ / "kernel.full"; }
  const Folder& folder() const { return folder_; }
  SymbolSources sources() const {
    SymbolSources s;
    s.vmlinux = file();
    s.source = Path(KDEV_SOURCE_DIR);
    return s;
  }
  /// A module as kmod.mk links them for arm64: a shared object.
  Path module(const std::string& name) const {
    const Path file = folder_ / name;
    std::vector<std::string> argv = compile(file, "tests/unit/crash/core/fixture/shared_module.c");
    for (const char* option : {"-shared", "-fPIC"}) argv.push_back(option);
    local_host()->check("compile a module", {.argv = argv});
    return file;
  }

  Arm64Memory memory;
  std::map<std::string, std::uint64_t> symbols;

 private:
  static std::vector<std::string> compile(const Path& to, const std::string& source) {
    return {"clang",
            "--target=aarch64-unknown-freebsd",
            "-g",
            "-O1",
            "-ffreestanding",
            "-fno-omit-frame-pointer",
            "-momit-leaf-frame-pointer",
            "-fno-stack-protector",
            "-fno-asynchronous-unwind-tables",
            "-nostdlib",
            "-fuse-ld=lld",
            "-w",
            "-Wl,--build-id",
            "-o",
            to.string(),
            (Path(KDEV_SOURCE_DIR) / source).string()};
  }
  Folder folder_;
};

}  // namespace kdev::test
