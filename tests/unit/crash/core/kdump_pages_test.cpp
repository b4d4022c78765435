// Pages of a kdump-compressed file, packed in every way that makedumpfile knows.
#include "crash/core/kdump_pages.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>
#include <random>

#include "unit/crash/core/fake_dump.hpp"

namespace kdev::crash {
namespace {

using Packing = std::uint32_t;

std::string pack(Packing how, const std::string& page) {
  std::string out(2 * kdump_page + 1024, '\0');
  std::size_t size = out.size();
  if (how == KdumpPage::zlib) {
    uLongf length = size;
    EXPECT_EQ(Z_OK, compress2(reinterpret_cast<Bytef*>(out.data()), &length,
                              reinterpret_cast<const Bytef*>(page.data()), page.size(), 1));
    size = length;
  } else if (how == KdumpPage::snappy) {
    EXPECT_EQ(SNAPPY_OK, snappy_compress(page.data(), page.size(), out.data(), &size));
  } else if (how == KdumpPage::zstd) {
    size = ZSTD_compress(out.data(), size, page.data(), page.size(), 1);
  } else if (how == KdumpPage::lzo) {
    // lzo/lzo1x.h; its working memory: LZO1X_1_MEM_COMPRESS.
    using Compress = int (*)(const unsigned char*, std::size_t, unsigned char*, std::size_t*, void*);
    void* library = ::dlopen("liblzo2.so.2", RTLD_NOW);
    std::vector<char> working(16384 * sizeof(void*));
    EXPECT_EQ(0, reinterpret_cast<Compress>(::dlsym(library, "lzo1x_1_compress"))(
                     reinterpret_cast<const unsigned char*>(page.data()), page.size(),
                     reinterpret_cast<unsigned char*>(out.data()), &size, working.data()));
  } else {
    return page;
  }
  out.resize(size);
  return out;
}

std::string page_of(std::uint64_t number) {
  std::string page(kdump_page, static_cast<char>(number));
  std::memcpy(page.data(), &number, sizeof(number));
  std::memcpy(page.data() + kdump_page - sizeof(number), &number, sizeof(number));
  return page;
}

/// The pages of a file, and where its parts begin.
struct File {
  std::map<std::uint64_t, std::pair<Packing, std::string>> pages;  ///< what is put in, by number
  std::uint64_t blocks = 2;                                        ///< of the bitmap
  std::string bytes() const {
    std::string bitmap(blocks * kdump_page, '\0'), descriptors, data;
    for (const auto& [number, content] : pages) {
      bitmap[number / 8] = static_cast<char>(bitmap[number / 8] | 1 << number % 8);
      const KdumpPage d{.offset = (blocks * kdump_page) + pages.size() * sizeof(KdumpPage) + data.size(),
                        .size = static_cast<std::uint32_t>(content.second.size()),
                        .flags = content.first,
                        .page_flags = 0};
      descriptors.append(reinterpret_cast<const char*>(&d), sizeof(d));
      data += content.second;
    }
    return bitmap + descriptors + data;
  }
};

class KdumpPagesTest : public testing::Test {
 protected:
  KdumpPages open(const File& file, std::uint64_t first = 0, std::uint64_t end = UINT64_MAX) {
    const std::string bytes = file.bytes();
    const Path path = folder_.write("pages", bytes);
    bytes_.emplace(path, "read the test's file");
    return KdumpPages(
        *bytes_, {.written_at = 0, .descriptors_at = file.blocks * kdump_page, .first = first, .end = end});
  }
  static std::string read(const KdumpPages& pages, std::uint64_t number) {
    std::string to(kdump_page, '?');
    return pages.read(number, 0, to.data(), to.size()) ? to : "";
  }

