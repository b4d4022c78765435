#pragma once
// Dumps of a kernel that the test compiles (fixture/kernel.c), in all formats.
#include <elf.h>

#include <cstring>
#include <kdev/core.hpp>
#include <kdev/host.hpp>
#include <map>
#include <string>
#include <vector>

#include "common/elf_file.hpp"
#include "unit/crash/core/dump_media.hpp"

namespace kdev::test {

constexpr std::uint64_t kernel_base = 0xffffffff80000000, load_address = 0x600000, page_size = 4096;

/// Physical memory, and the kernel's mapping of it: kernel_base + x is at load_address + x.
class FakeMemory {
 public:
  std::map<std::uint64_t, std::string> pages;  ///< by physical address

  void put(std::uint64_t physical, std::string_view bytes) {
    while (!bytes.empty()) {
      auto& page = pages.try_emplace(physical / page_size * page_size, page_size, '\0').first->second;
      const auto at = physical % page_size, n = std::min<std::uint64_t>(page_size - at, bytes.size());
      page.replace(at, n, bytes.substr(0, n));
      physical += n;
      bytes.remove_prefix(n);
    }
  }
  void put_number(std::uint64_t physical, std::uint64_t value) {
    put(physical, {reinterpret_cast<const char*>(&value), 8});
  }
  static std::uint64_t physical(std::uint64_t address) { return address - kernel_base + load_address; }

  /// What an ELF program loads.
  void load(const Path& elf) {
    const auto file = content_of(elf);
    Elf64_Ehdr header;
    std::memcpy(&header, file.data(), sizeof(header));
    for (int i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr p;
      std::memcpy(&p, file.data() + header.e_phoff + i * sizeof(p), sizeof(p));
      if (p.p_type != PT_LOAD || p.p_vaddr < kernel_base) continue;
      put(physical(p.p_vaddr), std::string(p.p_memsz, '\0'));
      put(physical(p.p_vaddr), std::string_view(file).substr(p.p_offset, p.p_filesz));
    }
  }

