// The index of a kernel's symbols: the same answers as the DWARF's, whatever happens to its file.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <kdev/error.hpp>
#include <sstream>
#include <thread>

#include "crash/debug_info.hpp"
#include "crash/index_cache.hpp"
#include "crash/symbol_index_build.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using crash::DebugInfo;
using test::Fixture;
using testing::IsEmpty;

std::string content(const Path& file) {
  std::stringstream text;
  text << std::ifstream(file.string(), std::ios::binary).rdbuf();
  return text.str();
}

void write(const Path& file, const std::string& bytes) {
  std::ofstream(file.string(), std::ios::binary | std::ios::trunc) << bytes;
}

class SymbolIndexTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture = new Fixture; }
  static void TearDownTestSuite() {
    delete fixture;
    fixture = nullptr;
  }
  SymbolIndexTest() : folder_(fixture->dir() / fs::unique_path("index-%%%%%%%%")) {}

  /// The index's file of the fixture's kernel, written.
  Path written() const { return DebugInfo(fixture->vmlinux(), "test").write_index(folder_); }
  std::string described() const { return crash::describe(ElfFile(fixture->vmlinux(), "test")); }

  static void expect_same(const DebugInfo& plain, const DebugInfo& indexed, std::uint64_t low,
                          std::uint64_t high, std::uint64_t step, std::size_t* known = nullptr) {
    for (std::uint64_t at = low; at < high; at += step) {
      const auto steps = plain.expand(at);
      if (known) *known += !steps.empty();
      ASSERT_EQ(steps, indexed.expand(at)) << std::hex << at;
      const auto *a = plain.covering(at), *b = indexed.covering(at);
      ASSERT_EQ(a == nullptr, b == nullptr) << std::hex << at;
      if (!a) continue;
      ASSERT_EQ(std::tie(a->name, a->address, a->size, a->extent),
                std::tie(b->name, b->address, b->size, b->extent));
    }
  }

  static Fixture* fixture;
  const Path folder_;
};
Fixture* SymbolIndexTest::fixture = nullptr;

TEST_F(SymbolIndexTest, EveryAddressOfAKernelIsAsInTheDwarf) {
  ASSERT_FALSE(written().empty());
  const DebugInfo plain(fixture->vmlinux(), "test");
  const DebugInfo indexed(fixture->vmlinux(), "test", {}, folder_);
  ASSERT_TRUE(indexed.indexed());
  ASSERT_FALSE(plain.indexed());
  const auto start = plain.named("do_work").at(0)->address & ~0xfffull;
  std::size_t known = 0;
  expect_same(plain, indexed, start - 64, start + 0x1000, 1, &known);
  EXPECT_GT(known, 100u);
  for (const std::uint64_t at : {0ull, 1ull, ~0ull, ~0ull - 1, 0x8000000000000000ull})
    expect_same(plain, indexed, at, at + (at != ~0ull), 1);
  EXPECT_EQ(plain.named("probe").size(), indexed.named("probe").size());
  EXPECT_EQ(plain.tree("drivers/kernel.c"), indexed.tree("drivers/kernel.c"));
  EXPECT_NE("", indexed.tree("drivers/kernel.c"));
  EXPECT_EQ("", indexed.tree("drivers/nothing.c"));
  EXPECT_TRUE(indexed.has_dwarf());
  EXPECT_NE(nullptr, indexed.dwarf()) << "for whoever wants more than places";
  EXPECT_EQ(plain.call_frames().size(), indexed.call_frames().size());
}

