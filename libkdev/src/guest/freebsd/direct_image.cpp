#include "guest/freebsd/direct_image.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <kdev/error.hpp>
#include <memory>

#include "common/system_error.hpp"
#include "guest/freebsd/preload_module.hpp"
#include "host/unique_fd.hpp"

// shim.S
extern "C" const char kdev_freebsd_shim[], kdev_freebsd_shim_start[], kdev_freebsd_shim_end[];

namespace kdev::guest {
namespace {

constexpr std::uint64_t kernbase = 0xffffffff80000000;  // sys/amd64/include/vmparam.h
constexpr std::uint64_t page = 4096;
constexpr std::uint32_t shim_base = 0x100000;
constexpr std::uint32_t shim_memory = 0x4000;  // with its page tables
constexpr std::uint64_t limit = 1u << 30;      // what the shim's page tables show
constexpr std::uint32_t smap_entries = 32;     // firmware of virtual machines gives about ten
constexpr std::uint32_t smap_entry = 20;       // struct bios_smap

// sys/sys/linker.h, sys/x86/include/metadata.h
enum : std::uint32_t {
  modinfo_name = 1,
  modinfo_type = 2,
  modinfo_addr = 3,
  modinfo_size = 4,
  modinfo_metadata = 0x8000,
  md_elfhdr = modinfo_metadata | 0x0002,
  md_ssym = modinfo_metadata | 0x0003,
  md_esym = modinfo_metadata | 0x0004,
  md_envp = modinfo_metadata | 0x0006,
  md_howto = modinfo_metadata | 0x0007,
  md_kernend = modinfo_metadata | 0x0008,
  md_shdr = modinfo_metadata | 0x0009,
  md_smap = modinfo_metadata | 0x1001,
  md_modulep = modinfo_metadata | 0x1006,
};

/// As shim.S lays them out, from its start.
struct ShimParameters {
  std::uint64_t entry;
  std::uint32_t smap, smap_room;
  char stack[64];
  std::uint32_t return_address, modulep, kernend, padding;
};
constexpr std::size_t parameters_at = 16;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

template <class T>
std::string bytes(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string word(std::uint64_t value) {
  return bytes(value);
}

std::string text(const std::string& value) {
  return value + '\0';
}

UniqueFd open_for_reading(const Path& path, const std::string& attempted) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw host_error(fmt::format("{}: open {}", attempted, path.string()), errno);
  return fd;
}

std::uint64_t size_of(const UniqueFd& fd, const std::string& attempted) {
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) throw host_error(attempted, errno);
  return static_cast<std::uint64_t>(st.st_size);
}

/// Part of a file and where in memory it goes.
struct Piece {
  std::string data;  ///< or, when empty,
  const UniqueFd* file = nullptr;
  std::uint64_t offset = 0, size = 0;
  std::uint64_t address = 0, memory = 0;  ///< physical; at least `size`
};

class Builder {
 public:
  Builder(const DirectImage& image, const Path& out)
      : image_(image),
        out_(out),
        attempted_(fmt::format("make {} to boot directly", image.kernel.string())) {}

