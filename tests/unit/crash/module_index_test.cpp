// The index of a module, whose sections lie where the kernel puts them.
#include <gmock/gmock.h>

#include "crash/debug_info.hpp"
#include "unit/crash/symbolizer_fixture.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using crash::DebugInfo;
using crash::Sections;
using testing::IsEmpty;

class ModuleIndexTest : public test::SymbolizerTest {
 protected:
  ModuleIndexTest()
      : module_(fixture->dir() / "with_id.ko"), folder_(fixture->dir() / fs::unique_path("index-%%%%%%%%")) {
    fixture->run({"ld", "-r", "--build-id=0x00112233445566778899aabbccddeeff00000002", "-o", module_.string(),
                  fixture->module().string()});
  }

  /// How many addresses are known to both, alike.
  static int same(const DebugInfo& plain, const DebugInfo& indexed, std::uint64_t low, std::uint64_t high) {
    int known = 0;
    for (std::uint64_t at = low; at < high; ++at) {
      const auto steps = plain.expand(at);
      EXPECT_EQ(steps, indexed.expand(at)) << std::hex << at;
      const auto *a = plain.covering(at), *b = indexed.covering(at);
      EXPECT_EQ(a == nullptr, b == nullptr) << std::hex << at;
      if (a && b) {
        EXPECT_EQ(std::tie(a->name, a->address, a->size, a->extent),
                  std::tie(b->name, b->address, b->size, b->extent));
        known += !steps.empty();
      }
    }
    return known;
  }

  const Path module_, folder_;
};

TEST_F(ModuleIndexTest, EveryAddressIsAsInTheDwarf) {
  const DebugInfo plain(module_, "test");
  ASSERT_FALSE(plain.write_index(folder_).empty());
  const DebugInfo indexed(module_, "test", {}, folder_);
  ASSERT_TRUE(indexed.indexed());
  const auto* crash = plain.named("foo_crash").at(0);
  const auto* init = plain.named("init_module").at(0);
  const auto low = std::min(crash->address, init->address), high = std::max(crash->address, init->address);
  EXPECT_GT(same(plain, indexed, low - 16, high + 256), 20);
  EXPECT_EQ(1u, indexed.named("foo_crash").size());
  EXPECT_EQ(crash->size, indexed.named("foo_crash").at(0)->size);
}

TEST_F(ModuleIndexTest, WhereItsSectionsWerePut) {
  ASSERT_FALSE(DebugInfo(module_, "test").write_index(folder_).empty());
  const std::uint64_t text = 0xffffffff84001000, init = 0xffffffff84200000;
  const Sections loaded = {{".text.foo_crash", text}, {".init.text", init}};
  const DebugInfo plain(module_, "test", loaded), indexed(module_, "test", loaded, folder_);
  ASSERT_TRUE(indexed.indexed());
  EXPECT_GT(same(plain, indexed, text - 16, text + 64), 5);
  EXPECT_GT(same(plain, indexed, init - 16, init + 64), 5);
  EXPECT_EQ(text, indexed.named("foo_crash").at(0)->address);
  EXPECT_THAT(indexed.expand(plain.named("foo_crash").at(0)->address - text), IsEmpty());
  // .init.text is gone once a module has begun to run.
  const DebugInfo begun(module_, "test", {{".text.foo_crash", text}}, folder_);
  EXPECT_FALSE(begun.expand(text + 1).empty());
  EXPECT_THAT(begun.named("init_module"), IsEmpty());
  // Nonsense out of a dump.
  for (const std::uint64_t at : {std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0} - 8}) {
    const DebugInfo info(module_, "test", {{".text.foo_crash", at}, {".nothing", 1}}, folder_);
    info.covering(at);
    info.expand(at);
  }
}

TEST_F(ModuleIndexTest, MadeForTheModulesThatWereAskedFor) {
  auto sources = fixture->sources();
  sources.modules = {module_, fixture->module()};  // the other has no build id
  sources.index = folder_;
  const Symbolizer symbolizer(sources);
  const auto before = symbolizer.at_symbol("foo_crash", 1, 0, "with_id", false);
  ASSERT_FALSE(before.empty());
  EXPECT_FALSE(symbolizer.build_index().empty());
  EXPECT_THAT(symbolizer.notes(), IsEmpty());
  EXPECT_TRUE(DebugInfo(module_, "test", {}, folder_).indexed());
  EXPECT_EQ(before, symbolizer.at_symbol("foo_crash", 1, 0, "with_id", false));
  EXPECT_EQ(before, Symbolizer(sources).at_symbol("foo_crash", 1, 0, "with_id", false));
  EXPECT_FALSE(symbolizer.at_symbol("foo_crash", 1, 0, "foo_crash", false).empty());
}

}  // namespace
}  // namespace kdev
