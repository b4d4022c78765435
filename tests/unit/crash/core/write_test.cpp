// Dumps written anew: by the reader they say what the ones that they were made of say. What gdb, crash and
// drgn make of real ones is in tests/python/test_core_write.py.
#include <gmock/gmock.h>

#include <kdev/error.hpp>

#include "crash/core/elf_core.hpp"
#include "crash/core/elf_writer.hpp"
#include "guest/prstatus.hpp"
#include "unit/crash/core/fake_linux.hpp"

namespace kdev {
namespace {

using namespace test;
using guest::Mapping;
using guest::MemoryRange;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void expect_same(const Core& a, const Core& b) {
  EXPECT_EQ(a.os(), b.os());
  EXPECT_TRUE(b.complete());
  EXPECT_THAT(b.notes(), testing::ElementsAreArray(a.notes()));
  EXPECT_EQ(a.version(), b.version());
  EXPECT_EQ(a.panic(), b.panic());
  EXPECT_EQ(a.uptime(), b.uptime());
  EXPECT_EQ(a.dmesg(), b.dmesg());
  EXPECT_EQ(a.modules(), b.modules());
  EXPECT_EQ(a.cpus(), b.cpus());
  EXPECT_EQ(a.threads(), b.threads());
  for (const auto& t : a.threads()) {
    EXPECT_EQ(a.registers(t.tid), b.registers(t.tid));
    EXPECT_EQ(a.stack(t.tid), b.stack(t.tid));
  }
  EXPECT_FALSE(a.report().title.empty());
  EXPECT_EQ(a.report(), b.report());
}

void expect_memory(const FakeMemory& memory, const Core& core) {
  for (const auto& [at, page] : memory.pages)
    ASSERT_TRUE(page == core.read_physical(at, page.size())) << std::hex << at;
}

std::size_t files_in(const Folder& folder) {
  return static_cast<std::size_t>(std::distance(boost::filesystem::directory_iterator(folder.path()),
                                                boost::filesystem::directory_iterator()));
}

struct OnDisk final : guest::CoreBytes {
  explicit OnDisk(std::string s) : content(std::move(s)) {}
  std::uint64_t size() const override { return content.size(); }
  bool read(std::uint64_t offset, void* to, std::size_t n) const override {
    if (offset > content.size() || n > content.size() - offset) return false;
    std::memcpy(to, content.data() + offset, n);
    return true;
  }
  std::string content;
};

class WriteTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    kernel = new LinuxKernel;
    freebsd = new FakeKernel({}, "panic: page fault\n", 18);
  }
  static void TearDownTestSuite() {
    delete kernel;
    delete freebsd;
  }
  static LinuxKernel* kernel;
  static FakeKernel* freebsd;
  Folder folder;
};
LinuxKernel* WriteTest::kernel = nullptr;
FakeKernel* WriteTest::freebsd = nullptr;

TEST_F(WriteTest, AnElfCoreOfLinuxSaysTheSame) {
  for (const auto& notes : {kernel->cpu_notes() + kernel->vmcoreinfo(), kernel->cpu_notes(),
                            kernel->cpu_notes(false) + kernel->vmcoreinfo()}) {
    const Core core = kernel->open(kernel->dump(notes));
    const auto written = core.write_elf(folder / "out");
    EXPECT_THAT(written.command, ElementsAre("gdb", kernel->file().string(), (folder / "out").string()));
    const Core again(folder / "out", kernel->sources());
    EXPECT_EQ("elf", again.format());
    expect_same(core, again);
    // Memory lies at the kernel's addresses, for whoever knows nothing of page tables.
    int abi = -1;
    const OnDisk bytes(content_of(folder / "out"));
    const auto plain = crash::open_elf_core(bytes, &abi);
    EXPECT_EQ(ELFOSABI_NONE, abi);
    std::string banner(13, '\0');
    ASSERT_TRUE(plain->read_virtual(kernel->symbols.at("linux_banner"), banner.data(), banner.size()));
    EXPECT_EQ("Linux version", banner);
    std::vector<int> tids;
    for (const auto& n : plain->notes())
      if (const auto p = guest::read_prstatus(n)) tids.push_back(static_cast<int>(p->tid));
    EXPECT_THAT(tids, ElementsAre(31, -1, 33, 40));
  }
}

