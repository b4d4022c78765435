// A module's symbols where the kernel had put its sections.
#include <gmock/gmock.h>

#include "crash/debug_info.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t text = 0xffffffff84001000, init = 0xffffffff84200000;

/// The call frame information that knows the address.
int columns_at(const crash::DebugInfo& info, std::uint64_t address) {
  int found = 0;
  for (const auto& f : info.call_frames()) {
    Dwarf_Frame* frame = nullptr;
    if (dwarf_cfi_addrframe(f.cfi, address - f.bias, &frame) != 0) continue;
    ++found;
    std::free(frame);
  }
  return found;
}

TEST(LoadedModule, IsWhereItsSectionsWerePut) {
  const test::Fixture fixture;
  // With .debug_frame, as kernels without unwind tables are compiled.
  fixture.run({"cc", "-g", "-O1", "-fno-pie", "-ffreestanding", "-mcmodel=kernel", "-fno-stack-protector",
               "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-c", "-o",
               fixture.module().string(), (fixture.tree() / "drivers/module.c").string()});
  const crash::DebugInfo info(fixture.module(), "test", {{".text.foo_crash", text}, {".init.text", init}});
  const auto crash = info.named("foo_crash"), begin = info.named("init_module");
  ASSERT_EQ(1u, crash.size());
  ASSERT_EQ(1u, begin.size());
  EXPECT_EQ(text, crash[0]->address);
  EXPECT_EQ(init, begin[0]->address);
  EXPECT_EQ(crash[0], info.covering(text + 3));
  EXPECT_EQ(nullptr, info.covering(text - 1));
  std::vector<std::string> seen;
  for (std::uint64_t at = text; at < text + crash[0]->size; ++at)
    for (const auto& step : info.expand(at)) seen.push_back(step.function + ":" + std::to_string(step.line));
  EXPECT_THAT(seen, Contains("store:6"));
  EXPECT_THAT(seen, Contains("foo_crash:11"));
  EXPECT_THAT(info.expand(init + 1), Not(IsEmpty()));
  EXPECT_THAT(info.expand(0x1000), IsEmpty());
  EXPECT_EQ(1, columns_at(info, text + 1));
  EXPECT_EQ(1, columns_at(info, init + 1));
  EXPECT_EQ(0, columns_at(info, text - 0x1000));
}

TEST(LoadedModule, SectionsThatFitNothingAreNoTrouble) {
  const test::Fixture fixture;
  for (const std::uint64_t at : {std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0} - 8}) {
    const crash::DebugInfo info(fixture.module(), "test", {{".text.foo_crash", at}, {".nothing", 1}});
    info.covering(at);
    info.expand(at);
    info.call_frames();
  }
}

}  // namespace
}  // namespace kdev