// Optimized C++: functions inlined many deep, in ranges that are split, out of templates and namespaces.
TEST_F(SymbolIndexTest, EveryAddressOfAnOptimizedProgramIsAsInTheDwarf) {
  const Path program = fixture->dir() / "optimized.so";
  for (const char* unit : {"a", "b"})
    write(fixture->dir() / (std::string(unit) + ".cpp"),
          "#include <algorithm>\n#include <map>\n#include <sstream>\n#include <string>\n#include <vector>\n"
          "namespace " +
              std::string(unit) +
              " { namespace inner {\n"
              "std::string words(const std::string& text) {\n"
              "  std::map<std::string, std::vector<int>> seen;\n"
              "  std::istringstream in(text);\n"
              "  for (std::string word; in >> word;) seen[word].push_back(static_cast<int>(word.size()));\n"
              "  std::string all;\n"
              "  for (auto& [word, sizes] : seen) {\n"
              "    std::sort(sizes.begin(), sizes.end());\n"
              "    all += word + std::to_string(sizes.front());\n"
              "  }\n"
              "  return all;\n"
              "} } }\n");
  fixture->run({"c++", "-g", "-O2", "-std=c++17", "-fPIC", "-shared",
                "-Wl,--build-id=0x00112233445566778899aabbccddeeff00000001", "-o", program.string(),
                (fixture->dir() / "a.cpp").string(), (fixture->dir() / "b.cpp").string()});
  const DebugInfo plain(program, "test");
  ASSERT_FALSE(plain.write_index(folder_).empty());
  const DebugInfo indexed(program, "test", {}, folder_);
  ASSERT_TRUE(indexed.indexed());
  std::size_t known = 0, inlined = 0;
  std::uint64_t end = 0;
  std::vector<std::uint64_t> all;
  for (const auto& s : ElfFile(program, "test").symbols())
    if (s.function) end = std::max(end, s.address + s.extent);
  expect_same(plain, indexed, 0, end + 64, 1, &known);
  // Several threads at once.
  for (std::uint64_t at = 0; at < end + 64; ++at) all.push_back(at);
  const DebugInfo fresh(program, "test");
  const auto at_once = fresh.expand_all(all);
  for (const auto at : all) ASSERT_EQ(plain.expand(at), at_once[at]) << at;
  EXPECT_EQ(at_once, indexed.expand_all(all));
  for (std::uint64_t at = 0; at < end; at += 7) inlined += indexed.expand(at).size() > 3;
  EXPECT_GT(known, 3000u);
  EXPECT_GT(inlined, 100u);
}

// An assembler's debug information has lines and no functions; every stack of a kernel ends in such code.
TEST_F(SymbolIndexTest, AssemblyHasLinesToo) {
  const Path source = fixture->dir() / "entry.S", program = fixture->dir() / "entry";
  write(
      source,
      "  .text\n  .globl entry\n  .type entry, @function\nentry:\n  nop\n  nop\n  .size entry, . - entry\n");
  fixture->run({"cc", "-g", "-nostdlib", "-static", "-no-pie", "-Wl,-e,entry",
                "-Wl,--build-id=0x00112233445566778899aabbccddeeff00000004", "-o", program.string(),
                source.string()});
  const DebugInfo plain(program, "test");
  ASSERT_FALSE(plain.write_index(folder_).empty());
  const DebugInfo indexed(program, "test", {}, folder_);
  ASSERT_TRUE(indexed.indexed());
  const auto at = plain.named("entry").at(0)->address;
  ASSERT_EQ(1u, plain.expand(at + 1).size());
  EXPECT_EQ(6, plain.expand(at + 1)[0].line);
  expect_same(plain, indexed, at - 4, at + 16, 1);
  SymbolSources sources;
  sources.vmlinux = program;
  sources.index = folder_;
  const auto frames = Symbolizer(sources).at_symbol("entry", 1, 2, "", false);
  ASSERT_EQ(1u, frames.size());
  EXPECT_EQ("entry", frames[0].function);
  EXPECT_EQ(6, frames[0].line);
  EXPECT_EQ("nop", frames[0].source);
}

// Compilers give code no line that they merged of several. The assembler writes no such row: a line of 777 is
// made one in the program, where what is added to the line before and behind it is 774 and -773, in LEB128.
TEST_F(SymbolIndexTest, CodeWithoutALineHasTheOneBeforeInItsFunction) {
  const Path source = fixture->dir() / "merged.c", program = fixture->dir() / "merged";
  write(source,
        "int merged(int n) {\n  __asm__ volatile(\"nop\");\n"
        "  __asm__ volatile(\".loc 1 777\\n nop\\n nop\");\n  return n;\n}\n");
  fixture->run({"cc", "-g", "-O1", "-nostdlib", "-static", "-no-pie", "-fno-asynchronous-unwind-tables",
                "-Wl,-e,merged", "-Wl,--build-id=0x00112233445566778899aabbccddeeff00000005", "-o",
                program.string(), source.string()});
  std::string bytes = content(program);
  for (const auto& [added, none] : {std::pair<std::string, std::string>{"\x03\x86\x06", "\x03\xfd\x7f"},
                                    {"\x03\xfb\x79", {"\x03\x84\x00", 3}}}) {
    const auto at = bytes.find(added);
    ASSERT_NE(std::string::npos, at);
    ASSERT_EQ(std::string::npos, bytes.find(added, at + 1));
    bytes.replace(at, added.size(), none);
  }
  write(program, bytes);
  const DebugInfo plain(program, "test");
  ASSERT_FALSE(plain.write_index(folder_).empty());
  const DebugInfo indexed(program, "test", {}, folder_);
  ASSERT_TRUE(indexed.indexed());
  const auto* merged = plain.named("merged").at(0);
  std::vector<int> lines;
  for (auto at = merged->address + 2; at < merged->address + 6; ++at)
    for (const auto& step : plain.expand(at)) lines.push_back(step.line);
  EXPECT_THAT(lines, testing::ElementsAre(2, 3, 3, 5));
  expect_same(plain, indexed, merged->address - 4, merged->address + merged->size + 4, 1);
}

