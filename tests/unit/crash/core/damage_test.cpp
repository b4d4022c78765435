// Dumps of every format, cut off anywhere and with every field of their headers at its limits: an error that
// says why, or a Core that still answers.
#include "unit/crash/damage.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "unit/crash/core/fake_arm64.hpp"
#include "unit/crash/core/fake_linux.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::HasSubstr;
using Widths = std::vector<std::pair<std::string, std::size_t>>;

const std::string messages = "panic: page fault\ncpuid = 0\n";

/// A dump of a format, with the fields of its headers.
struct Sample {
  std::string name;
  std::string bytes;
  std::vector<HeaderField> fields;
  SymbolSources sources;
  std::uint64_t physical = 0;  ///< of its first page
};

void add(std::vector<HeaderField>& to, std::size_t at, const Widths& widths) {
  const auto more = fields_from(at, widths);
  to.insert(to.end(), more.begin(), more.end());
}

/// Elf64_Ehdr, the first Elf64_Phdr of each kind, the first note.
std::vector<HeaderField> elf_fields(const std::string& bytes) {
  auto fields = fields_from(0, {{"magic", 4},
                                {"class", 1},
                                {"data", 1},
                                {"ident version", 1},
                                {"OS ABI", 1},
                                {"padding", 8},
                                {"type", 2},
                                {"machine", 2},
                                {"version", 4},
                                {"entry", 8},
                                {"phoff", 8},
                                {"shoff", 8},
                                {"flags", 4},
                                {"ehsize", 2},
                                {"phentsize", 2},
                                {"phnum", 2},
                                {"shnum", 2},
                                {"shentsize", 2},
                                {"shstrndx", 2}});
  for (std::size_t i = 0; i < 2; ++i)
    add(fields, 64 + i * sizeof(Elf64_Phdr),
        {{"p_type", 4},
         {"p_flags", 4},
         {"p_offset", 8},
         {"p_vaddr", 8},
         {"p_paddr", 8},
         {"p_filesz", 8},
         {"p_memsz", 8},
         {"p_align", 8}});
  Elf64_Phdr first;
  std::memcpy(&first, bytes.data() + 64, sizeof(first));
  if (first.p_type == PT_NOTE)
    add(fields, first.p_offset, {{"n_namesz", 4}, {"n_descsz", 4}, {"n_type", 4}, {"name", 8}});
  return fields;
}

std::uint64_t le(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t n = 0;
  std::memcpy(&n, bytes.data() + at, size);
  return n;
}

/// struct disk_dump_header, struct kdump_sub_header, the first note, the first descriptors of pages.
std::vector<HeaderField> kdump_fields(const std::string& bytes) {
  Widths names;
  for (const char* name : {"sysname", "nodename", "release", "version", "machine", "domainname"})
    names.emplace_back(name, 65);
  auto fields = fields_from(0, {{"signature", 8}, {"header_version", 4}});
  add(fields, 12, names);
  add(fields, 408,
      {{"tv_sec", 8},
       {"tv_usec", 8},
       {"status", 4},
       {"block_size", 4},
       {"sub_hdr_size", 4},
       {"bitmap_blocks", 4},
       {"max_mapnr", 4},
       {"total_ram_blocks", 4},
       {"device_blocks", 4},
       {"written_blocks", 4},
       {"current_cpu", 4},
       {"nr_cpus", 4}});
  add(fields, page_size,
      {{"phys_base", 8},
       {"dump_level", 4},
       {"split", 4},
       {"start_pfn", 8},
       {"end_pfn", 8},
       {"offset_vmcoreinfo", 8},
       {"size_vmcoreinfo", 8},
       {"offset_note", 8},
       {"size_note", 8},
       {"offset_eraseinfo", 8},
       {"size_eraseinfo", 8},
       {"start_pfn_64", 8},
       {"end_pfn_64", 8},
       {"max_mapnr_64", 8}});
  add(fields, le(bytes, page_size + 48, 8), {{"n_namesz", 4}, {"n_descsz", 4}, {"n_type", 4}, {"name", 8}});
  const auto bitmaps = (1 + le(bytes, 432, 4)) * page_size,
             descriptors = bitmaps + le(bytes, 436, 4) * page_size;
  for (const std::size_t i : {0, 1})
    add(fields, descriptors + i * 24, {{"page offset", 8}, {"page size", 4}, {"page flags", 4}, {"kept", 8}});
  return fields;
}