  /// The file of a minidump; version 1 to 3. The page directory's entries are 2 MiB each in 2 and 3, of which
  /// the first after kernel_base is a large page.
  std::string minidump(int version, std::string_view messages) const {
    auto all = pages;
    constexpr std::uint64_t covered = 64u << 20, flags = 3;
    std::string directory;
    std::uint64_t next_table = 0x40000000;
    const auto add = [&](std::uint64_t entry) { directory.append(reinterpret_cast<const char*>(&entry), 8); };
    for (std::uint64_t at = 0; at < covered; at += version == 1 ? page_size : 2u << 20) {
      const auto place = load_address + at;
      if (version == 1) {
        add(all.count(place) ? place | flags : 0);
      } else if (at == 0) {
        add(place | flags | 0x80);
      } else {
        std::string table;
        for (std::uint64_t i = 0; i < 512; ++i) {
          const std::uint64_t entry =
              pages.count(place + i * page_size) ? (place + i * page_size) | flags : 0;
          table.append(reinterpret_cast<const char*>(&entry), 8);
        }
        all[next_table] = table;
        add(next_table | flags);
        next_table += page_size;
      }
    }
    // Ranges with a hole between.
    const std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges =
        version == 3
            ? std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 0x10000000}, {0x40000000, 0x41000000}}
            : std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 0x41000000}};
    std::string bitmap, data, list;
    for (const auto& [start, end] : ranges) {
      list.append(reinterpret_cast<const char*>(&start), 8).append(reinterpret_cast<const char*>(&end), 8);
      for (auto at = start; at < end; at += page_size) {
        const auto bit = (at - start) / page_size + (start ? 0x10000000 / page_size : 0);
        if (bitmap.size() <= bit / 8) bitmap.resize(bit / 8 + 8);
        const auto it = all.find(at);
        if (it == all.end()) continue;
        bitmap[bit / 8] |= static_cast<char>(1 << bit % 8);
        data += it->second;
      }
    }
    std::string header(page_size, '\0');
    header.replace(0, 22, "minidump FreeBSD/amd64");
    put_le(header, 24, static_cast<std::uint64_t>(version), 4);
    put_le(header, 28, messages.size(), 4);
    put_le(header, 32, bitmap.size(), 4);
    put_le(header, 36, directory.size(), 4);
    put_le(header, 40, kernel_base, 8);
    put_le(header, 48, 0xfffff80000000000, 8);
    put_le(header, 56, 0xfffff80100000000, 8);
    if (version == 3) put_le(header, 64, page_size, 4);
    const auto padded = [](std::string s) {
      s.resize((s.size() + page_size - 1) / page_size * page_size);
      return s;
    };
    list.resize(page_size);
    return header + padded(std::string(messages)) + (version == 3 ? list : "") + padded(bitmap) +
           padded(directory) + data;
  }

  /// The file of a full dump of FreeBSD. The kernel's page tables are made, and `top_at`, a physical address,
  /// gets theirs.
  std::string elf(std::uint64_t top_at) const {
    FakeMemory m = *this;
    m.put_number(top_at, page_tables);
    return m.mapped(page_tables).elf_file(ELFOSABI_STANDALONE);
  }
  static constexpr std::uint64_t page_tables = 0x8000000, direct_map = 0xffff888000000000;

  /// With page tables for the kernel, the top one of which is at `top`: of itself, and of 4 GiB of memory
  /// from direct_map on.
  FakeMemory mapped(std::uint64_t top) const {
    FakeMemory m = *this;
    constexpr std::uint64_t flags = 3, tables = page_tables;
    m.put_number(top + (kernel_base >> 39 & 511) * 8, (tables + page_size) | flags);
    m.put_number(tables + page_size + (kernel_base >> 30 & 511) * 8, (tables + 2 * page_size) | flags);
    m.put_number(top + (direct_map >> 39 & 511) * 8, (tables + 20 * page_size) | flags);
    for (std::uint64_t i = 0; i < 4; ++i)
      m.put_number(tables + 20 * page_size + i * 8, i << 30 | flags | 0x80);
    for (std::uint64_t i = 0; i < 16; ++i) {
      const auto table = tables + (3 + i) * page_size;
      m.put_number(tables + 2 * page_size + i * 8, i == 0 ? load_address | flags | 0x80 : table | flags);
      for (std::uint64_t k = 0; k < 512; ++k)
        m.put_number(table + k * 8, (load_address + (i * 512 + k) * page_size) | flags);
    }
    return m;
  }

  /// An ELF core file of it; `notes`: of its PT_NOTE segment, if there is to be one.
  std::string elf_file(unsigned char abi, const std::string& notes = {}) const {
    std::vector<std::pair<std::uint64_t, std::string>> segments;
    for (const auto& [at, page] : pages) {
      if (segments.empty() || segments.back().first + segments.back().second.size() != at)
        segments.push_back({at, {}});
      segments.back().second += page;
    }
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_ident[EI_OSABI] = abi;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<std::uint16_t>(segments.size() + (notes.empty() ? 0 : 1));
    std::string file(reinterpret_cast<const char*>(&header), sizeof(header)), data;
    const auto begin = (sizeof(header) + header.e_phnum * sizeof(Elf64_Phdr) + notes.size() + page_size - 1) /
                       page_size * page_size;
    if (!notes.empty()) {
      Elf64_Phdr p{};
      p.p_type = PT_NOTE;
      p.p_offset = sizeof(header) + header.e_phnum * sizeof(Elf64_Phdr);
      p.p_filesz = notes.size();
      file.append(reinterpret_cast<const char*>(&p), sizeof(p));
    }
    for (const auto& [at, bytes] : segments) {
      Elf64_Phdr p{};
      p.p_type = PT_LOAD;
      p.p_offset = begin + data.size();
      p.p_vaddr = p.p_paddr = at;
      p.p_filesz = p.p_memsz = bytes.size();
      file.append(reinterpret_cast<const char*>(&p), sizeof(p));
      data += bytes;
    }
    file += notes;
    file.resize(begin);
    return file + data;
  }
};

/// The kernel compiled, and its memory.
class FakeKernel {
 public:
  /// `messages`: what its buffer holds, written up to `written`.
  /// `fixture`: its source file. `text`: where it is linked.
  explicit FakeKernel(std::vector<std::string> defines = {}, const std::string& messages = {},
                      std::size_t written = 0, const std::string& fixture = "kernel.c",
                      const std::string& text = "0xffffffff81000000") {
    const Path source = Path(KDEV_SOURCE_DIR) / "tests/unit/crash/core/fixture" / fixture;
    std::string literal = "\"";
    for (const char c : messages) literal += c == '\n' ? "\\n" : c == '"' ? "\\\"" : std::string(1, c);
    std::vector<std::string> argv{"cc",
                                  "-g",
                                  "-O1",
                                  "-fno-pie",
                                  "-ffreestanding",
                                  "-mcmodel=kernel",
                                  "-fno-stack-protector",
                                  "-fno-asynchronous-unwind-tables",
                                  "-fno-omit-frame-pointer",
                                  "-nostdlib",
                                  "-static",
                                  "-no-pie",
                                  "-w",
                                  "-Wl,--build-id",
                                  "-Wl,-Ttext-segment=" + text,
                                  "-Wl,--defsym=_text=" + text,
                                  "-Wl,--defsym=kernbase=0xffffffff80000000",
                                  "-DMESSAGES=" + literal + "\"",
                                  "-DWRITTEN=" + std::to_string(written),
                                  "-o",
                                  file().string(),
                                  source.string()};
    for (const auto& d : defines) argv.push_back("-D" + d);
    local_host()->check("compile the kernel", {.argv = argv});
    memory.load(file());
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
  std::uint64_t physical(const std::string& name) const { return FakeMemory::physical(symbols.at(name)); }

  FakeMemory memory;
  std::map<std::string, std::uint64_t> symbols;

 private:
  Folder folder_;
};

}  // namespace kdev::test
