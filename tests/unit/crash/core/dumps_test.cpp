#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "unit/crash/core/dump_media.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::size_t MiB = 1 << 20;

/// What lifting says that is wrong.
std::string refusal(const Path& image, const Path& dir, std::optional<int> partition = {}) {
  try {
    lift_dump(image, dir, partition);
  } catch (const FormatError& error) {
    return error.reason();
  }
  return "lifted";
}

std::string one_dump(const Header& header, const std::string& data) {
  std::string medium(2 * MiB, '\0');
  put_dump(medium, medium.size(), header, data);
  return medium;
}

TEST(FindDumps, ReadsEveryFieldOfTheHeader) {
  const Folder folder;
  const auto data = pattern(128 << 10);
  const Header header{.length = data.size()};
  const auto found = find_dumps(folder.write("disk", one_dump(header, data)));
  ASSERT_THAT(found, SizeIs(1));
  const DumpInfo& info = found[0];
  EXPECT_EQ("core", info.kind);
  EXPECT_EQ(Os::freebsd, info.os);
  EXPECT_EQ(0, info.partition);
  EXPECT_EQ(2 * MiB - 512 - data.size(), info.offset);
  EXPECT_EQ(data.size(), info.length);
  EXPECT_EQ(512u, info.block_size);
  EXPECT_EQ("amd64", info.arch);
  EXPECT_EQ(4u, info.version);
  EXPECT_EQ(2u, info.arch_version);
  EXPECT_EQ(1700000000, info.time);
  EXPECT_EQ("node", info.hostname);
  EXPECT_THAT(info.version_text, StartsWith("FreeBSD 13.2-RELEASE KDEV\n"));
  EXPECT_EQ("page fault", info.panic);
  EXPECT_EQ("none", info.compression);
  EXPECT_EQ("", info.problem);
  EXPECT_EQ(info, DumpInfo::from_json(info.to_json()));
}

TEST(FindDumps, LooksAtTheEndOfEveryPartition) {
  const Folder folder;
  const auto data = pattern(64 << 10);
  for (const std::size_t sector : {512, 4096}) {
    std::string medium(4 * MiB, '\0');
    const std::size_t first = MiB / sector, last = 2 * MiB / sector - 1;
    put_gpt(medium, {{first, last, "root"}, {last + 1, 3 * MiB / sector - 1, "swap0"}}, sector);
    put_dump(medium, 3 * MiB, {.length = data.size(), .block_size = static_cast<std::uint32_t>(sector)},
             data);
    auto found = find_dumps(folder.write("disk", medium));
    ASSERT_THAT(found, SizeIs(1)) << sector;
    EXPECT_EQ(2, found[0].partition);
    EXPECT_EQ("swap0", found[0].partition_name);
    EXPECT_EQ(sector, found[0].block_size);
    // The table's copy serves when the first one is gone.
    medium.replace(sector, 512, 512, '\0');
    EXPECT_EQ(found, find_dumps(folder.write("disk", medium)));
    // Without both there is nothing to find.
    medium.replace(medium.size() - sector, 512, 512, '\0');
    EXPECT_THAT(find_dumps(folder.write("disk", medium)), IsEmpty());
  }
}

TEST(FindDumps, LooksIntoSlices) {
  const Folder folder;
  const auto data = pattern(64 << 10);
  std::string medium(2 * MiB, '\0');
  medium[446 + 4] = static_cast<char>(0xa5);
  put_le(medium, 446 + 8, 64, 4);
  put_le(medium, 446 + 12, 2048, 4);
  put_le(medium, 510, 0xaa55, 2);
  put_dump(medium, (64 + 2048) * 512, {.length = data.size()}, data);
  const auto found = find_dumps(folder.write("disk", medium));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(1, found[0].partition);
  EXPECT_EQ("", found[0].problem);
}

TEST(FindDumps, OtherFilesHaveNone) {
  const Folder folder;
  EXPECT_THAT(find_dumps(folder.write("a", "")), IsEmpty());
  EXPECT_THAT(find_dumps(folder.write("b", "x")), IsEmpty());
  EXPECT_THAT(find_dumps(folder.write("c", pattern(MiB))), IsEmpty());
  EXPECT_THROW(find_dumps(folder / "nowhere"), HostError);
}