TEST_F(SymbolIndexTest, ItIsMadeOnceAndByItsBuildId) {
  const Path file = written();
  EXPECT_THAT(file.filename().string(), testing::StartsWith("00112233445566778899aabbccddeeff99887766-"));
  struct stat before {
  }, after{};
  ASSERT_EQ(0, ::stat(file.c_str(), &before));
  EXPECT_EQ(file, written());
  ASSERT_EQ(0, ::stat(file.c_str(), &after));
  EXPECT_EQ(before.st_ino, after.st_ino);
}

// One that was stripped has the same build id, and less to say.
TEST_F(SymbolIndexTest, AnotherFileOfTheSameBuildIdHasItsOwn) {
  const Path file = written();
  const DebugInfo stripped(fixture->stripped(), "test", {}, folder_);
  EXPECT_FALSE(stripped.indexed());
  EXPECT_FALSE(stripped.has_symbols());
  EXPECT_THAT(stripped.write_index(folder_).string(), IsEmpty());
  // Under the other's name it is not taken either.
  const std::string other = crash::describe(ElfFile(fixture->stripped(), "test"));
  ASSERT_NE(described(), other);
  EXPECT_EQ(nullptr, crash::SymbolIndex::open(file, other));
  EXPECT_NE(nullptr, crash::SymbolIndex::open(file, described()));
}

TEST_F(SymbolIndexTest, NothingToIndexIsNoError) {
  EXPECT_THAT(DebugInfo(fixture->module(), "test").write_index(folder_).string(), IsEmpty());
  EXPECT_THAT(DebugInfo(fixture->vmlinux(), "test").write_index({}).string(), IsEmpty());
  write(fixture->dir() / "occupied", "a file");
  EXPECT_THROW(DebugInfo(fixture->vmlinux(), "test").write_index(fixture->dir() / "occupied"), HostError);
}

TEST_F(SymbolIndexTest, ACutOffOneIsNotUsedAndMadeAgain) {
  const Path file = written();
  const std::string whole = content(file);
  for (std::size_t size = whole.size() - 1; size > 0; size = size * 2 / 3) {
    fs::remove(file);
    write(file, whole.substr(0, size));
    EXPECT_FALSE(DebugInfo(fixture->vmlinux(), "test", {}, folder_).indexed()) << size;
  }
  EXPECT_EQ(file, written());
  EXPECT_EQ(whole, content(file));
}

// Whichever byte is wrong, no answer is.
TEST_F(SymbolIndexTest, DamageNeverShows) {
  const Path file = written();
  const std::string whole = content(file);
  const DebugInfo plain(fixture->vmlinux(), "test");
  const auto start = plain.named("do_work").at(0)->address;
  for (std::size_t at = 0; at < whole.size(); at += at < 400 ? 1 : 97) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const auto index = crash::SymbolIndex::of_bytes(damaged, described());
    if (index) {
      EXPECT_FALSE(index->whole()) << at;
      const auto steps = index->expand(start);
      if (steps) {
        EXPECT_EQ(plain.expand(start), *steps) << at;
      }
    }
    fs::remove(file);
    write(file, damaged);
    const DebugInfo info(fixture->vmlinux(), "test", {}, folder_);
    ASSERT_EQ(plain.expand(start), info.expand(start)) << at;
    ASSERT_EQ(plain.named("probe").size(), info.named("probe").size()) << at;
  }
  EXPECT_EQ(file, written());
  EXPECT_EQ(whole, content(file)) << "a damaged one is made again";
}

TEST_F(SymbolIndexTest, SeveralProcessesAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool good = true;
      for (int round = 0; round < 20 && good; ++round) {
        boost::system::error_code ec;
        if (round % 4 == i) fs::remove_all(folder_, ec);
        try {
          written();
        } catch (const HostError&) {
          // The folder was removed under it.
        }
        // Another one may have removed it; but what is there is whole.
        const DebugInfo info(fixture->vmlinux(), "test", {}, folder_);
        good = info.expand(info.named("do_work").at(0)->address).size() == 1;
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(0, status);
  }
  const Path file = written();
  ASSERT_FALSE(file.empty());
  EXPECT_TRUE(crash::SymbolIndex::open(file, described())->whole());
}