TEST_F(WriteTest, AKdumpFileOfLinuxSaysTheSame) {
  FakeMemory memory = kernel->memory;
  memory.put(0x1234000, pattern(100 * page_size));  // what does not compress
  memory.put(0x2345000, std::string(10 * page_size, '\0'));
  const auto dump = kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo(), memory);
  const Core core = kernel->open(dump);
  for (const auto compression : {KdumpCompression::none, KdumpCompression::zlib, KdumpCompression::zstd}) {
    const auto written = core.write_kdump(folder / "out", compression);
    EXPECT_THAT(written.command, ElementsAre("crash", kernel->file().string(), (folder / "out").string()));
    EXPECT_LT(written.size, dump.size());
    const Core again(folder / "out", kernel->sources());
    EXPECT_EQ("kdump-compressed", again.format());
    expect_same(core, again);
    expect_memory(memory.mapped(kernel->physical("init_top_pgt")), again);
    EXPECT_THROW(again.read_physical(0x70000000, 1), FormatError);
    // And on: a file of each kind is as good a source.
    again.write_elf(folder / "elf");
    const Core elf(folder / "elf", kernel->sources());
    elf.write_kdump(folder / "back", compression);
    expect_same(core, Core(folder / "back", kernel->sources()));
  }
}

TEST_F(WriteTest, AKernelThatWasMovedIsFoundAgain) {
  // Linked lower than it lies.
  constexpr std::uint64_t slide = 0x1000000;
  const LinuxKernel linked({}, "0xffffffff80200000");
  SymbolSources sources = linked.sources();
  LinuxKernel moved({}, "0xffffffff81200000");
  const auto dump = moved.dump(moved.cpu_notes() + moved.vmcoreinfo(slide));
  const Core core(folder.write("vmcore", dump), sources);
  ASSERT_EQ("greeted too often", core.panic());
  const auto written = core.write_elf(folder / "out");
  EXPECT_THAT(written.command, ElementsAre("gdb", "-c", (folder / "out").string(), "-ex",
                                           "symbol-file -o 0x1000000 " + linked.file().string()));
  expect_same(core, Core(folder / "out", sources));
  core.write_kdump(folder / "out");
  expect_same(core, Core(folder / "out", sources));
}

TEST_F(WriteTest, AnElfCoreOfFreebsdSaysTheSame) {
  std::vector<std::string> dumps;
  for (const int version : {1, 2, 3}) dumps.push_back(freebsd->memory.minidump(version, ""));
  dumps.push_back(freebsd->memory.elf(freebsd->physical("KPML4phys")));
  for (const auto& dump : dumps) {
    const Core core(folder.write("vmcore", dump), freebsd->sources());
    const auto written = core.write_elf(folder / "out");
    EXPECT_THAT(written.command, ElementsAre("gdb", "-iex", "set osabi GNU/Linux", freebsd->file().string(),
                                             (folder / "out").string()));
    EXPECT_THAT(written.script, HasSubstr("tf_rip"));
    const Core again(folder / "out", freebsd->sources());
    expect_same(core, again);
    // Without the kernel's file, too.
    EXPECT_EQ("FreeBSD 13.2", Core(folder / "out").read(freebsd->symbols.at("version"), 12));
    if (&dump != &dumps.back()) {
      EXPECT_EQ("FreeBSD 13.2", again.read(0xfffff80000000000 + freebsd->physical("version"), 12));
      // Both addresses lead to the same bytes of the file.
      EXPECT_LT(boost::filesystem::file_size(folder / "out"), dump.size() + (1 << 20));
      // And from it another one.
      again.write_elf(folder / "twice");
      expect_same(core, Core(folder / "twice", freebsd->sources()));
    }
    EXPECT_THROW(core.write_kdump(folder / "kdump"), ConfigError);
  }
  EXPECT_FALSE(boost::filesystem::exists(folder / "kdump"));
}

