// Archives as kernels accept them, and those that they do not.
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <random>

#include "image/archive_reader.hpp"
#include "unit/image/image_test.hpp"
#include "unit/image/newc_bytes.hpp"

namespace kdev::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReadArchive : public ImageTest {};

/// As list_archive(), without a file.
void read_all(const std::string& bytes) {
  struct Memory final : ByteSource {
    explicit Memory(const std::string& b) : bytes(b) {}
    std::size_t read_at(std::uint64_t position, char* to, std::size_t size) override {
      return position < bytes.size() ? bytes.copy(to, size, position) : 0;
    }
    const std::string& bytes;
  } source(bytes);
  ArchiveReader reader(source, "memory");
  while (reader.next()) reader.read_all(1 << 20);
}

std::string one_file(const std::string& name, const std::string& data = "data") {
  return newc_entry(name, S_IFREG | 0644, data) + newc_trailer();
}

/// Bytes through one of libarchive's compressors.
std::string packed(const std::string& bytes, int (*filter)(archive*)) {
  archive* a = archive_write_new();
  archive_write_set_format_raw(a);
  EXPECT_EQ(filter(a), ARCHIVE_OK);
  std::string out(bytes.size() + 100'000, '\0');
  std::size_t used = 0;
  archive_write_set_bytes_in_last_block(a, 1);
  EXPECT_EQ(archive_write_open_memory(a, out.data(), out.size(), &used), ARCHIVE_OK);
  archive_entry* e = archive_entry_new();
  archive_entry_set_filetype(e, AE_IFREG);
  archive_write_header(a, e);
  EXPECT_EQ(archive_write_data(a, bytes.data(), bytes.size()), static_cast<la_ssize_t>(bytes.size()));
  archive_write_close(a);
  archive_entry_free(e);
  archive_write_free(a);
  out.resize(used);
  return out;
}

struct Filter {
  const char* name;
  int (*add)(archive*);
};
class ReadCompressed : public ReadArchive, public ::testing::WithParamInterface<Filter> {};
INSTANTIATE_TEST_SUITE_P(, ReadCompressed,
                         ::testing::Values(Filter{"gzip", archive_write_add_filter_gzip},
                                           Filter{"bzip2", archive_write_add_filter_bzip2},
                                           Filter{"xz", archive_write_add_filter_xz},
                                           Filter{"lzma", archive_write_add_filter_lzma},
                                           Filter{"lz4", archive_write_add_filter_lz4},
                                           Filter{"zstd", archive_write_add_filter_zstd}),
                         [](const auto& info) { return info.param.name; });

TEST_P(ReadCompressed, Alone) {
  const Path f = put("a", packed(one_file("x"), GetParam().add));
  EXPECT_THAT(paths_of(list_archive(f)), ElementsAre("/x"));
  EXPECT_TRUE(SeedImage::initramfs(f).is_archive());
}

TEST_P(ReadCompressed, AfterAPlainOne) {
  // Early microcode, then the main archive; zero bytes between.
  const Path f =
      put("a", one_file("early") + std::string(512, '\0') + packed(one_file("main"), GetParam().add));
  EXPECT_THAT(paths_of(list_archive(f)), ElementsAre("/early", "/main"));
}

TEST_P(ReadCompressed, BeforeAPlainOne) {
  for (const std::size_t zeros : {0, 1, 3, 4, 1000}) {
    const Path f =
        put("a", packed(one_file("main"), GetParam().add) + std::string(zeros, '\0') + one_file("late"));
    EXPECT_THAT(paths_of(list_archive(f)), ElementsAre("/main", "/late")) << zeros;
  }
}

TEST_P(ReadCompressed, SeveralInOnePartAndInSeveral) {
  const std::string two = one_file("a") + std::string(8, '\0') + one_file("b");
  const std::string part = packed(two, GetParam().add);
  EXPECT_THAT(paths_of(list_archive(put("a", part))), ElementsAre("/a", "/b"));
  EXPECT_THAT(paths_of(list_archive(put("a", part + std::string(16, '\0') + part))),
              ElementsAre("/a", "/b", "/a", "/b"));
}

TEST_P(ReadCompressed, MixedWithEveryOther) {
  const std::string mine = packed(one_file("mine", std::string(200'000, 'm')), GetParam().add);
  const std::string zipped = packed(one_file("zipped"), archive_write_add_filter_gzip);
  EXPECT_THAT(paths_of(list_archive(put("a", mine + std::string(4, '\0') + zipped))),
              ElementsAre("/mine", "/zipped"));
  EXPECT_THAT(paths_of(list_archive(put("a", zipped + std::string(4, '\0') + mine))),
              ElementsAre("/zipped", "/mine"));
}

TEST_P(ReadCompressed, CutOffIsAnError) {
  std::string noise(50'000, '\0');
  std::mt19937 random(5);
  for (char& c : noise) c = static_cast<char>(random());
  const std::string whole = packed(one_file("x", noise), GetParam().add);
  for (const std::size_t keep : {whole.size() / 10, whole.size() / 2, whole.size() * 9 / 10}) {
    const Path f = put("a", whole.substr(0, keep));
    EXPECT_THAT(failure<FormatError>([&] { list_archive(f); }), HasSubstr(f.string())) << keep;
  }
}

TEST_P(ReadCompressed, DamageIsAnErrorOrHarmless) {
  const std::string whole = packed(one_file("x", std::string(3000, 'x')), GetParam().add);
  std::mt19937 random(6);
  for (int i = 0; i < 300; ++i) {
    std::string bad = whole;
    bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    try {
      read_all(bad);
    } catch (const FormatError&) {
    }
  }
}

TEST_P(ReadCompressed, JunkInsideIsAnError) {
  EXPECT_THROW(list_archive(put("a", packed(one_file("x") + "junk", GetParam().add))), FormatError);
  EXPECT_THROW(list_archive(put("a", packed("no archive at all, only text", GetParam().add))), FormatError);
}

TEST_F(ReadArchive, PlainOnesInARow) {
  std::string many;
  for (int i = 0; i < 300; ++i)
    many += one_file("f" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 37, 'x'));
  EXPECT_EQ(list_archive(put("a", many)).size(), 300u);
}

TEST_F(ReadArchive, TheOldPortableFormat) {
  // "odc": 76 bytes of octal header.
  std::string bytes = std::string("070707") +
                      "000001"
                      "000001"
                      "100644"
                      "000001"
                      "000002"
                      "000001"
                      "000000"
                      "00000000000"
                      "000002"
                      "00000000004";
  bytes += std::string("x\0", 2) + "abcd";
  bytes += std::string("070707") +
           "000000"
           "000000"
           "000000"
           "000000"
           "000000"
           "000001"
           "000000"
           "00000000000"
           "000013"
           "00000000000";
  bytes += std::string("TRAILER!!!\0", 11);
  const auto e = list_archive(put("a", bytes));
  ASSERT_EQ(e.size(), 1u);
  EXPECT_EQ(e[0], (ImageEntry{.path = "/x", .mode = 0644, .uid = 1, .gid = 2, .size = 4}));
}

TEST_F(ReadArchive, NamesAreMadeNormal) {
  const Path f = put("a", newc_entry(".", S_IFDIR | 0755) + newc_entry("./etc", S_IFDIR | 0755) +
                              newc_entry("/etc//x", S_IFREG | 0600) + newc_trailer());
  EXPECT_THAT(paths_of(list_archive(f)), ElementsAre("/etc", "/etc/x"));
}

TEST_F(ReadArchive, HardLinksWhereverTheDataIs) {
  const std::string last = newc_entry("a", S_IFREG | 0644, "", 7, 3) +
                           newc_entry("b", S_IFREG | 0644, "", 7, 3) +
                           newc_entry("c", S_IFREG | 0644, "12345", 7, 3);
  const std::string first = newc_entry("a", S_IFREG | 0644, "12345", 7, 3) +
                            newc_entry("b", S_IFREG | 0644, "", 7, 3) +
                            newc_entry("c", S_IFREG | 0644, "", 7, 3);
  for (const std::string& body : {last, first}) {
    const Path f = put("a", body + newc_trailer());
    const auto e = list_archive(f);
    ASSERT_EQ(e.size(), 3u);
    EXPECT_EQ(e[0].target, "");
    EXPECT_EQ(e[2].target, "/a");
    for (const ImageEntry& x : e) EXPECT_EQ(x.size, 5u);
    fs::remove_all(dir / "out");
    unpack_archive(f, dir / "out");
    for (const char* name : {"a", "b", "c"}) EXPECT_EQ(slurp(dir / "out" / name), "12345") << name;
    EXPECT_EQ(fs::hard_link_count(dir / "out/a"), 3u);
  }
}

TEST_F(ReadArchive, DirectoriesWithOneInodeAreNoLinks) {
  const Path f = put("a", newc_entry("d", S_IFDIR | 0755, "", 0, 2) +
                              newc_entry("e", S_IFDIR | 0711, "", 0, 2) + newc_trailer());
  const auto e = list_archive(f);
  ASSERT_EQ(e.size(), 2u);
  EXPECT_EQ(e[1], (ImageEntry{.type = Type::dir, .path = "/e", .mode = 0711}));
  unpack_archive(f, dir / "out");
  EXPECT_TRUE(fs::is_directory(dir / "out/e"));
}

TEST_F(ReadArchive, InodesOfTwoArchivesHaveNothingToDoWithEachOther) {
  const Path f = put("a", newc_entry("a", S_IFREG | 0644, "one", 7, 2) + newc_trailer() +
                              newc_entry("b", S_IFREG | 0644, "two", 7, 2) + newc_trailer());
  const auto e = list_archive(f);
  EXPECT_EQ(e[1].target, "");
}

TEST_F(ReadArchive, NoArchiveIsAFormatError) {
  EXPECT_THAT(failure<FormatError>([&] { list_archive(put("a", "")); }), HasSubstr("empty"));
  EXPECT_THAT(failure<FormatError>([&] { list_archive(put("a", std::string(1000, '\0'))); }),
              HasSubstr("empty"));
  EXPECT_THAT(failure<FormatError>([&] { list_archive(put("a", "hello")); }), HasSubstr("no cpio archive"));
  EXPECT_THAT(failure<FormatError>([&] { list_archive(put("a", one_file("x") + "junk")); }),
              HasSubstr("no cpio archive"));
  EXPECT_THAT(failure<FormatError>([&] { list_archive(put("a", std::string("\x89LZO\0", 5))); }),
              HasSubstr("lzo"));
  EXPECT_THROW(list_archive(put("a", std::string("\x1f\x8b", 2))), FormatError);
  EXPECT_THROW(list_archive(dir / "nope"), HostError);
  EXPECT_THROW(list_archive(dir), HostError);
}

TEST_F(ReadArchive, WithoutTrailerItIsCutOff) {
  const std::string body = newc_entry("x", S_IFREG | 0644, "data");
  EXPECT_THROW(list_archive(put("a", body)), FormatError);
  const std::string whole = body + newc_trailer();
  for (std::size_t keep = 1; keep < whole.size() - 3; ++keep)
    EXPECT_THROW(read_all(whole.substr(0, keep)), FormatError) << keep;
}

TEST_F(ReadArchive, GarbageBetweenEntriesIsAnError) {
  EXPECT_THROW(list_archive(put("a", newc_entry("x", S_IFREG | 0644, "data") + "garb" +
                                         newc_entry("y", S_IFREG | 0644) + newc_trailer())),
               FormatError);
}

TEST_F(ReadArchive, NoiseNeverDoesHarm) {
  const std::string good = newc_entry("d", S_IFDIR | 0755) + newc_entry("d/x", S_IFREG | 0644, "data", 2, 2) +
                           newc_entry("y", S_IFREG | 0644, "", 2, 2) + newc_entry("l", S_IFLNK | 0777, "d") +
                           newc_trailer();
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (unsigned k = 0, n = random() % 4 + 1; k < n; ++k) {
      static constexpr char kDigits[] = "0123456789ABCDEF\0/.7";
      bad[random() % bad.size()] =
          random() % 2 ? kDigits[random() % (sizeof kDigits - 1)] : static_cast<char>(random());
    }
    if (random() % 4 == 0) bad.resize(random() % bad.size());
    try {
      read_all(bad);
    } catch (const FormatError&) {
    }
  }
}

TEST_F(ReadArchive, ACompressedPartWithNothingInItEndsTheReading) {
  // The start of lz4's old format and a block size that cannot be; found by fuzzing: the reader came back to
  // it for ever.
  const std::string magic("\x02\x21\x4c\x18", 4);
  for (const std::string& text :
       {magic, magic + magic, magic + "\x0e\x02\x7c\xe7" + magic, magic + one_file("x")})
    EXPECT_THROW(read_all(text), FormatError);
}

TEST_F(ReadArchive, AnAgentInItIsFound) {
  const std::string agent = slurp(agent_program());
  EXPECT_TRUE(
      SeedImage::archive(put("a", newc_entry("init", S_IFREG | 0755, agent) + newc_trailer())).has_agent());
  EXPECT_FALSE(
      SeedImage::archive(put("b", newc_entry("init", S_IFREG | 0755, "#!/bin/sh\n") + newc_trailer()))
          .has_agent());
  EXPECT_FALSE(
      SeedImage::archive(put("c", newc_entry("sbin", S_IFREG | 0755, agent) + newc_trailer())).has_agent());
  EXPECT_FALSE(SeedImage::archive(
                   put("d", newc_entry("init", S_IFREG | 0755, agent) + newc_trailer() + one_file("init")))
                   .has_agent());
}

}  // namespace
}  // namespace kdev::test