TEST_F(SymbolIndexTest, TheFolderIsBounded) {
  fs::create_directories(folder_);
  const auto put = [&](const std::string& name, std::size_t size, int age) {
    write(folder_ / name, std::string(size, 'x'));
    fs::last_write_time(folder_ / name, std::time(nullptr) - age);
  };
  const auto names = [&] {
    std::vector<std::string> found;
    for (fs::directory_iterator it(folder_), end; it != end; ++it)
      found.push_back(it->path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  };
  put("a.symbols", 100, 40);
  put("b.symbols", 100, 30);
  put("c.symbols", 100, 20);
  put("d.symbols.newABCDEF", 100, 10);     // somebody is writing it
  put("e.symbols.newABCDEF", 100, 10000);  // nobody is
  put("mine.txt", 100, 10000);
  crash::prune_indexes(folder_, folder_ / "a.symbols", 1000, 2);
  EXPECT_THAT(names(), testing::ElementsAre("a.symbols", "c.symbols", "d.symbols.newABCDEF", "mine.txt"));
  crash::prune_indexes(folder_, folder_ / "a.symbols", 150, 2);
  EXPECT_THAT(names(), testing::ElementsAre("a.symbols", "d.symbols.newABCDEF", "mine.txt"));
  crash::prune_indexes(folder_ / "nothing", {});
}

TEST_F(SymbolIndexTest, ASymbolizerUsesIt) {
  auto sources = fixture->sources();
  sources.index = folder_;
  const Symbolizer first(sources);
  EXPECT_FALSE(first.indexed());
  const DebugInfo info(fixture->vmlinux(), "test");
  std::vector<std::uint64_t> addresses;
  const auto start = info.named("do_work").at(0)->address & ~0xfffull;
  for (std::uint64_t o = 0; o < 0x400; ++o) addresses.push_back(start + o);
  const auto before = first.at_addresses(addresses, 0, false);
  const Path file = first.build_index();
  EXPECT_EQ(folder_, file.parent_path());
  EXPECT_TRUE(first.indexed()) << "from then on";
  EXPECT_EQ(before, first.at_addresses(addresses, 0, false));
  const Symbolizer second(sources);
  EXPECT_TRUE(second.indexed());
  EXPECT_EQ(before, second.at_addresses(addresses, 0, false));
  EXPECT_EQ(before.at(5), second.at_address(addresses[5], 0, false));
  const auto bare = second.at_addresses(addresses, 0, false, false);
  ASSERT_EQ(before.size(), bare.size());
  for (std::size_t i = 0; i < bare.size(); ++i) {
    ASSERT_EQ(before[i].size(), bare[i].size());
    for (std::size_t k = 0; k < bare[i].size(); ++k) {
      EXPECT_EQ("", bare[i][k].source);
      EXPECT_EQ(before[i][k].line, bare[i][k].line);
    }
  }
}

TEST_F(SymbolIndexTest, OthersAskWhileItIsMade) {
  auto sources = fixture->sources();
  sources.index = folder_;
  const Symbolizer symbolizer(sources);
  const DebugInfo info(fixture->vmlinux(), "test");
  const auto address = info.named("open_device").at(0)->address;
  const auto expected = symbolizer.at_address(address, 0, false);
  std::thread builder([&] { symbolizer.build_index(); });
  for (int i = 0; i < 200; ++i) EXPECT_EQ(expected, symbolizer.at_address(address, 0, false));
  builder.join();
  EXPECT_TRUE(symbolizer.indexed());
  EXPECT_EQ(expected, symbolizer.at_address(address, 0, false));
}

TEST_F(SymbolIndexTest, TheUsersFolder) {
  const auto with = [](const char* cache, const char* home) {
    const auto set = [](const char* name, const char* value) {
      const char* was = std::getenv(name);
      std::optional<std::string> old = was ? std::optional<std::string>(was) : std::nullopt;
      value ? ::setenv(name, value, 1) : ::unsetenv(name);
      return old;
    };
    const auto old_cache = set("XDG_CACHE_HOME", cache), old_home = set("HOME", home);
    const std::string folder = crash::default_index_folder().string();
    set("XDG_CACHE_HOME", old_cache ? old_cache->c_str() : nullptr);
    set("HOME", old_home ? old_home->c_str() : nullptr);
    return folder;
  };
  EXPECT_EQ("/c/kdev/symbols", with("/c", "/h"));
  EXPECT_EQ("/h/.cache/kdev/symbols", with(nullptr, "/h"));
  EXPECT_EQ("/h/.cache/kdev/symbols", with("relative", "/h"));
  EXPECT_EQ("", with("", nullptr));
}

}  // namespace
}  // namespace kdev