  void run() {
    const UniqueFd kernel = open_for_reading(image_.kernel, attempted_);
    const UniqueFd root = image_.root.empty() ? UniqueFd() : open_for_reading(image_.root, attempted_);
    add_kernel(kernel);
    for (const Path& module : image_.modules) add_module(module);
    if (!image_.entropy.empty()) {
      // sys/dev/random/random_harvestq.c, random_prime_loader_file()
      const std::uint64_t at = place(image_.entropy.size(), page);
      pieces_.push_back(
          {.data = image_.entropy, .address = at, .memory = round_up(image_.entropy.size(), page)});
      add_file("/boot/entropy", "boot_entropy_cache", at, image_.entropy.size());
    }
    if (root) {
      const std::uint64_t size = size_of(root, attempted_), at = place(size, page);
      pieces_.push_back({.data = {},
                         .file = &root,
                         .offset = 0,
                         .size = size,
                         .address = at,
                         .memory = round_up(size, page)});
      // sys/dev/md/md.c, g_md_init(): a preloaded file of this type becomes an md device.
      add_file(image_.root.filename().string(), "mfs_root", at, size);
    }
    std::string environment;
    for (const auto& [name, value] : image_.environment) environment += text(name + "=" + value);
    environment += '\0';

    // Twice, as FreeBSD's loader does it: the first time for the sizes.
    std::uint64_t modulep = round_up(end_, page), envp = 0, kernend = 0;
    std::uint32_t smap = 0;
    std::string metadata;
    for (int pass = 0; pass < 2; ++pass) {
      std::vector<Modinfo> records = kernel_;
      records.push_back({md_howto, bytes(image_.howto)});
      records.push_back({md_envp, word(envp)});
      records.push_back({md_kernend, word(kernend)});
      records.push_back({md_modulep, word(modulep)});
      // The end mark is as long as the type and size of the record that takes its place.
      smap = static_cast<std::uint32_t>(modulep + encode_modinfo(records).size());
      records.push_back({md_smap, std::string(smap_entries * smap_entry, '\0')});
      records.insert(records.end(), files_.begin(), files_.end());
      metadata = encode_modinfo(records);
      envp = round_up(modulep + metadata.size(), page);
      kernend = round_up(envp + environment.size(), page);
    }
    if (kernend > limit)
      throw FormatError(
          {.attempted = attempted_,
           .reason = fmt::format("kernel and root file system need {} MiB, more than 1024", kernend >> 20),
           .hint = "put the root file system on a disk",
           .log = {}});
    pieces_.push_back({.data = metadata, .address = modulep, .memory = envp - modulep});
    pieces_.push_back({.data = environment, .address = envp, .memory = kernend - envp});
    add_shim(smap, static_cast<std::uint32_t>(modulep), static_cast<std::uint32_t>(kernend));
    write();
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw FormatError(
        {.attempted = attempted_, .reason = why, .hint = "name a kernel built for FreeBSD/amd64", .log = {}});
  }

  std::uint64_t place(std::uint64_t size, std::uint64_t alignment) {
    const std::uint64_t at = round_up(end_, alignment);
    end_ = at + size;
    return at;
  }

  void add_file(const std::string& name, const std::string& type, std::uint64_t address, std::uint64_t size) {
    files_.push_back({modinfo_name, text(name)});
    files_.push_back({modinfo_type, text(type)});
    files_.push_back({modinfo_addr, word(address)});
    files_.push_back({modinfo_size, word(size)});
  }

  void add_module(const Path& ko) {
    const std::string attempted = fmt::format("{}: load {}", attempted_, ko.string());
    const UniqueFd fd = open_for_reading(ko, attempted);
    std::string content(size_of(fd, attempted), '\0');
    const ssize_t n = ::pread(fd.get(), content.data(), content.size(), 0);
    if (n < 0) throw host_error(attempted, errno);
    content.resize(static_cast<std::size_t>(n));
    const std::uint64_t at = round_up(end_, page);
    PreloadedModule module = lay_out_module(content, at, attempted);
    end_ = at + module.memory.size();
    add_file("/boot/kernel/" + ko.filename().string(), "elf obj module", at, module.memory.size());
    files_.push_back({md_elfhdr, std::move(module.elf_header)});
    files_.push_back({md_shdr, std::move(module.section_headers)});
    const std::uint64_t memory = round_up(module.memory.size(), page);
    pieces_.push_back({.data = std::move(module.memory), .address = at, .memory = memory});
  }