 private:
  test::Folder folder_;
  std::optional<FileBytes> bytes_;
};

TEST_F(KdumpPagesTest, AreFoundHoweverTheyArePacked) {
  File file;
  std::vector<Packing> ways{0, KdumpPage::zlib, KdumpPage::snappy, KdumpPage::zstd};
  if (can_expand_lzo()) ways.push_back(KdumpPage::lzo);
  std::mt19937 random(7);
  // At both ends of words and of the bitmap's blocks, and anywhere.
  std::set<std::uint64_t> numbers{0, 1, 63, 64, 127, 32766, 32767, 32768, 32769, 65535};
  while (numbers.size() < 200) numbers.insert(random() % 65536);
  for (const auto n : numbers) {
    const Packing way = ways[n % ways.size()];
    file.pages[n] = {way, pack(way, page_of(n))};
  }
  const KdumpPages pages = open(file);
  EXPECT_THAT(pages.problems(), testing::IsEmpty());
  std::vector<std::uint64_t> order(numbers.begin(), numbers.end());
  for (int round = 0; round < 3; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const auto n : order) ASSERT_EQ(page_of(n), read(pages, n)) << n;
  }
  for (std::uint64_t n = 0; n < 66000; ++n)
    if (!numbers.count(n)) ASSERT_EQ("", read(pages, n)) << n;
  char last = 0;
  EXPECT_TRUE(pages.read(65535, kdump_page - 7, &last, 1));
  EXPECT_EQ('\xff', last);
}

TEST_F(KdumpPagesTest, OfOneOfSeveralFilesCountFromItsFirst) {
  File file;
  for (std::uint64_t n = 30000; n < 40000; n += 7) file.pages[n] = {0, page_of(n)};
  File part = file;  // the bitmap is the whole dump's, the descriptors are this file's
  const std::uint64_t first = 32779, end = 36000;
  std::erase_if(part.pages, [&](const auto& p) { return p.first < first || p.first >= end; });
  std::string bytes = part.bytes(), whole = file.bytes();
  bytes.replace(0, file.blocks * kdump_page, whole, 0, file.blocks * kdump_page);
  test::Folder folder;
  const FileBytes on_disk(folder.write("part", bytes), "read the test's file");
  const KdumpPages pages(on_disk,
                         {.written_at = 0, .descriptors_at = 2 * kdump_page, .first = first, .end = end});
  for (const auto& [n, content] : file.pages)
    EXPECT_EQ(part.pages.count(n) ? page_of(n) : "", read(pages, n)) << n;
}

TEST_F(KdumpPagesTest, DamagedOnesAreNotRead) {
  for (const Packing way : {Packing{KdumpPage::zlib}, Packing{KdumpPage::snappy}, Packing{KdumpPage::zstd},
                            Packing{KdumpPage::lzo}, Packing{0}}) {
    File file;
    if (way == KdumpPage::lzo && !can_expand_lzo()) continue;
    const std::string good = pack(way, page_of(5));
    file.pages[5] = {way, good.substr(0, good.size() - 1)};
    file.pages[6] = {way, way ? pack(way, page_of(6) + "x") : page_of(6) + "x"};
    file.pages[7] = {way, ""};
    file.pages[8] = {way, pack(way, page_of(8).substr(1))};
    file.pages[9] = {0x40 | way, pack(way, page_of(9))};  // a flag of others
    const KdumpPages pages = open(file);
    for (const auto n : {5, 6, 7, 8}) EXPECT_EQ("", read(pages, n)) << way << " " << n;
    EXPECT_EQ(page_of(9), read(pages, 9));
  }
  File both;
  both.pages[1] = {KdumpPage::zlib | KdumpPage::zstd, pack(KdumpPage::zlib, page_of(1))};
  EXPECT_EQ("", read(open(both), 1));
}

TEST_F(KdumpPagesTest, WhatIsCutOffIsSaid) {
  File file;
  for (std::uint64_t n = 0; n < 100; ++n) file.pages[n] = {0, page_of(n)};
  const std::string bytes = file.bytes();
  test::Folder folder;
  for (const std::size_t left : {std::size_t{2 * kdump_page + 50 * sizeof(KdumpPage) + 3}, bytes.size() - 1,
                                 std::size_t{kdump_page}, std::size_t{0}}) {
    const FileBytes on_disk(folder.write("cut", bytes.substr(0, left)), "read the test's file");
    const KdumpPages pages(on_disk, {.written_at = 0, .descriptors_at = 2 * kdump_page});
    EXPECT_THAT(pages.problems(), testing::Contains(testing::HasSubstr("cut off"))) << left;
    EXPECT_EQ("", read(pages, 99));
    if (left == bytes.size() - 1) EXPECT_EQ(page_of(98), read(pages, 98));
  }
}

}  // namespace
}  // namespace kdev::crash
