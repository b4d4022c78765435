#include "guest/freebsd/direct_image.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <optional>
#include <thread>

namespace kdev::guest {
namespace {

namespace fs = boost::filesystem;
using testing::HasSubstr;

struct TempDir {
  Path path = fs::temp_directory_path() / fs::unique_path("kdev-direct-%%%%%%%%");
  TempDir() { fs::create_directories(path); }
  ~TempDir() {
    boost::system::error_code ec;
    fs::remove_all(path, ec);
  }
};

constexpr std::uint64_t base = 0xffffffff80200000;

/// A kernel that prints the 4096 bytes of its module metadata on uart0, then halts.
const unsigned char code[] = {
    0x8b, 0x74, 0x24, 0x04,                    // mov 4(%rsp), %esi: modulep
    0x48, 0x81, 0xc6, 0x00, 0x00, 0x00, 0x80,  // add $KERNBASE, %rsi
    0xb9, 0x00, 0x10, 0x00, 0x00,              // mov $4096, %ecx
    0xba, 0xf8, 0x03, 0x00, 0x00,              // mov $0x3f8, %edx
    0xf3, 0x6e,                                // rep outsb
    0xf4, 0xeb, 0xfd,                          // hlt; jmp back
};

/// An ELF64 executable with one segment (0x3000 bytes of memory) and a symbol table.
std::string kernel_bytes() {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_ident[EI_OSABI] = ELFOSABI_FREEBSD;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = base;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shoff = 0x2000;
  Elf64_Phdr segment = {};
  segment.p_type = PT_LOAD;
  segment.p_offset = 0x1000;
  segment.p_vaddr = base;
  segment.p_filesz = sizeof code;
  segment.p_memsz = 0x3000;
  Elf64_Shdr sections[3] = {};
  sections[1].sh_type = SHT_SYMTAB;
  sections[1].sh_offset = 0x1800;
  sections[1].sh_size = 2 * sizeof(Elf64_Sym);
  sections[1].sh_link = 2;
  sections[1].sh_entsize = sizeof(Elf64_Sym);
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = 0x1900;
  sections[2].sh_size = 7;
  std::string bytes(0x2000 + sizeof sections, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, &segment, sizeof segment);
  std::memcpy(bytes.data() + 0x1000, code, sizeof code);
  std::memcpy(bytes.data() + 0x1900, "\0btext", 7);
  std::memcpy(bytes.data() + 0x2000, sections, sizeof sections);
  return bytes;
}

template <class T>
T at(const std::string& bytes, std::size_t offset) {
  T value;
  EXPECT_LE(offset + sizeof value, bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::vector<Modinfo> decode(const std::string& bytes) {
  std::vector<Modinfo> records;
  for (std::size_t i = 0;;) {
    const auto type = at<std::uint32_t>(bytes, i), size = at<std::uint32_t>(bytes, i + 4);
    if (type == 0 && size == 0) return records;
    records.push_back({type, bytes.substr(i + 8, size)});
    i += (8 + size + 7) / 8 * 8;
  }
}

/// What lies in physical memory once the image is loaded.
class Memory {
 public:
  explicit Memory(const std::string& file) : file_(file), header_(at<Elf32_Ehdr>(file, 0)) {
    for (int i = 0; i < header_.e_phnum; ++i)
      segments_.push_back(at<Elf32_Phdr>(file, header_.e_phoff + i * sizeof(Elf32_Phdr)));
  }
  const Elf32_Ehdr& header() const { return header_; }
  const std::vector<Elf32_Phdr>& segments() const { return segments_; }
  std::string read(std::uint64_t address, std::size_t size) const {
    std::string out;
    for (; out.size() < size; ++address) {
      const Elf32_Phdr* found = nullptr;
      for (const Elf32_Phdr& p : segments_)
        if (address >= p.p_paddr && address < std::uint64_t(p.p_paddr) + p.p_memsz) found = &p;
      const std::uint64_t offset = found ? address - found->p_paddr : 0;
      out += found && offset < found->p_filesz ? file_[found->p_offset + offset] : '\0';
    }
    return out;
  }

 private:
  const std::string& file_;
  Elf32_Ehdr header_;
  std::vector<Elf32_Phdr> segments_;
};

struct DirectImageTest : testing::Test {
  TempDir dir;
  DirectImage image;
  Path out = dir.path / "out";
  void SetUp() override {
    image.kernel = dir.path / "kernel";
    local_host()->write_file(image.kernel, kernel_bytes());
  }
  std::string make() {
    write_direct_image(image, out);
    return local_host()->read_file(out);
  }
  std::string refusal() {
    try {
      write_direct_image(image, out);
    } catch (const FormatError& e) {
      return e.what();
    }
    return "no FormatError";
  }
};

std::uint64_t number(const std::vector<Modinfo>& records, std::uint32_t type) {
  for (const Modinfo& r : records)
    if (r.type == type) return at<std::uint64_t>(r.data, 0);
  ADD_FAILURE() << "no record " << type;
  return 0;
}

TEST_F(DirectImageTest, TellsTheKernelWhatALoaderWould) {
  image.environment = {{"console", "comconsole"}, {"hint.uart.0.flags", "0x10"}};
  image.root = dir.path / "root.ufs";
  local_host()->write_file(image.root, std::string(5000, 'r'));
  const std::string file = make();
  const Memory memory(file);
  EXPECT_EQ(memory.header().e_machine, EM_386);
  const Elf32_Phdr& shim = memory.segments().front();
  EXPECT_LT(shim.p_offset, 8192u - 12) << "where a multiboot loader looks";
  EXPECT_EQ(at<std::uint32_t>(file, shim.p_offset), 0x1badb002u);
  EXPECT_EQ(at<std::uint32_t>(file, shim.p_offset) + at<std::uint32_t>(file, shim.p_offset + 4) +
                at<std::uint32_t>(file, shim.p_offset + 8),
            0u);
  EXPECT_EQ(at<std::uint64_t>(file, shim.p_offset + 16), base) << "the kernel's entry";
  EXPECT_GE(memory.header().e_entry, shim.p_paddr);
  EXPECT_LT(memory.header().e_entry, shim.p_paddr + shim.p_filesz);
  for (const Elf32_Phdr& a : memory.segments())
    for (const Elf32_Phdr& b : memory.segments()) {
      const bool apart = a.p_paddr + a.p_memsz <= b.p_paddr || b.p_paddr + b.p_memsz <= a.p_paddr;
      EXPECT_TRUE(&a == &b || apart);
    }

  const auto modulep = at<std::uint32_t>(file, shim.p_offset + 16 + 16 + 64 + 4);
  const auto kernend = at<std::uint32_t>(file, shim.p_offset + 16 + 16 + 64 + 8);
  const std::vector<Modinfo> records = decode(memory.read(modulep, 4096));
  ASSERT_GE(records.size(), 16u);
  EXPECT_EQ(records[0], (Modinfo{1, std::string("/boot/kernel/kernel") + '\0'})) << "the name comes first";
  EXPECT_EQ(records[1], (Modinfo{2, std::string("elf kernel") + '\0'}));
  EXPECT_EQ(number(records, 3), 0x200000u);
  EXPECT_EQ(number(records, 0x8000 | 6) % 4096, 0u);
  EXPECT_EQ(memory.read(number(records, 0x8000 | 6), 47),
            std::string("console=comconsole\0hint.uart.0.flags=0x10\0\0", 44) + std::string(3, '\0'));
  EXPECT_EQ(number(records, 0x8000 | 8), kernend);
  EXPECT_EQ(number(records, 0x8000 | 0x1006), modulep);
  const std::uint64_t ssym = number(records, 0x8000 | 3), esym = number(records, 0x8000 | 4);
  EXPECT_EQ(at<std::uint64_t>(memory.read(ssym, 8), 0), 2 * sizeof(Elf64_Sym));
  EXPECT_EQ(at<std::uint64_t>(memory.read(ssym + 8 + 2 * sizeof(Elf64_Sym), 8), 0), 7u);
  EXPECT_EQ(memory.read(ssym + 16 + 2 * sizeof(Elf64_Sym), 7), std::string("\0btext", 7));
  EXPECT_EQ(esym, ssym + 16 + 2 * sizeof(Elf64_Sym) + 8);
  // The root file system: a module of its own.
  std::size_t second = 1;
  while (second < records.size() && records[second].type != 1) ++second;
  const std::vector<Modinfo> root(records.begin() + static_cast<long>(second), records.end());
  ASSERT_EQ(root.size(), 4u);
  EXPECT_EQ(root[1].data, std::string("mfs_root") + '\0');
  EXPECT_EQ(memory.read(number(root, 3), 5000), std::string(5000, 'r'));
  EXPECT_EQ(number(root, 4), 5000u);
  EXPECT_EQ(number(root, 3) % 4096, 0u);
}

TEST_F(DirectImageTest, FreeSpaceOfTheRootTakesNone) {
  image.root = dir.path / "root.ufs";
  local_host()->write_file(image.root, "begin");
  fs::resize_file(image.root, 64u << 20);
  std::ofstream(image.root.string(), std::ios::app) << "end";
  const std::string file = make();
  const Memory memory(file);
  const Elf32_Phdr& root = *std::find_if(memory.segments().begin(), memory.segments().end(),
                                         [](const Elf32_Phdr& p) { return p.p_filesz == (64u << 20) + 3; });
  EXPECT_EQ(file.substr(root.p_offset, 5), "begin");
  EXPECT_EQ(file.substr(root.p_offset + 5, (64u << 20) - 5).find_first_not_of('\0'), std::string::npos);
  EXPECT_EQ(file.substr(root.p_offset + (64u << 20), 3), "end");
  struct stat st;
  ASSERT_EQ(::stat(out.c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 16 << 20);
}

/// A relocatable object: .text of 5 bytes, .bss of 100, symbols, their names, a relocation of .text, the
/// sections' names, and debugging information, which stays outside.
std::string module_bytes() {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_REL;
  header.e_machine = EM_X86_64;
  header.e_shoff = 0x400;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 9;
  header.e_shstrndx = 6;
  Elf64_Shdr s[9] = {};
  const auto set = [&](int i, unsigned type, std::uint64_t flags, std::uint64_t offset, std::uint64_t size,
                       std::uint64_t alignment, unsigned link = 0, unsigned info = 0) {
    s[i].sh_type = type;
    s[i].sh_flags = flags;
    s[i].sh_offset = offset;
    s[i].sh_size = size;
    s[i].sh_addralign = alignment;
    s[i].sh_link = link;
    s[i].sh_info = info;
  };
  set(1, SHT_PROGBITS, SHF_ALLOC, 0x100, 5, 16);
  set(2, SHT_NOBITS, SHF_ALLOC, 0x105, 100, 32);
  set(3, SHT_SYMTAB, 0, 0x110, 48, 8, 4);
  set(4, SHT_STRTAB, 0, 0x140, 7, 1);
  set(5, SHT_RELA, 0, 0x150, 24, 8, 3, 1);
  set(6, SHT_STRTAB, 0, 0x170, 3, 1);
  set(7, SHT_PROGBITS, 0, 0x180, 64, 1);  // .debug_info
  set(8, SHT_RELA, 0, 0x1c0, 24, 8, 3, 7);
  std::string bytes(0x400 + sizeof s, '.');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + 0x100, "hello", 5);
  std::memcpy(bytes.data() + 0x140, "\0thing", 7);
  std::memcpy(bytes.data() + 0x400, s, sizeof s);
  return bytes;
}

TEST_F(DirectImageTest, ModulesLieAsTheLinkerWantsThem) {
  image.modules = {dir.path / "thing.ko"};
  image.entropy = "random";
  local_host()->write_file(image.modules[0], module_bytes());
  const std::string file = make();
  const Memory memory(file);
  const auto modulep = at<std::uint32_t>(file, memory.segments().front().p_offset + 16 + 16 + 64 + 4);
  const std::vector<Modinfo> all = decode(memory.read(modulep, 4096));
  const auto named = [&](const std::string& name) {
    const Modinfo first{1, name + '\0'};
    auto from = std::find(all.begin(), all.end(), first);
    auto to =
        from == all.end() ? from : std::find_if(from + 1, all.end(), [](auto& r) { return r.type == 1; });
    return std::vector<Modinfo>(from, to);
  };
  const std::vector<Modinfo> module = named("/boot/kernel/thing.ko");
  ASSERT_EQ(module.size(), 6u);
  EXPECT_EQ(module[1].data, std::string("elf obj module") + '\0');
  const std::uint64_t address = number(module, 3);
  EXPECT_EQ(address % 4096, 0u);
  EXPECT_EQ(module[4], (Modinfo{0x8002, module_bytes().substr(0, sizeof(Elf64_Ehdr))}));
  ASSERT_EQ(module[5].type, 0x8009u);
  std::vector<std::uint64_t> offsets;
  for (std::size_t i = 0; i < 9; ++i) {
    const auto to = at<Elf64_Shdr>(module[5].data, i * sizeof(Elf64_Shdr)).sh_addr;
    offsets.push_back(to == 0 ? 0 : to - address + 1);
  }
  // The end of each, rounded up to the next one's alignment; 0: not in memory.
  EXPECT_EQ(offsets, (std::vector<std::uint64_t>{0, 1, 33, 137, 185, 201, 192, 0, 0}));
  EXPECT_EQ(number(module, 4), 200u + 24);
  EXPECT_EQ(memory.read(address, 5), "hello");
  EXPECT_EQ(memory.read(address + 32, 100), std::string(100, '\0'));
  EXPECT_EQ(memory.read(address + 184, 7), std::string("\0thing", 7));
  const std::vector<Modinfo> entropy = named("/boot/entropy");
  ASSERT_EQ(entropy.size(), 4u);
  EXPECT_EQ(entropy[1].data, std::string("boot_entropy_cache") + '\0');
  EXPECT_EQ(memory.read(number(entropy, 3), 6), "random");
  EXPECT_GT(number(all, 0x8000 | 8), modulep) << "the kernel's end lies behind all of it";
}

TEST_F(DirectImageTest, WhatIsNoModuleIsRefused) {
  image.modules = {dir.path / "thing.ko"};
  const auto with = [&](std::size_t offset, std::string bytes) {
    std::string module = module_bytes();
    module.replace(offset, bytes.size(), bytes);
    local_host()->write_file(image.modules[0], module);
    return refusal();
  };
  const std::size_t symtab = 0x400 + 3 * sizeof(Elf64_Shdr);
  EXPECT_THAT(with(0, "?"), HasSubstr("no ELF file"));
  EXPECT_THAT(with(16, std::string("\2\0", 2)), HasSubstr("no relocatable object"));
  EXPECT_THAT(with(symtab + offsetof(Elf64_Shdr, sh_type), "\1"), HasSubstr("no symbol table"));
  EXPECT_THAT(with(symtab + offsetof(Elf64_Shdr, sh_link), "\x99"), HasSubstr("contradict"));
  EXPECT_THAT(with(symtab + offsetof(Elf64_Shdr, sh_offset), "\xff\xff"), HasSubstr("cut off"));
  EXPECT_THAT(with(symtab + offsetof(Elf64_Shdr, sh_size), std::string(8, '\xff')), HasSubstr("too large"));
  local_host()->write_file(image.modules[0], module_bytes().substr(0, 0x410));
  EXPECT_THAT(refusal(), HasSubstr("cut off"));
}

TEST_F(DirectImageTest, WhatIsNoKernelIsRefused) {
  local_host()->write_file(image.kernel, "#!/bin/sh\n");
  EXPECT_THAT(refusal(), HasSubstr("no ELF file"));
  const auto with = [&](std::size_t offset, std::string bytes) {
    std::string kernel = kernel_bytes();
    kernel.replace(offset, bytes.size(), bytes);
    local_host()->write_file(image.kernel, kernel);
    return refusal();
  };
  EXPECT_THAT(with(EI_OSABI, std::string(1, '\0')), HasSubstr("does not say FreeBSD"));
  EXPECT_THAT(with(18, std::string("\xb7\0", 2)), HasSubstr("no executable for amd64"));
  EXPECT_THAT(with(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_vaddr), std::string(8, '\0')),
              HasSubstr("does not fit"));
  EXPECT_THAT(with(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), std::string("\0\0\0\x40", 4)),
              HasSubstr("does not fit"));
  EXPECT_THAT(
      with(0x2000 + sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_size), std::string("\xff\xff\xff\0", 4)),
      HasSubstr("cut off"));
  image.kernel = dir.path / "missing";
  EXPECT_THROW(write_direct_image(image, out), HostError);
}

TEST_F(DirectImageTest, WhatDoesNotFitBelowOneGigabyteIsRefused) {
  image.root = dir.path / "root.ufs";
  local_host()->write_file(image.root, "");
  fs::resize_file(image.root, 1u << 30);  // sparse
  EXPECT_THAT(refusal(), HasSubstr("MiB, more than 1024"));
}

/// The shim at work: QEMU loads the image, and a kernel of a few bytes prints what it was given.
TEST_F(DirectImageTest, AMachineGetsThere) {
  if (!local_host()->which("qemu-system-x86_64")) GTEST_SKIP() << "no QEMU";
  image.environment = {{"a", "b"}};
  const std::string file = make();
  const Path serial = dir.path / "serial";
  Process qemu =
      local_host()->spawn({.argv = {"qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display",
                                    "none", "-machine", "q35", "-accel", "tcg", "-m", "256M", "-kernel",
                                    out.string(), "-serial", "file:" + serial.string()}},
                          {.log = dir.path / "qemu.log"});
  std::string metadata;
  const Deadline deadline = Deadline::after(Seconds(60));
  while (metadata.size() < 4096) {
    deadline.check("wait for the metadata on the serial port");
    ASSERT_FALSE(qemu.poll()) << local_host()->read_file(dir.path / "qemu.log");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (local_host()->exists(serial)) metadata = local_host()->read_file(serial);
  }
  qemu.terminate(Seconds(5));
  const std::vector<Modinfo> records = decode(metadata);
  EXPECT_EQ(records[0].data, std::string("/boot/kernel/kernel") + '\0');
  // The one thing that was not there before: the memory map.
  std::uint64_t memory = 0;
  int kinds = 0;
  for (const Modinfo& r : records)
    if (r.type == (0x8000 | 0x1001))
      for (std::size_t i = 0; i + 20 <= r.data.size(); i += 20) {
        const auto type = at<std::uint32_t>(r.data, i + 16);
        kinds |= 1 << type;
        if (type == 1) memory += at<std::uint64_t>(r.data, i + 8);
      }
  EXPECT_GT(memory, 250u << 20);
  EXPECT_LE(memory, 256u << 20);
  EXPECT_EQ(kinds & 6, 6) << "usable and reserved memory";
}

}  // namespace
}  // namespace kdev::guest