TEST(LiftDump, MakesWhatSavecoreMakes) {
  const Folder folder;
  const auto data = pattern(256 << 10);
  const auto disk = folder.write("disk", one_dump({.length = data.size()}, data));
  const Path dir = folder / "crash";
  const LiftedDump first = lift_dump(disk, dir);
  EXPECT_EQ(0, first.number);
  EXPECT_EQ(dir / "vmcore.0", first.file);
  EXPECT_EQ(data, content_of(first.file));
  EXPECT_EQ("1\n", content_of(dir / "bounds"));
  struct stat st {};
  ASSERT_EQ(0, ::stat(first.file.c_str(), &st));
  EXPECT_LT(st.st_blocks * 512, static_cast<long>(data.size())) << "zeros are not holes";
  EXPECT_EQ(0600u, st.st_mode & 0777);
  ASSERT_EQ(0, ::stat(first.info_file.c_str(), &st));
  EXPECT_EQ(0600u, st.st_mode & 0777);
  EXPECT_EQ("vmcore.0", boost::filesystem::read_symlink(dir / "vmcore.last"));

  const auto info = content_of(dir / "info.0");
  EXPECT_THAT(info, StartsWith(fmt::format("Dump header from device: {}\n"
                                           "  Architecture: amd64\n  Architecture Version: 2\n"
                                           "  Dump Length: 262144\n  Blocksize: 512\n  Compression: none\n"
                                           "  Dumptime: 2023-11-1",
                                           disk.string())));
  EXPECT_THAT(info, HasSubstr("\n  Hostname: node\n  Magic: FreeBSD Kernel Dump\n"
                              "  Version String: FreeBSD 13.2-RELEASE KDEV\n    root@host:/obj\n"
                              "  Panic String: page fault\n"));
  EXPECT_THAT(info, testing::EndsWith("\n  Bounds: 0\n  Dump Status: good\n"));

  const LiftedDump second = lift_dump(disk, dir);
  EXPECT_EQ(1, second.number);
  EXPECT_EQ(dir / "info.1", second.info_file);
  EXPECT_EQ("2\n", content_of(dir / "bounds"));
  EXPECT_EQ("info.1", boost::filesystem::read_symlink(dir / "info.last"));
  // Nothing else is left there.
  EXPECT_EQ(7, std::distance(boost::filesystem::directory_iterator(dir), {}));
}

TEST(LiftDump, KeepsWhatIsCompressedAsItIs) {
  const Folder folder;
  const auto data = pattern(8 << 10);
  // Space is set aside for the whole dump: what is used of it is its beginning.
  for (const auto& [number, name] : {std::pair(1, "vmcore.0.gz"), std::pair(2, "vmcore.1.zst")}) {
    const Header header{.length = 1000, .extent = data.size(), .compression = number};
    const auto lifted = lift_dump(folder.write("disk", one_dump(header, data)), folder / "crash");
    EXPECT_EQ(folder / "crash" / name, lifted.file);
    EXPECT_EQ(data.substr(0, 1000), content_of(lifted.file));
  }
}

TEST(LiftDump, ReadsQcow2) {
  const Folder folder;
  const auto data = pattern(64 << 10);
  const auto raw = folder.write("raw", one_dump({.length = data.size()}, data));
  if (!local_host()->which("qemu-img")) GTEST_SKIP() << "no qemu-img";
  local_host()->check("convert", {.argv = {"qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.string(),
                                           (folder / "disk.qcow2").string()}});
  EXPECT_EQ(data, content_of(lift_dump(folder / "disk.qcow2", folder / "crash").file));
}

TEST(LiftDump, SaysWhatIsWrong) {
  const Folder folder;
  const auto dir = folder / "crash";
  const auto data = pattern(64 << 10);
  const Header header{.length = data.size()};
  const std::string good = one_dump(header, data);
  const auto said = [&](const std::string& medium) { return refusal(folder.write("disk", medium), dir); };

  std::string bad = good;
  bad.replace(good.size() - 512 - data.size() - 512, 512, 512, 'x');
  EXPECT_THAT(said(bad), HasSubstr("the headers before and behind it differ"));
  bad = good;
  bad[good.size() - 512 + 70] ^= 1;
  EXPECT_THAT(said(bad), HasSubstr("the parity is wrong"));
  EXPECT_THAT(said(one_dump({.length = data.size(), .version = 3}, data)), HasSubstr("version 3"));
  EXPECT_THAT(said(one_dump({.length = data.size(), .compression = 9}, data)), HasSubstr("compression 9"));
  EXPECT_THAT(said(one_dump({.magic = "Cleared Kernel Dump", .length = data.size()}, data)),
              HasSubstr("savecore(8) cleared"));
  EXPECT_THAT(said(one_dump({.length = data.size(), .key_size = 512}, data)), HasSubstr("is encrypted"));
  for (const std::uint64_t length :
       {std::uint64_t{4 * MiB}, UINT64_MAX, UINT64_MAX - 1023, std::uint64_t{1} << 63}) {
    bad = good;
    bad.replace(good.size() - 512, 512, Header{.length = length}.bytes());
    EXPECT_THAT(said(bad), HasSubstr("more than the")) << length;
  }
  EXPECT_THAT(said(good.substr(good.size() - data.size())), HasSubstr("more than the"));
  EXPECT_THAT(said(std::string("\177ELF\2\1\1\3", 8) + std::string(8, '\0') + std::string("\4\0\x3e\0", 4) +
                   pattern(MiB)),
              HasSubstr("an ELF core file"));
  EXPECT_THAT(said("random bytes"), HasSubstr("72 61 6e 64"));
  EXPECT_THAT(said("QFI\xfb" + std::string(5000, '\0')), HasSubstr("has to be called NAME.qcow2"));
  EXPECT_THAT(said(""), HasSubstr("empty"));
  EXPECT_THAT(refusal(folder.write("disk", good), dir, 3), HasSubstr("partition 3 has no dump"));
  EXPECT_FALSE(boost::filesystem::exists(dir)) << "something was written";
}

