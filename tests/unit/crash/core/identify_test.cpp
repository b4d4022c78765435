// What kdev::identify() says of files, by their content.
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/error.hpp>
#include <kdev/identify.hpp>

#include "unit/crash/core/fake_dump.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::HasSubstr;

const std::string log_text =
    "[    1.000000] BUG: kernel NULL pointer dereference, address: "
    "0000000000000010\r\n\x1b[31mred\x1b[0m\r\n";

/// One file, compressed.
std::string packed(const std::string& content, bool zstd) {
  std::string out(content.size() + (1 << 16), '\0');
  std::size_t used = 0;
  ::archive* a = archive_write_new();
  if (zstd)
    archive_write_add_filter_zstd(a);
  else
    archive_write_add_filter_gzip(a);
  archive_write_set_format_raw(a);
  archive_write_open_memory(a, out.data(), out.size(), &used);
  ::archive_entry* e = archive_entry_new();
  archive_entry_set_filetype(e, AE_IFREG);
  archive_write_header(a, e);
  archive_write_data(a, content.data(), content.size());
  archive_entry_free(e);
  archive_write_free(a);
  out.resize(used);
  return out;
}

/// A tar's beginning.
std::string tar_of(const std::string& member) {
  std::string block(1024, '\0');
  block.replace(0, member.size(), member);
  block.replace(257, 5, "ustar");
  return block;
}

std::string elf_of(char type) {
  std::string head(64, '\0');
  head.replace(0, 4,
               "\x7f"
               "ELF");
  head[4] = 2;
  head[16] = type;
  return head + pattern(512);
}

CrashFile kind(const Folder& folder, const std::string& content, const std::string& name = "file") {
  return identify(folder.write(name, content));
}

/// Why it is nothing.
std::string refusal(const Folder& folder, const std::string& content) {
  try {
    kind(folder, content);
  } catch (const FormatError& error) {
    return error.reason();
  }
  return "identified";
}

TEST(Identify, TellsByContent) {
  const Folder folder;
  EXPECT_EQ(CrashFile::console_log, kind(folder, log_text));
  EXPECT_EQ(CrashFile::console_log, kind(folder, "{ not JSON\n"));
  EXPECT_EQ(CrashFile::console_log,
            kind(folder, log_text + std::string(3, '\0') + log_text + "\xc3\xa4\xff"));
  EXPECT_EQ(CrashFile::report, kind(folder, scan_console(log_text).at(0).to_json()));
  EXPECT_EQ(CrashFile::core, kind(folder, elf_of(4)));
  EXPECT_EQ(CrashFile::core, kind(folder, "KDUMP   " + std::string(500, '\0')));
  EXPECT_EQ(CrashFile::core, kind(folder, "makedumpfile" + std::string(5000, '\0')));
  EXPECT_EQ(CrashFile::text_dump, kind(folder, tar_of("ddb.txt")));
  EXPECT_EQ(CrashFile::bundle, kind(folder, "PK\x03\x04" + pattern(512)));
}

TEST(Identify, KnowsTheDumpsOfGuests) {
  const Folder folder;
  FakeMemory memory;
  memory.put(0, "something");
  for (const int version : {1, 2, 3})
    EXPECT_EQ(CrashFile::core, kind(folder, memory.minidump(version, "hello"))) << version;
  // One that is cut off is one all the same: the reader says what is wrong.
  EXPECT_EQ(CrashFile::core, kind(folder, memory.minidump(3, "hello").substr(0, 40)));
}

TEST(Identify, LooksIntoWhatIsCompressed) {
  const Folder folder;
  for (const bool zstd : {false, true}) {
    EXPECT_EQ(CrashFile::core, kind(folder, packed(elf_of(4), zstd)));
    EXPECT_EQ(CrashFile::core, kind(folder, packed(FakeMemory().minidump(2, "hello"), zstd)));
    EXPECT_EQ(CrashFile::text_dump, kind(folder, packed(tar_of("msgbuf.txt"), zstd)));
    EXPECT_EQ(fmt::format("it is {} data of a text", zstd ? "zstd" : "gzip"),
              refusal(folder, packed(log_text, zstd)));
    EXPECT_THAT(refusal(folder, packed(elf_of(2), zstd)), HasSubstr("data of an ELF program"));
    EXPECT_THAT(refusal(folder, packed(log_text, zstd).substr(0, 6)), HasSubstr("it is damaged "));
  }
}

TEST(Identify, FindsDumpsOnMedia) {
  const Folder folder;
  const auto data = pattern(8 << 10);
  std::string medium(1 << 20, '\0');
  EXPECT_EQ("it is zeros at its beginning", refusal(folder, medium));
  put_dump(medium, medium.size(), {.length = data.size()}, data);
  EXPECT_EQ(CrashFile::disk, kind(folder, medium));
  const std::string qcow2 = "QFI\xfb" + pattern(512);
  EXPECT_EQ(CrashFile::disk, kind(folder, qcow2, "disk.qcow2"));
  EXPECT_EQ("it is a qcow2 image, which has to be called NAME.qcow2", refusal(folder, qcow2));
}

TEST(Identify, SaysWhatElseAFileIs) {
  const Folder folder;
  EXPECT_EQ("it is empty", refusal(folder, ""));
  EXPECT_EQ("it is an ELF program or kernel", refusal(folder, elf_of(2)));
  EXPECT_EQ("it is an ELF object file", refusal(folder, elf_of(1)));
  EXPECT_EQ("it is a tar archive", refusal(folder, tar_of("etc/passwd") + pattern(2048)));
  EXPECT_EQ("it is a kernel's JSON file", refusal(folder, R"({"id": "1", "vmlinux": "/v"})"));
  EXPECT_EQ("it is a JSON object that is no crash report", refusal(folder, "{}"));
  EXPECT_THAT(refusal(folder, pattern(4096)), HasSubstr("it is data that begins with "));
  EXPECT_THROW(identify(folder / "nowhere"), HostError);
  EXPECT_THROW(identify(folder.path()), HostError);
}

TEST(Identify, NoBeginningIsTrouble) {
  const Folder folder;
  for (const auto& whole : {elf_of(4), FakeMemory().minidump(3, "hello"), tar_of("ddb.txt"),
                            packed(log_text, true), scan_console(log_text).at(0).to_json()})
    for (std::size_t size = 1; size < whole.size(); size *= 2) {
      try {
        kind(folder, whole.substr(0, size));
      } catch (const FormatError&) {
      }
    }
}

}  // namespace
}  // namespace kdev
