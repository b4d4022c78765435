#include "common/elf_file.hpp"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <kdev/error.hpp>

#include "unit/host/temp_dir.hpp"

using namespace kdev;
using kdev::test::TempDir;

namespace {

/// An ELF file with one note section, or one note segment.
std::string elf_with(const std::string& note, bool section) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  std::string table;
  if (section) {
    header.e_shoff = sizeof header;
    header.e_shnum = 2;  // the first is never one
    Elf64_Shdr s[2]{};
    s[1].sh_type = SHT_NOTE;
    s[1].sh_offset = sizeof header + sizeof s;
    s[1].sh_size = note.size();
    s[1].sh_addralign = 4;
    table.assign(reinterpret_cast<char*>(s), sizeof s);
  } else {
    header.e_phoff = sizeof header;
    header.e_phnum = 1;
    Elf64_Phdr p{};
    p.p_type = PT_NOTE;
    p.p_offset = sizeof header + sizeof p;
    p.p_filesz = note.size();
    p.p_align = 4;
    table.assign(reinterpret_cast<char*>(&p), sizeof p);
  }
  return std::string(reinterpret_cast<char*>(&header), sizeof header) + table + note;
}

std::string note(std::uint32_t type, const std::string& name, const std::string& data) {
  const Elf64_Nhdr header{static_cast<Elf64_Word>(name.size() + 1), static_cast<Elf64_Word>(data.size()),
                          type};
  std::string text(reinterpret_cast<const char*>(&header), sizeof header);
  for (const std::string& part : {name + '\0', data}) {
    text += part;
    text.resize((text.size() + 3) / 4 * 4);
  }
  return text;
}

}  // namespace

TEST(ElfBuildId, IsFoundInSectionsAndSegmentsAfterOtherNotes) {
  TempDir dir;
  const std::string notes = note(18, "Xen", "12345") + note(NT_GNU_BUILD_ID, "Linux", "no") +
                            note(NT_GNU_BUILD_ID, "GNU", "\x01\xab\xff");
  for (const bool section : {true, false})
    EXPECT_EQ(elf_build_id(dir.write("elf", elf_with(notes, section))), "01abff");
}

TEST(ElfBuildId, IsEmptyWhereThereIsNone) {
  TempDir dir;
  EXPECT_EQ(elf_build_id(dir.write("elf", elf_with(note(1, "GNU", "abcd"), true))), "");
  EXPECT_EQ(elf_build_id(dir.write("elf", elf_with("", true))), "");
}

TEST(ElfBuildId, OfThisProgramIsWhatReadelfSays) {
  const std::string id = elf_build_id("/proc/self/exe");
  if (id.empty()) GTEST_SKIP() << "this program was linked without a build id";
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(ElfBuildId, DamageIsAnErrorNotACrash) {
  TempDir dir;
  EXPECT_THROW(elf_build_id(dir.write("text", "no elf file, but long enough to be one")), FormatError);
  EXPECT_THROW(elf_build_id(dir.write("empty", "")), FormatError);
  EXPECT_THROW(elf_build_id(dir / "missing"), HostError);
  const std::string good = elf_with(note(NT_GNU_BUILD_ID, "GNU", "abcdefgh"), true);
  // Cut off anywhere: an error, or no build id.
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Path cut = dir.write("cut", good.substr(0, size));
    if (size < sizeof(Elf64_Ehdr))
      EXPECT_THROW(elf_build_id(cut), FormatError) << size;
    else
      EXPECT_EQ(elf_build_id(cut), "") << size;
  }
  // Whatever one byte is changed to: an answer or an error.
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const int value : {0x00, 0x7f, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(value);
      try {
        elf_build_id(dir.write("bad", bad));
      } catch (const FormatError&) {
      }
    }
}