TEST_F(WriteTest, WithoutTheKernelsFileMemoryIsWritten) {
  const auto dump = folder.write("vmcore", kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo()));
  const Core whole(dump, kernel->sources()), core(dump);
  core.write_elf(folder / "elf");
  expect_same(whole, Core(folder / "elf", kernel->sources()));
  core.write_kdump(folder / "kdump");
  expect_same(whole, Core(folder / "kdump", kernel->sources()));
  const Core untold(folder.write("untold", kernel->dump(kernel->cpu_notes())));
  EXPECT_THROW(untold.write_elf(folder / "out"), FormatError);
  EXPECT_THROW(untold.write_kdump(folder / "out"), ConfigError);
  EXPECT_THROW(core.write_kdump(folder / "out", KdumpCompression::zlib, {PageKind::free}), ConfigError);
  EXPECT_FALSE(boost::filesystem::exists(folder / "out"));
}

struct Pages {
  FakeMemory& memory;
  std::uint64_t at;
  void set(std::uint64_t number, std::uint64_t flags, std::uint64_t mapping, std::uint64_t head,
           std::int32_t mapcount, std::uint64_t order) {
    const auto p = at + number * 64;
    memory.put_number(p, flags);
    memory.put_number(p + 8, head);
    memory.put_number(p + 24, mapping);
    memory.put_number(p + 40, order);
    memory.put_number(p + 48, static_cast<std::uint32_t>(mapcount));
  }
};

TEST_F(WriteTest, PagesAreLeftOutByTheirKind) {
  FakeMemory memory = kernel->memory;
  memory.put(0x1000000, pattern(0x20 * page_size));
  Pages pages{memory, kernel->physical("pages")};
  constexpr std::uint64_t lru = 1 << 4, anonymous = 0xffff888000000001, file = 0xffff888000000000;
  const auto structure = [&](std::uint64_t number) { return kernel->symbols.at("pages") + number * 64; };
  pages.set(0x1000, lru, anonymous, 0, 0, 0);
  pages.set(0x1001, lru, file, 0, 0, 0);
  pages.set(0x1002, 1 << 9, anonymous, 0, 0, 0);  // a slab's
  for (std::uint64_t i = 4; i < 8; ++i) pages.set(0x1000 + i, lru, anonymous, 0, 0, 0);
  pages.set(0x1004, 0, 0, 0, -129, 2);  // a free block: what is said of its other pages is old
  pages.set(0x1008, lru | 1 << 16, anonymous, 0, 0, 0);
  pages.set(0x1009, 0, 0, structure(0x1008) + 1, -1, 0);  // tails
  pages.set(0x100a, 0, 0, structure(0x1002) + 1, -1, 0);
  const Core core = kernel->open(kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo(), memory));
  struct Case {
    std::vector<PageKind> kinds;
    std::vector<std::uint64_t> gone;
  };
  for (const auto& [kinds, gone] :
       {Case{{PageKind::free}, {4, 5, 6, 7}}, Case{{PageKind::user}, {0, 8, 9}}, Case{{PageKind::cache}, {1}},
        Case{{PageKind::free, PageKind::user, PageKind::cache}, {0, 1, 4, 5, 6, 7, 8, 9}}}) {
    const auto elf = core.write_elf(folder / "elf", kinds);
    const auto kdump = core.write_kdump(folder / "kdump", KdumpCompression::zlib, kinds);
    EXPECT_EQ(core.write_kdump(folder / "all").memory - kdump.memory, gone.size() * page_size);
    for (const char* name : {"elf", "kdump"}) {
      SCOPED_TRACE(name);
      const Core again(folder / name, kernel->sources());
      expect_same(core, again);
      for (std::uint64_t i = 0; i < 0x20; ++i) {
        const auto at = 0x1000000 + i * page_size;
        if (testing::Matches(Contains(i))(gone))
          EXPECT_THROW(again.read_physical(at, page_size), FormatError) << i;
        else
          EXPECT_EQ(memory.pages.at(at), again.read_physical(at, page_size)) << i;
      }
    }
  }
}