/// struct minidumphdr (machine/minidump.h), the first range of dump_avail, the first page table entries.
std::vector<HeaderField> minidump_fields(const std::string& bytes, const std::string& machine, int version) {
  const bool amd64 = machine == "amd64";
  auto fields =
      fields_from(0, {{"magic", 24}, {"version", 4}, {"msgbufsize", 4}, {"bitmapsize", 4}, {"pmapsize", 4}});
  if (amd64)
    add(fields, 40, {{"kernbase", 8}, {"dmapbase", 8}, {"dmapend", 8}, {"dumpavailsize", 4}});
  else
    add(fields, 40,
        {{"kernbase", 8},
         {"dmapphys", 8},
         {"dmapbase", 8},
         {"dmapend", 8},
         {"dumpavailsize", 4},
         {"flags", 4}});
  const auto rounded = [](std::uint64_t n) { return (n + page_size - 1) / page_size * page_size; };
  auto at = page_size + rounded(le(bytes, 28, 4));
  if (version >= (amd64 ? 3 : 2)) {
    add(fields, at, {{"range start", 8}, {"range end", 8}, {"next start", 8}});
    at += page_size;
  }
  add(fields, at, {{"bitmap", 8}});
  at += rounded(le(bytes, 32, 4));
  add(fields, at, {{"entry", 8}, {"next entry", 8}});
  return fields;
}

std::string packed(const Folder& folder, const std::string& program, const std::string& bytes) {
  const auto plain = folder.write("plain", bytes);
  return local_host()->run({.argv = {program, "-c", plain.string()}}).out;
}

/// All formats, of kernels that are compiled once.
class Samples {
 public:
  static const std::vector<Sample>& all() {
    static const Samples made;
    return made.list_;
  }

 private:
  Samples() {
    const auto whole = linux_.dump(linux_.cpu_notes() + linux_.vmcoreinfo());
    const auto begin = linux_.memory.pages.begin()->first;
    list_.push_back({"elf", whole, elf_fields(whole), linux_.sources(), begin});
    const Core core = linux_.open(whole);
    core.write_kdump(linux_.folder() / "kdump");
    const auto kdump = content_of(linux_.folder() / "kdump");
    list_.push_back({"kdump", kdump, kdump_fields(kdump), linux_.sources(), begin});
    auto fields = fields_from(0, {{"signature", 16}, {"type", 8}, {"version", 8}});
    add(fields, page_size, {{"offset", 8}, {"size", 8}, {"header", 8}});
    list_.push_back({"flattened", flattened(kdump), std::move(fields), linux_.sources(), begin});
    for (const int version : {1, 2, 3})
      add_minidump(freebsd_.memory.minidump(version, messages), "amd64", version, freebsd_.sources(),
                   first_page());
    const auto full = freebsd_.memory.elf(freebsd_.physical("KPML4phys"));
    list_.push_back({"full", full, elf_fields(full), freebsd_.sources(), first_page()});
    for (const std::string program : {"gzip", "zstd"}) {
      if (!local_host()->which(program)) continue;
      auto bytes = packed(freebsd_.folder(), program, freebsd_.memory.minidump(3, messages));
      // RFC 1952, 2.3; RFC 8878, 3.1.1.
      auto header =
          program == "gzip"
              ? fields_from(0, {{"magic", 2}, {"method", 1}, {"flags", 1}, {"time", 4}, {"data", 8}})
              : fields_from(0, {{"magic", 4}, {"descriptor", 1}, {"size", 4}, {"data", 8}});
      list_.push_back({program, std::move(bytes), std::move(header), freebsd_.sources(), first_page()});
    }
    std::string why;
    if (arm64_compiler(why).empty()) return;
    arm64_ = std::make_unique<Arm64Kernel>();
    for (const int version : {1, 2, 3})
      add_minidump(arm64_->memory.minidump(version, messages), "arm64", version, arm64_->sources(),
                   arm64_->memory.physical(Arm64Memory::base));
  }
  void add_minidump(std::string bytes, const std::string& machine, int version, SymbolSources sources,
                    std::uint64_t physical) {
    auto fields = minidump_fields(bytes, machine, version);
    list_.push_back({fmt::format("{}_minidump_{}", machine, version), std::move(bytes), std::move(fields),
                     std::move(sources), physical});
  }

