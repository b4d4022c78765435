#include "common/elf_notes.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <kdev/error.hpp>
#include <memory>
#include <vector>

namespace kdev {
namespace {

constexpr std::size_t most_notes = 16 << 20;  // of one section; what is larger is damage

class ElfFile {
 public:
  explicit ElfFile(const Path& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0)
      throw HostError(
          {.attempted = "read " + path.string(), .reason = std::strerror(errno), .hint = "", .log = {}});
    struct stat st {};
    if (::fstat(fd_, &st) == 0) size_ = static_cast<std::uint64_t>(st.st_size);
  }
  ~ElfFile() { ::close(fd_); }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  void read(void* into, std::size_t size, std::uint64_t at) const {
    if (at > size_ || size > size_ - at) throw bad("the file is cut off");
    for (std::size_t done = 0; done < size;) {
      const ssize_t n =
          ::pread(fd_, static_cast<char*>(into) + done, size - done, static_cast<off_t>(at + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        throw HostError(
            {.attempted = "read " + path_.string(), .reason = std::strerror(errno), .hint = "", .log = {}});
      if (n == 0) throw bad("the file is cut off");
      done += static_cast<std::size_t>(n);
    }
  }
  FormatError bad(const std::string& why) const {
    return FormatError({.attempted = "read " + path_.string(), .reason = why, .hint = "", .log = {}});
  }

 private:
  Path path_;
  int fd_;
  std::uint64_t size_ = 0;
};

/// Searches one run of notes.
std::string find_id(const std::vector<char>& notes) {
  constexpr auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
  for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr header;  // the same for both classes
    std::memcpy(&header, notes.data() + at, sizeof header);
    const std::size_t name = at + sizeof header, data = name + padded(header.n_namesz);
    if (header.n_namesz > notes.size() || header.n_descsz > notes.size() ||
        data + header.n_descsz > notes.size())
      break;
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
        std::memcmp(notes.data() + name, "GNU", 4) == 0) {
      std::string id;
      for (std::size_t i = 0; i < header.n_descsz; ++i)
        id += fmt::format("{:02x}", static_cast<unsigned char>(notes[data + i]));
      return id;
    }
    at = data + padded(header.n_descsz);
  }
  return {};
}

template <class Ehdr, class Shdr, class Phdr>
std::string search(const ElfFile& file) {
  Ehdr header;
  file.read(&header, sizeof header, 0);
  const auto notes_at = [&](std::uint64_t offset, std::uint64_t size) -> std::string {
    if (size > most_notes) throw file.bad("a note section is larger than any can be");
    std::vector<char> notes(size);
    file.read(notes.data(), size, offset);
    return find_id(notes);
  };
  // Sections first: modules and other relocatable files have no segments. A stripped image may have no
  // sections.
  for (unsigned i = 0; i < header.e_shnum && header.e_shentsize == sizeof(Shdr); ++i) {
    Shdr section;
    file.read(&section, sizeof section, header.e_shoff + i * sizeof section);
    if (section.sh_type != SHT_NOTE) continue;
    if (std::string id = notes_at(section.sh_offset, section.sh_size); !id.empty()) return id;
  }
  for (unsigned i = 0; i < header.e_phnum && header.e_phentsize == sizeof(Phdr); ++i) {
    Phdr segment;
    file.read(&segment, sizeof segment, header.e_phoff + i * sizeof segment);
    if (segment.p_type != PT_NOTE) continue;
    if (std::string id = notes_at(segment.p_offset, segment.p_filesz); !id.empty()) return id;
  }
  return {};
}

}  // namespace

std::string elf_build_id(const Path& path) {
  const ElfFile file(path);
  unsigned char ident[EI_NIDENT];
  file.read(ident, sizeof ident, 0);
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0) throw file.bad("no ELF file");
  constexpr unsigned char own = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
  if (ident[EI_DATA] != own) throw file.bad("an ELF file of another byte order");
  if (ident[EI_CLASS] == ELFCLASS64) return search<Elf64_Ehdr, Elf64_Shdr, Elf64_Phdr>(file);
  if (ident[EI_CLASS] == ELFCLASS32) return search<Elf32_Ehdr, Elf32_Shdr, Elf32_Phdr>(file);
  throw file.bad("an ELF file of no known class");
}

}  // namespace kdev