TEST_F(WriteTest, NothingIsLeftOfAFileThatCouldNotBeWritten) {
  const auto whole = kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo());
  const Core core = kernel->open(whole);
  core.write_kdump(folder / "kdump", KdumpCompression::zlib);
  auto damaged = content_of(folder / "kdump");
  damaged.replace(damaged.size() / 2, 4096, std::string(4096, '\xee'));
  folder.write("damaged", damaged);
  folder.write("cut", whole.substr(0, whole.size() - 5000));
  folder.write("out", "as it was");
  const auto before = files_in(folder);
  std::stop_source stop;
  stop.request_stop();
  const auto write_both = [&](const Core& c, const Deadline& deadline, auto expect) {
    expect([&] { c.write_elf(folder / "out", {}, deadline); });
    expect([&] { c.write_kdump(folder / "out", KdumpCompression::zlib, {}, deadline); });
    EXPECT_EQ(before, files_in(folder));
    EXPECT_EQ("as it was", content_of(folder / "out"));
  };
  write_both(core, Deadline::after(Seconds(0)), [](auto f) { EXPECT_THROW(f(), TimeoutError); });
  write_both(core, Deadline::never(stop.get_token()), [](auto f) { EXPECT_THROW(f(), Interrupted); });
  for (const char* name : {"damaged", "cut"})
    write_both(Core(folder / name, kernel->sources()), {}, [](auto f) { EXPECT_THROW(f(), FormatError); });
  EXPECT_THROW(core.write_elf(folder / "no" / "such"), HostError);
  EXPECT_THROW(core.write_elf(folder.path()), HostError);
}

/// One page at many addresses.
struct OnePage final : guest::CoreMemory {
  std::string format() const override { return "test"; }
  std::string arch() const override { return "x86_64"; }
  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    if (address < page_size || address + size > 2 * page_size) return false;
    std::memset(to, 'x', size);
    return true;
  }
  bool read_virtual(std::uint64_t, void*, std::size_t) const override { return false; }
  std::vector<MemoryRange> physical_ranges() const override { return {{page_size, page_size}}; }
};

TEST_F(WriteTest, MoreSegmentsThanTheHeaderCanCount) {
  const OnePage memory;
  for (const std::size_t count : {65533u, 65534u, 65535u, 70000u}) {
    crash::ElfContent content{.memory = memory};
    for (std::uint64_t i = 0; i < count; ++i)
      content.mappings.push_back({0xffff888000000000 + i * 2 * page_size, page_size, page_size});
    {
      AtomicFile out(folder / "many");
      EXPECT_EQ(page_size, crash::write_elf_core(content, out, "test", {}));
      out.commit();
    }
    const OnDisk bytes(content_of(folder / "many"));
    EXPECT_LT(bytes.size(), count * 56 + 3 * page_size);
    int abi = -1;
    const auto plain = crash::open_elf_core(bytes, &abi);
    EXPECT_THAT(plain->problems(), IsEmpty());
    EXPECT_EQ(content.mappings, plain->kernel_mappings({}));
    EXPECT_THAT(plain->physical_ranges(), ElementsAre(MemoryRange{page_size, page_size}));
    char last = 0;
    EXPECT_TRUE(plain->read_virtual(content.mappings.back().address + 4095, &last, 1));
    EXPECT_EQ('x', last);
    EXPECT_FALSE(plain->read_virtual(content.mappings.back().address + 4096, &last, 1));
  }
}

TEST_F(WriteTest, AbsurdHeadersAreNoTrouble) {
  const Core core = kernel->open(kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo()));
  core.write_elf(folder / "elf");
  core.write_kdump(folder / "kdump");
  for (const char* name : {"elf", "kdump"}) {
    const auto whole = content_of(folder / name);
    // The ELF header with the first program headers; what counts in the headers of a kdump file.
    for (const auto& [begin, end] :
         {std::pair{0x8u, 0xb0u}, std::pair{0x1a8u, 0x1d0u}, std::pair{0x1000u, 0x1068u}}) {
      for (std::size_t at = begin; at < end; at += 8) {
        for (const std::uint64_t value : {0xffffffffull, 0x7fffffffull, 0x1001ull}) {
          auto bytes = whole;
          put_le(bytes, at, value, 4);
          folder.write("bad", bytes);
          try {
            const Core bad(folder / "bad");
            bad.write_elf(folder / "out", {}, Deadline::after(Seconds(60)));
          } catch (const FormatError&) {
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace kdev