  std::uint64_t first_page() const { return freebsd_.memory.pages.begin()->first; }

  LinuxKernel linux_;
  FakeKernel freebsd_;
  std::unique_ptr<Arm64Kernel> arm64_;
  std::vector<Sample> list_;
};

TEST(Damage, ADumpThatIsCutOffSaysSoOrIsRefused) {
  const Folder folder;
  for (const auto& sample : Samples::all()) {
    SCOPED_TRACE(sample.name);
    at_each_cut(sample.bytes, folder / "vmcore", [&](const Path& file) {
      ask_all(file, sample.sources, sample.physical);
      answers_or_refuses([&] { EXPECT_FALSE(Core(file).complete()); });
    });
  }
}

TEST(Damage, NoFieldOfAHeaderDoesHarm) {
  const Folder folder;
  for (const auto& sample : Samples::all()) {
    SCOPED_TRACE(sample.name);
    int opened = 0, asked = 0;
    at_each_limit(sample.bytes, sample.fields, folder / "vmcore", [&](const Path& file) {
      // With all that the kernel's file tells now and then: most of it does not depend on the header.
      ask_all(file, ++asked % 16 ? SymbolSources{} : sample.sources, sample.physical, &opened);
    });
    EXPECT_LT(0, opened);
    EXPECT_LT(opened, asked);
  }
}

/// The kdump-compressed file of the Linux kernel.
class DamagedKdump : public testing::Test {
 protected:
  static const Sample& sample() { return Samples::all()[1]; }
  static std::string with(std::size_t at, std::uint64_t value, std::size_t size) {
    auto bytes = sample().bytes;
    put_le(bytes, at, value, size);
    return bytes;
  }
  /// With other notes, at its end.
  static std::string with_notes(const std::string& notes) {
    auto bytes = with(offset_note, sample().bytes.size(), 8);
    put_le(bytes, offset_note + 8, notes.size(), 8);
    bytes.replace(offset_vmcoreinfo, 16, 16, '\0');
    return bytes + notes;
  }
  std::string said(const std::string& bytes) const {
    try {
      Core core(folder.write("kdump", bytes));
      return core.notes().empty() ? "opened" : core.notes()[0];
    } catch (const FormatError& error) {
      return error.reason();
    }
  }
  /// Of the header, and of the sub header.
  static constexpr std::size_t tv_usec = 416, split = page_size + 12, start_pfn_64 = page_size + 80,
                               max_mapnr_64 = page_size + 96, offset_vmcoreinfo = page_size + 32,
                               offset_note = page_size + 48;
  Folder folder;
};

TEST_F(DamagedKdump, APageLongerThanOneIsNotRead) {
  const auto& fields = sample().fields;
  const auto size = std::find_if(fields.begin(), fields.end(), [](auto& f) { return f.name == "page size"; });
  for (const std::uint64_t longer : {page_size + 1, std::uint64_t{200000}}) {
    const Core core(folder.write("kdump", with(size->at, longer, 4)));
    EXPECT_THAT(core.notes(), testing::Contains(HasSubstr("1 pages are longer than a page")));
    EXPECT_THROW(core.read_physical(sample().physical, 1), FormatError);
    EXPECT_THROW(core.read_physical(sample().physical + page_size - 1, 2), FormatError);
    EXPECT_EQ(5u, core.read_physical(sample().physical + page_size, 5).size());
  }
}