TEST(LiftDump, AsksWhichWhenThereAreSeveral) {
  const Folder folder;
  const auto data = pattern(64 << 10);
  std::string medium(4 * MiB, '\0');
  put_gpt(medium, {{2048, 4095, "a"}, {4096, 6143, "b"}});
  put_dump(medium, 2 * MiB, {.length = data.size(), .panic = "one"}, data);
  put_dump(medium, 3 * MiB, {.length = data.size(), .panic = "two"}, data);
  const auto disk = folder.write("disk", medium);
  EXPECT_THAT(refusal(disk, folder / "crash"), HasSubstr("on partition 1, partition 2"));
  EXPECT_EQ("two", lift_dump(disk, folder / "crash", 2).info.panic);
  // One that was written over is in nobody's way, but asked for by name.
  medium[2 * MiB - 512 + 70] ^= 1;
  folder.write("disk", medium);
  EXPECT_EQ("two", lift_dump(disk, folder / "crash").info.panic);
  EXPECT_THAT(refusal(disk, folder / "crash", 1), HasSubstr("the parity is wrong"));
}

TEST(LiftDump, TakesTheNextNumberWhateverBoundsSays) {
  const Folder folder;
  const auto data = pattern(8 << 10);
  const auto disk = folder.write("disk", one_dump({.length = data.size()}, data));
  boost::filesystem::create_directory(folder / "crash");
  for (const auto& [text, number] :
       {std::pair("", 0), std::pair("what\n", 0), std::pair("-4\n", 0), std::pair("41\n", 41)}) {
    folder.write("crash/bounds", text);
    EXPECT_EQ(number, lift_dump(disk, folder / "crash").number) << text;
  }
}

/// A ustar archive.
std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out(1 << 20, '\0');
  std::size_t used = 0;
  ::archive* a = archive_write_new();
  archive_write_set_format_ustar(a);
  archive_write_set_bytes_in_last_block(a, 512);
  archive_write_open_memory(a, out.data(), out.size(), &used);
  for (const auto& [name, text] : files) {
    ::archive_entry* e = archive_entry_new();
    archive_entry_set_pathname(e, name.c_str());
    archive_entry_set_size(e, static_cast<la_int64_t>(text.size()));
    archive_entry_set_filetype(e, AE_IFREG);
    archive_write_header(a, e);
    archive_write_data(a, text.data(), text.size());
    archive_entry_free(e);
  }
  archive_write_free(a);
  out.resize(used);
  return out;
}

TEST(TextDumps, AreStoredBackwards) {
  const Folder folder;
  std::string ddb;
  for (int i = 0; i < 100; ++i) ddb += fmt::format("db:0:kdb.enter.panic> line {}\n", i);
  std::string tar = tar_of({{"ddb.txt", ddb},
                            {"msgbuf.txt", "panic: greeted\n"},
                            {"panic.txt", "greeted\n"},
                            {"version.txt", "FreeBSD 13.2\n"},
                            {"config.txt", "ident KDEV\n"},
                            {"extra.txt", "more"}});
  std::string backwards;
  for (std::size_t at = tar.size(); at > 0; at -= 512) backwards += tar.substr(at - 512, 512);
  const auto disk =
      folder.write("disk", one_dump({.magic = "FreeBSD Text Dump", .length = tar.size()}, backwards));
  const auto lifted = lift_dump(disk, folder / "crash");
  EXPECT_EQ("text", lifted.info.kind);
  EXPECT_EQ(folder / "crash/textdump.tar.0", lifted.file);
  EXPECT_EQ(tar, content_of(lifted.file));
  const TextDump dump = read_text_dump(lifted.file);
  EXPECT_EQ(ddb, dump.debugger);
  EXPECT_EQ("panic: greeted\n", dump.messages);
  EXPECT_EQ("greeted", dump.panic);
  EXPECT_EQ("FreeBSD 13.2", dump.version);
  EXPECT_EQ("ident KDEV\n", dump.config);
  EXPECT_EQ((std::map<std::string, std::string>{{"extra.txt", "more"}}), dump.others);
}

TEST(TextDumps, OtherFilesAreRefused) {
  const Folder folder;
  EXPECT_THROW(read_text_dump(folder / "nowhere"), HostError);
  EXPECT_THROW(read_text_dump(folder.write("a", "")), FormatError);
  EXPECT_THROW(read_text_dump(folder.write("b", pattern(4096))), FormatError);
  const auto tar = tar_of({{"ddb.txt", std::string(5000, 'x')}});
  EXPECT_THROW(read_text_dump(folder.write("c", tar.substr(0, 2000))), FormatError);
}

}  // namespace
}  // namespace kdev