  void add_kernel(const UniqueFd& fd) {
    elf_version(EV_CURRENT);
    const std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_begin(fd.get(), ELF_C_READ_MMAP, nullptr), elf_end);
    GElf_Ehdr header;
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || !gelf_getehdr(elf.get(), &header))
      refuse("it is no ELF file");
    if (gelf_getclass(elf.get()) != ELFCLASS64 || header.e_machine != EM_X86_64 || header.e_type != ET_EXEC)
      refuse("it is no executable for amd64");
    if (header.e_ident[EI_OSABI] != ELFOSABI_FREEBSD) refuse("its ELF header does not say FreeBSD");
    entry_ = header.e_entry;
    const std::uint64_t file_size = size_of(fd, attempted_);
    std::uint64_t lowest = limit;
    std::size_t count = 0;
    elf_getphdrnum(elf.get(), &count);
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Phdr p;
      if (!gelf_getphdr(elf.get(), static_cast<int>(i), &p) || p.p_type != PT_LOAD) continue;
      const std::uint64_t physical = p.p_vaddr - kernbase;
      if (p.p_vaddr < kernbase || physical < shim_base + shim_memory || physical + p.p_memsz > limit ||
          p.p_filesz > p.p_memsz || p.p_offset + p.p_filesz > file_size)
        refuse(fmt::format("its segment {} at {:#x} does not fit", i, p.p_vaddr));
      lowest = std::min(lowest, physical);
      end_ = std::max(end_, physical + p.p_memsz);
      pieces_.push_back({.data = {},
                         .file = &fd,
                         .offset = p.p_offset,
                         .size = p.p_filesz,
                         .address = physical,
                         .memory = p.p_memsz});
    }
    if (end_ == 0) refuse("it has nothing to load");
    kernel_ = {{modinfo_name, text(image_.kernel_name)},
               {modinfo_type, text("elf kernel")},
               {modinfo_addr, word(lowest)},
               {modinfo_size, word(0)},
               {md_elfhdr, std::string(elf_rawfile(elf.get(), nullptr), sizeof(Elf64_Ehdr))}};
    add_symbols(elf.get(), fd, file_size);
    kernel_[3].data = word(end_ - lowest);
  }

  /// Size and content of the symbol table, size and content of its strings: stand/common/load_elf.c, and what
  /// sys/kern/link_elf.c reads.
  void add_symbols(Elf* elf, const UniqueFd& fd, std::uint64_t file_size) {
    Elf_Scn* section = nullptr;
    while ((section = elf_nextscn(elf, section))) {
      GElf_Shdr table, strings;
      if (!gelf_getshdr(section, &table) || table.sh_type != SHT_SYMTAB) continue;
      Elf_Scn* string_section = elf_getscn(elf, table.sh_link);
      if (!string_section || !gelf_getshdr(string_section, &strings)) continue;
      const std::uint64_t ssym = round_up(end_, 8);
      end_ = ssym;
      for (const GElf_Shdr& part : {table, strings}) {
        if (part.sh_offset + part.sh_size > file_size) refuse("its symbol table is cut off");
        const std::uint64_t at = place(8, 8);
        pieces_.push_back({.data = word(part.sh_size), .address = at, .memory = 8});
        place(part.sh_size, 8);
        pieces_.push_back({.data = {},
                           .file = &fd,
                           .offset = part.sh_offset,
                           .size = part.sh_size,
                           .address = at + 8,
                           .memory = part.sh_size});
      }
      end_ = round_up(end_, 8);
      kernel_.push_back({md_ssym, word(ssym)});
      kernel_.push_back({md_esym, word(end_)});
      return;
    }
  }

  void add_shim(std::uint32_t smap, std::uint32_t modulep, std::uint32_t kernend) {
    std::string shim(kdev_freebsd_shim, kdev_freebsd_shim_end);
    ShimParameters parameters{.entry = entry_,
                              .smap = smap,
                              .smap_room = smap_entries,
                              .stack = {},
                              .return_address = 0,
                              .modulep = modulep,
                              .kernend = kernend,
                              .padding = 0};
    std::memcpy(shim.data() + parameters_at, &parameters, sizeof parameters);
    // First in the file: a multiboot loader looks for its header in the first 8 KiB.
    pieces_.insert(pieces_.begin(), {.data = std::move(shim), .address = shim_base, .memory = shim_memory});
  }

  void write() const {
    Elf32_Ehdr header = {};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_386;
    header.e_version = EV_CURRENT;
    header.e_entry = shim_base + static_cast<Elf32_Addr>(kdev_freebsd_shim_start - kdev_freebsd_shim);
    header.e_phoff = sizeof header;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf32_Phdr);
    header.e_phnum = static_cast<Elf32_Half>(pieces_.size());
    std::string head = bytes(header);
    std::uint64_t offset = round_up(sizeof header + pieces_.size() * sizeof(Elf32_Phdr), 16);
    std::vector<std::uint64_t> offsets;
    for (const Piece& piece : pieces_) {
      const std::uint64_t size = piece.file ? piece.size : piece.data.size();
      offsets.push_back(offset);
      Elf32_Phdr p = {};
      p.p_type = PT_LOAD;
      p.p_offset = static_cast<Elf32_Off>(offset);
      p.p_vaddr = p.p_paddr = static_cast<Elf32_Addr>(piece.address);
      p.p_filesz = static_cast<Elf32_Word>(size);
      p.p_memsz = static_cast<Elf32_Word>(std::max(piece.memory, size));
      p.p_flags = PF_R | PF_W | PF_X;
      p.p_align = 1;
      head += bytes(p);
      offset = round_up(offset + size, 16);
    }
    const UniqueFd fd(::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    const std::string attempted = fmt::format("{}: write {}", attempted_, out_.string());
    if (!fd) throw host_error(attempted, errno);
    put(fd, head, 0, attempted);
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (pieces_[i].file)
        copy(*pieces_[i].file, pieces_[i].offset, fd, offsets[i], pieces_[i].size, attempted);
      else
        put(fd, pieces_[i].data, offsets[i], attempted);
    }
  }

  static void put(const UniqueFd& fd, std::string_view data, std::uint64_t at, const std::string& attempted) {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd.get(), data.data(), data.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw host_error(attempted, errno);
      data.remove_prefix(static_cast<std::size_t>(n));
      at += static_cast<std::uint64_t>(n);
    }
  }

  static void copy(const UniqueFd& from, std::uint64_t offset, const UniqueFd& to, std::uint64_t at,
                   std::uint64_t size, const std::string& attempted) {
    std::string buffer(std::min<std::uint64_t>(size, 1u << 18), '\0');
    while (size > 0) {
      const ssize_t n = ::pread(from.get(), buffer.data(), std::min<std::uint64_t>(size, buffer.size()),
                                static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw host_error(attempted, errno);
      if (n == 0) throw host_error(attempted, EIO);  // shorter than it was a moment ago
      const auto got = static_cast<std::uint64_t>(n);
      const std::string_view part(buffer.data(), got);
      // A root file system is mostly free space: it stays a hole, as the rest of a new file is.
      if (part.find_first_not_of('\0') != part.npos) put(to, part, at, attempted);
      offset += got;
      at += got;
      size -= got;
    }
  }

  const DirectImage& image_;
  const Path& out_;
  const std::string attempted_;
  std::uint64_t entry_ = 0, end_ = 0;
  std::vector<Modinfo> kernel_, files_;
  std::vector<Piece> pieces_;
};

}  // namespace

std::string encode_modinfo(const std::vector<Modinfo>& records) {
  std::string out;
  for (const Modinfo& record : records) {
    out += bytes(record.type) + bytes(static_cast<std::uint32_t>(record.data.size())) + record.data;
    out.resize(round_up(out.size(), 8));
  }
  return out + std::string(8, '\0');  // MODINFO_END
}

void write_direct_image(const DirectImage& image, const Path& out) {
  Builder(image, out).run();
}

}  // namespace kdev::guest
