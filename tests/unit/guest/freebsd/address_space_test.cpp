// FAQ 18.15's arithmetic, and what the headers of later trees say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <kdev/address_space.hpp>
#include <kdev/error.hpp>

#include "unit/host/temp_dir.hpp"

namespace kdev {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t MB = 1 << 20, GB = 1 << 30;

std::string refusal(const I386Pmap& pmap, std::uint64_t size, bool pae = false) {
  try {
    pmap.space(size, false, pae);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(I386Pmap, TheFaqsExample) {
  const KernelAddressSpace up = I386Pmap().space(1 * GB);
  EXPECT_EQ(up.nkpde, 255);
  EXPECT_EQ(up.pde_size, 4 * MB);
  EXPECT_EQ(up.kernbase, 0xc0000000u);
  EXPECT_EQ(up.load_address, 0x100100000u - 1 * GB);
  EXPECT_EQ(up.load_address, 0xc0100000u);
  EXPECT_THAT(up.edits,
              ElementsAre(TreeEdit{"sys/i386/include/pmap.h", "NKPDE", "255"},
                          TreeEdit{"sys/i386/conf/Makefile.i386", "LOAD_ADDRESS", "0xc0100000"},
                          TreeEdit{"sys/i386/conf/kernel.script", ".", "0xc0100000 + SIZEOF_HEADERS"}));
  EXPECT_EQ(I386Pmap().space(1 * GB, true).nkpde, 254);
}

TEST(I386Pmap, SizesAndEntriesAreTheSameThing) {
  const I386Pmap pmap;
  // FreeBSD 3: 256 MB, at 0xf0000000, where the panics of its time are.
  EXPECT_EQ(pmap.space(256 * MB).nkpde, 63);
  EXPECT_EQ(pmap.space(256 * MB).load_address, 0xf0100000u);
  for (const bool smp : {false, true})
    for (std::uint64_t size = 16 * MB; size <= 3 * GB; size += 4 * MB) {
      const KernelAddressSpace space = pmap.space(size, smp);
      EXPECT_EQ(pmap.space_of_nkpde(space.nkpde, smp), space);
      EXPECT_EQ(space.kernbase + space.size, 4 * GB);
    }
}

TEST(I386Pmap, WhatCannotBeIsSaid) {
  const I386Pmap pmap;
  EXPECT_THAT(refusal(pmap, 1 * GB + 1), testing::HasSubstr("no multiple of 4 MB"));
  EXPECT_THAT(refusal(pmap, 0), testing::HasSubstr("no multiple of 4 MB"));
  EXPECT_THAT(refusal(pmap, 4 * MB), testing::HasSubstr("does not fit"));
  EXPECT_THAT(refusal(pmap, 4 * GB), testing::HasSubstr("leave processes nothing"));
  EXPECT_THAT(refusal(pmap, 1 * GB, true), testing::HasSubstr("no PAE"));
  EXPECT_THROW(pmap.space_of_nkpde(0), ConfigError);
  EXPECT_THROW(I386Pmap::of_tree("/nonexistent"), ConfigError);
}

TEST(I386Pmap, OldTreesSayWhatTheFaqSays) {
  const test::TempDir tree;
  tree.write("sys/i386/include/pmap.h",
             "#ifndef NKPDE\n#ifdef SMP\n#define NKPDE\t\t\t254\t/* addressable */\n#else\n"
             "#define NKPDE\t\t\t255\n#endif\t/* SMP */\n#endif\n#define\tKPTDI\t\t(APTDPTDI-NKPDE)\n");
  EXPECT_EQ(I386Pmap::of_tree(tree / ""), I386Pmap());
}

TEST(I386Pmap, AnOptionIsAllThatLaterTreesTake) {
  const test::TempDir tree;
  // As in FreeBSD 9.
  tree.write(
      "sys/i386/include/pmap.h",
      "#ifndef KVA_PAGES\n#ifdef PAE\n#define KVA_PAGES\t512\n#else\n#define KVA_PAGES\t256\n#endif\n#endif\n"
      "#ifndef NKPDE\n#ifdef SMP\n#define NKPDE\t(KVA_PAGES - 1) /* number */\n#else\n"
      "#define NKPDE\t(KVA_PAGES)\t/* number */\n#endif\n#endif\n#define\tKPTDI\t(NPDEPTD-NKPDE)\n");
  tree.write(
      "sys/i386/include/vmparam.h",
      "#if defined(XEN)\n#define KERNLOAD\t\t0\n#else\n#define\tKERNLOAD\t\t(1 << PDRSHIFT)\n#endif\n");
  const I386Pmap pmap = I386Pmap::of_tree(tree / "");
  EXPECT_EQ(pmap.knob(), KvaKnob::kva_pages);
  EXPECT_EQ(pmap.default_size(), 1 * GB);
  EXPECT_EQ(pmap.default_size(true), 1 * GB);

  const KernelAddressSpace usual = pmap.space(1 * GB);
  EXPECT_EQ(usual.nkpde, 256);
  EXPECT_EQ(usual.load_address, 0xc0400000u);
  EXPECT_THAT(usual.edits, IsEmpty());
  EXPECT_EQ(pmap.space(1 * GB, true).nkpde, 255);

  const KernelAddressSpace more = pmap.space(1536 * MB, true);
  EXPECT_EQ(more.kernbase, 0xa0000000u);
  EXPECT_THAT(more.edits, ElementsAre(TreeEdit{"KERNCONF", "options KVA_PAGES", "384"}));
  // With PAE an entry maps half as much: twice as many.
  const KernelAddressSpace pae = pmap.space(2 * GB, false, true);
  EXPECT_EQ(pae.pde_size, 2 * MB);
  EXPECT_EQ(pae.nkpde, 1024);
  EXPECT_EQ(pae.kernbase, 0x80000000u);
  EXPECT_EQ(pae.load_address, 0x80200000u);
  EXPECT_THAT(pae.edits, ElementsAre(TreeEdit{"KERNCONF", "options KVA_PAGES", "1024"}));
  EXPECT_EQ(pmap.space_of_nkpde(1024, false, true), pae);
  EXPECT_THAT(refusal(pmap, 1 * GB + 4 * MB), testing::HasSubstr("no multiple of 16 MB"));
}

TEST(I386Pmap, TheFirstWithAnOptionKeptTheFaqsEntries) {
  const test::TempDir tree;
  tree.write("sys/i386/include/pmap.h",
             "#ifndef KVA_PAGES\n#define KVA_PAGES\t256\n#endif\n#ifndef NKPDE\n#ifdef SMP\n"
             "#define NKPDE\t(KVA_PAGES - 2)\n#else\n#define NKPDE\t(KVA_PAGES - 1)\n#endif\n#endif\n");
  const I386Pmap pmap = I386Pmap::of_tree(tree / "");
  EXPECT_EQ(pmap.space(1 * GB).nkpde, 255);
  EXPECT_EQ(pmap.space(1 * GB, true).nkpde, 254);
  EXPECT_EQ(pmap.space(1 * GB).load_address, 0xc0100000u);
  EXPECT_THAT(refusal(pmap, 1 * GB, true), testing::HasSubstr("no PAE"));
}

/// Of the headers of FreeBSD 12 and later.
void expect_all_of_it(const I386Pmap& pmap) {
  EXPECT_EQ(pmap.knob(), KvaKnob::none);
  EXPECT_EQ(pmap.default_size(), 4 * GB);
  EXPECT_EQ(pmap.default_size(true), 4 * GB);
  const KernelAddressSpace space = pmap.space(4 * GB);
  EXPECT_EQ(space.nkpde, 256 * 4);
  EXPECT_EQ(space.kernbase, 8 * MB);
  EXPECT_EQ(space.load_address, 8 * MB);
  EXPECT_THAT(space.edits, IsEmpty());
  EXPECT_EQ(pmap.space(4 * GB, true, true).nkpde, 512 * 4);
  EXPECT_EQ(pmap.space_of_nkpde(2048, true, true).size, 4 * GB);
  EXPECT_THAT(refusal(pmap, 1 * GB), testing::HasSubstr("4 GB of its own"));
}

TEST(I386Pmap, SinceFreebsd12TheKernelHasItAll) {
  const test::TempDir tree;
  tree.write("sys/i386/include/pmap.h",
             "#ifndef NKPDE\n#define NKPDE\t(KVA_PAGES)\t/* number */\n#endif\n#define PDRSHIFT_PAE\t21\n"
             "#define\tKPTDI\t\t0\t\t/* start of kernel virtual pde's */\n");
  tree.write("sys/i386/include/pmap_nopae.h", "#define KVA_PAGES\t(256*4)\n");
  tree.write("sys/i386/include/pmap_pae.h", "#define KVA_PAGES\t(512*4)\n");
  tree.write(
      "sys/i386/include/vmparam.h",
      "#ifndef KERNLOAD\n#define\tKERNLOAD\t\t(8 * 1024 * 1024)\n#endif\n#define\tKERNBASE\t\tKERNLOAD\n");
  expect_all_of_it(I386Pmap::of_tree(tree / ""));
}

TEST(I386Pmap, OfTheTreeAtHand) {
  const char* tree = std::getenv("KDEV_FREEBSD_SRC");
  if (!tree || !*tree) GTEST_SKIP() << "KDEV_FREEBSD_SRC names no FreeBSD tree";
  expect_all_of_it(I386Pmap::of_tree(tree));
}

}  // namespace
}  // namespace kdev