TEST_F(DamagedKdump, WhatItSaysOfItselfIsLookedAt) {
  EXPECT_THAT(said(with(max_mapnr_64, 1u << 30, 8)), HasSubstr("bitmaps of pages are too small"));
  EXPECT_THAT(said(with_notes(note(".note.Xen", 0x2000001, ""))), HasSubstr("below Xen"));
  std::string many;
  for (int i = 0; i < 20000; ++i) many += note("CORE", 3, "");
  EXPECT_THAT(said(with_notes(many)), HasSubstr("it has 20000 notes"));
  // What means nothing to a reader of pages is no reason to refuse them.
  for (const std::uint64_t time : {4096, 65536, 0x100000}) EXPECT_EQ("opened", said(with(tv_usec, time, 8)));
  const auto info = [](const std::string& text) { return note("VMCOREINFO", 0, text); };
  for (const char* text : {"OSRELEASE=6.1\nSIZE(a)=2\n", "OSRELEASE=6.1\nA=1\nA.B=2\n.C=1\nD..E=1\n"})
    EXPECT_EQ("opened", said(with_notes(info(text)))) << text;
}

TEST_F(DamagedKdump, OneOfSeveralFilesHasItsPart) {
  auto bytes = with(split, 1, 4);
  const auto first = sample().physical / page_size + 1;
  put_le(bytes, start_pfn_64, first, 8);
  put_le(bytes, start_pfn_64 + 8, first + 1, 8);
  const Core core(folder.write("kdump", bytes));
  EXPECT_FALSE(core.complete());
  EXPECT_THAT(core.notes(), testing::Contains(HasSubstr("one of several files")));
  // Its descriptors begin with that page's.
  EXPECT_EQ(Core(folder.write("whole", sample().bytes)).read_physical(sample().physical, page_size),
            core.read_physical(first * page_size, page_size));
  for (const auto at : {first - 1, first + 1})
    EXPECT_THROW(core.read_physical(at * page_size, 1), FormatError) << at;
}

TEST_F(DamagedKdump, WithoutVmcoreinfoItSaysWhatIsMissing) {
  const auto registers = note("CORE", 1, std::string(336, '\0'));
  EXPECT_THAT(said(with_notes(registers)), HasSubstr("does not say of which kernel it is"));
  // Of one that a machine made it is known whose it is, but not where the kernel lies.
  const Core core(folder.write("kdump", with_notes(registers + note("QEMU", 0, std::string(440, '\0')))));
  EXPECT_EQ("", core.vmcoreinfo());
  EXPECT_EQ(1u, core.read_physical(sample().physical, 1).size());
  try {
    core.read(0xffffffff81000000, 1);
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_THAT(error.hint(), HasSubstr("give the kernel that crashed"));
  }
}

/// The header of a dump on a medium, in its sum's sight right or wrong (struct kerneldumpheader in
/// sys/kerneldump.h).
TEST(Damage, NoFieldOfADumpHeaderOnAMediumDoesHarm) {
  const Folder folder;
  const auto data = pattern(64 << 10);
  const std::size_t last = (256 << 10) - 512;
  std::string medium(256 << 10, '\0');
  put_dump(medium, medium.size(), {.length = data.size()}, data);
  const auto fields = fields_from(last, {{"magic", 20},
                                         {"architecture", 12},
                                         {"version", 4},
                                         {"archversion", 4},
                                         {"dumplength", 8},
                                         {"dumptime", 8},
                                         {"dumpkeysize", 4},
                                         {"blocksize", 4},
                                         {"hostname", 64},
                                         {"version", 192},
                                         {"panic", 175},
                                         {"compression", 1},
                                         {"dumpextent", 8},
                                         {"unused", 4},
                                         {"parity", 4}});
  const auto lift = [&](const Path& file) {
    answers_or_refuses([&] {
      for (const auto& info : find_dumps(file)) EXPECT_NE("", info.to_json());
      const auto lifted = lift_dump(file, folder / "crash");
      EXPECT_EQ(lifted.info.length, boost::filesystem::file_size(lifted.file));
    });
    answers_or_refuses([&] { Core core(file); });
  };
  at_each_limit(medium, fields, folder / "disk", lift);
  // Where the parity is right again, and the header before the dump is the same.
  const std::size_t first = last - data.size() - 512;
  at_each_limit(medium, fields, folder / "disk", lift, [&](std::string& all) {
    char parity[4] = {};
    for (std::size_t at = 0; at < 508; ++at) parity[at % 4] ^= all[last + at];
    all.replace(last + 508, 4, parity, 4);
    all.replace(first, 512, all, last, 512);
  });
  at_each_cut(medium, folder / "disk", lift);
}

}  // namespace
}  // namespace kdev
