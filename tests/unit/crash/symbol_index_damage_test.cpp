// A symbol index whose header anybody could have written, sums and all: no answer, or one from within it.
#include <gmock/gmock.h>

#include <cstring>

#include "crash/debug_info.hpp"
#include "crash/index_cache.hpp"
#include "crash/symbol_index.hpp"
#include "unit/crash/core/dump_media.hpp"
#include "unit/crash/damage.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev {
namespace {

using namespace test;
using crash::DebugInfo;
using crash::IndexHeader;

/// As index_file() makes it, over a header that says something else.
void seal(std::string& bytes) {
  IndexHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.sum = 0;
  const std::string plain(reinterpret_cast<const char*>(&header), sizeof(header));
  const auto sums =
      std::min<std::uint64_t>(header.blocks * sizeof(header.sum), bytes.size() - sizeof(header));
  header.sum =
      crash::index_sum(std::string_view(bytes).substr(sizeof(header), sums), crash::index_sum(plain));
  std::memcpy(bytes.data(), &header, sizeof(header));
}

TEST(SymbolIndexDamage, NoFieldOfItsHeaderDoesHarm) {
  const Fixture fixture;
  const Folder folder;
  const auto described = crash::describe(ElfFile(fixture.vmlinux(), "test"));
  const DebugInfo plain(fixture.vmlinux(), "test");
  const auto whole = content_of(plain.write_index(folder.path()));
  auto fields =
      fields_from(0, {{"magic", 8}, {"version", 4}, {"blocks", 4}, {"file size", 8}, {"described", 64}});
  for (const char* part : {"starts", "rows", "nodes", "symbols", "units", "sections", "strings"})
    fields.push_back({part, fields.back().at + fields.back().width, 8});
  fields.push_back({"sum", fields.back().at + 8, 8});
  ASSERT_EQ(sizeof(IndexHeader), fields.back().at + 8);
  int opened = 0;
  const auto look = [&](const Path& file) {
    const auto index = crash::SymbolIndex::open(file, described);
    if (!index) return;
    ++opened;
    index->whole();
    index->symbols();
    index->units();
    index->sections();
    for (const auto* s : plain.named("do_work")) index->expand(s->address);
    for (const std::uint64_t at : {std::uint64_t{0}, ~std::uint64_t{0}}) index->expand(at);
  };
  at_each_limit(whole, fields, folder / "index", look);
  EXPECT_EQ(0, opened) << "the sum tells";
  at_each_limit(whole, fields, folder / "index", look, seal);
  EXPECT_LT(0, opened);
  at_each_cut(whole, folder / "index", look);
}

}  // namespace
}  // namespace kdev
