#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/kernconf_file.hpp>

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no ConfigError";
}

std::string brief(const KernconfEntry& e) {
  return e.keyword + " " + e.name + (e.value ? (e.append ? "+=" : "=") + *e.value : "");
}

std::vector<std::string> brief(const std::vector<KernconfEntry>& entries) {
  std::vector<std::string> texts;
  for (const KernconfEntry& e : entries) texts.push_back(brief(e));
  return texts;
}

std::vector<std::string> entries_of(std::string_view text) {
  return brief(KernconfFile::parse(text).entries());
}

TEST(Kernconf, Statements) {
  EXPECT_THAT(entries_of("machine\t\tamd64\ncpu HAMMER\nident DEBUG0  # as uname -i says\n\n"),
              ElementsAre("machine amd64", "cpu HAMMER", "ident DEBUG0"));
  EXPECT_THAT(entries_of("machine arm64 aarch64"), ElementsAre("machine arm64=aarch64"));
  EXPECT_THAT(
      entries_of("option DDB\noptions\tA,B , C=3\nnooption X,Y"),
      ElementsAre("options DDB", "options A", "options B", "options C=3", "nooptions X", "nooptions Y"));
  EXPECT_THAT(entries_of("device isa\ndevices a, b\nnodevices c"),
              ElementsAre("device isa", "device a", "device b", "nodevice c"));
  EXPECT_THAT(entries_of("makeoption WITH_CTF=1\nmakeoptions DEBUG=\"-g -O0\"\nmakeoptions X+=y\nmakeoptions "
                         "EMPTY=\nnomakeoptions Z"),
              ElementsAre("makeoptions WITH_CTF=1", "makeoptions DEBUG=-g -O0", "makeoptions X+=y",
                          "makeoptions EMPTY=", "nomakeoptions Z"));
  EXPECT_THAT(entries_of("include GENERIC\ninclude ../x/STD.inc\ninclude \"with space\"\nfiles "
                         "\"../f\"\nhints \"G.hints\"\nenv E\n"
                         "envvar a.b=c d # no\nmaxusers 32\nprofile 0"),
              ElementsAre("include GENERIC", "include ../x/STD.inc", "include with space", "files ../f",
                          "hints G.hints", "env E", "envvar a.b=c d", "maxusers 32", "profile 0"));
  EXPECT_THAT(entries_of("options ROOTDEVNAME=\\\"ufs:md0\\\"\noptions\tP=a,b;c"),
              ElementsAre("options ROOTDEVNAME=\"ufs:md0\"", "options P=a,b;c"));
  EXPECT_THAT(entries_of("ident A; device b;;device c"), ElementsAre("ident A", "device b", "device c"));
}

TEST(Kernconf, AnIndentedLineGoesOn) {
  EXPECT_THAT(entries_of("options\n\tA,\n\t# in between\n\tB\ndevice c\n"),
              ElementsAre("options A", "options B", "device c"));
}

TEST(Kernconf, PlacesAreLines) {
  const auto entries = KernconfFile::parse("# first\n\nident A\noptions B,\n\tC\n", "/x/A").entries();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].line, 3);
  EXPECT_EQ(entries[1].line, 4);
  EXPECT_EQ(entries[2].line, 5);
  EXPECT_EQ(entries[2].file, Path("/x/A"));
}

TEST(Kernconf, ErrorsNameThePlace) {
  const auto error = [](std::string_view text) {
    return message([&] { KernconfFile::parse(text, "/x/BAD"); });
  };
  EXPECT_THAT(error("ident A\noptoins DDB\n"),
              testing::AllOf(HasSubstr("/x/BAD:2"), HasSubstr("optoins is no statement")));
  EXPECT_THAT(error("options\n"), HasSubstr("options of what?"));
  EXPECT_THAT(error("options A B\n"), HasSubstr("expected to end"));
  EXPECT_THAT(error("options A=\n"), HasSubstr("a value was expected"));
  EXPECT_THAT(error("options A+=1\n"), HasSubstr("only makeoptions has +="));
  EXPECT_THAT(error("options \"A=1\"\n"), HasSubstr("must not be quoted"));
  EXPECT_THAT(error("makeoptions D=\"-g\n"), HasSubstr("without its end"));
  EXPECT_THAT(error("device ,\n"), HasSubstr("a name was expected"));
  EXPECT_THAT(error("envvar x\n"), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(error("=\n"), HasSubstr("a statement was expected"));
}

const char* const sample =
    "#\n# SAMPLE\r\n#\n\nident\t\tSAMPLE\n\noptions \tA\t\t# why A\noptions \tB=1\noptions \tC, D=2 ,E\n"
    "makeoptions\tDEBUG=-g\ndevice\t\tisa\n  # the end, without a line end";

TEST(Kernconf, UntouchedTextStays) {
  EXPECT_EQ(KernconfFile::parse(sample).text(), sample);
  EXPECT_EQ(KernconfFile::parse(sample).set("options", "B", "1").text(), sample);
  EXPECT_EQ(KernconfFile::parse(sample).remove("options", "NOT_THERE").text(), sample);
}

std::string changed(const KernconfFile& now) {
  // What is left of the sample's lines, and what came.
  std::string out;
  std::string_view text = now.text();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (std::string_view(sample).find(std::string(line)) == std::string_view::npos)
      out += std::string(line) + "\n";
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return out;
}

TEST(Kernconf, SetChangesInPlace) {
  const KernconfFile file = KernconfFile::parse(sample);
  EXPECT_EQ(changed(file.set("options", "A", "7")), "options \tA=7\t\t# why A\n");
  EXPECT_EQ(changed(file.set("options", "D")), "options \tC, D ,E\n");
  EXPECT_EQ(changed(file.set("ident", "OTHER")), "ident\t\tOTHER\n");
  EXPECT_EQ(changed(file.set("makeoptions", "DEBUG", "-g -O0")), "makeoptions\tDEBUG=\"-g -O0\"\n");
  EXPECT_EQ(changed(file.set("option", "NEW")), "options \tNEW\n");
  EXPECT_THAT(file.set("options", "NEW").text(), HasSubstr("D=2 ,E\noptions \tNEW\nmakeoptions"))
      << "beside its kind";
  EXPECT_EQ(changed(file.set("options", "ROOTDEVNAME", "\"ufs:md0\"")),
            "options \tROOTDEVNAME=\\\"ufs:md0\\\"\n");
}

TEST(Kernconf, RemoveTakesTheLine) {
  const KernconfFile file = KernconfFile::parse(sample);
  EXPECT_EQ(file.remove("options", "A").text().find("why A"), std::string::npos);
  EXPECT_EQ(file.remove("options", "A").text().size(),
            std::string(sample).size() - std::string("options \tA\t\t# why A\n").size());
  EXPECT_EQ(changed(file.remove("options", "C")), "options \tD=2 ,E\n");
  EXPECT_EQ(changed(file.remove("options", "D")), "options \tC, E\n");
  EXPECT_THAT(file.remove("options", "E").text(), HasSubstr("\noptions \tC, D=2\nmakeoptions"));
  EXPECT_THAT(entries_of(file.remove("options", "C").remove("options", "D").remove("options", "E").text()),
              ElementsAre("ident SAMPLE", "options A", "options B=1", "makeoptions DEBUG=-g", "device isa"));
  EXPECT_EQ(KernconfFile::parse("device a; device b\n").remove("device", "a").text(), " device b\n");
}

TEST(Kernconf, ANoStatementMakesRoomOrGoes) {
  const KernconfFile file = KernconfFile::parse("include GENERIC\nnomakeoptions DEBUG\nnooptions X\n");
  EXPECT_EQ(file.set("makeoptions", "DEBUG", "-g -O0").text(),
            "include GENERIC\nnomakeoptions DEBUG\nmakeoptions\tDEBUG=\"-g -O0\"\nnooptions X\n");
  const KernconfFile late = KernconfFile::parse("options X=1\nnooptions X\n");
  EXPECT_EQ(late.set("options", "X", "2").text(), "options X=2\n");
}

TEST(Kernconf, WhatConfigCannotReadIsNotWritten) {
  const KernconfFile file;
  EXPECT_THAT(message([&] { file.set("optoins", "A"); }), HasSubstr("no statement"));
  EXPECT_THAT(message([&] { file.set("options", "A B"); }), HasSubstr("cannot be a name"));
  EXPECT_THAT(message([&] { file.set("device", "a", "1"); }), HasSubstr("takes no value"));
  EXPECT_THAT(message([&] { file.set("options", "A", "x\ny"); }), HasSubstr("line end"));
  EXPECT_THAT(message([&] { file.set("options", "A", "say \"x y\""); }), HasSubstr("no way to write"));
}

/// A folder with some files of a kernel's tree.
struct Tree {
  Path root = fs::temp_directory_path() / fs::unique_path("kdev-kernconf-%%%%%%%%");
  Path conf = root / "sys/amd64/conf";
  Tree() {
    fs::create_directories(conf);
    fs::create_directories(root / "sys/conf");
  }
  ~Tree() {
    boost::system::error_code ec;
    fs::remove_all(root, ec);
  }
  Path write(const Path& name, std::string_view text) const {
    local_host()->write_file(conf / name, std::string(text));
    return conf / name;
  }
  KernconfSummary summary(const Path& file) const { return KernconfFile::load(file).summarize(root, {conf}); }
};

TEST(KernconfSummary, IncludesAndNoStatementsInOrder) {
  const Tree tree;
  tree.write("DEFAULTS", "machine amd64\ndevice isa\ndevice io\noptions GEOM_PART_GPT\n");
  tree.write("GENERIC",
             "cpu HAMMER\nident GENERIC\nmakeoptions DEBUG=-g\noptions INET\noptions B=1\noptions "
             "B=2\ninclude \"std.debug\"\n");
  local_host()->write_file(tree.root / "sys/conf/std.debug", "options DDB\noptions KDB\n");
  const Path file =
      tree.write("DEBUG0",
                 "include GENERIC\nident DEBUG0\nnomakeoptions DEBUG\nmakeoptions DEBUG=\"-g -O0\"\n"
                 "options KSTACK_PAGES=16\nnooptions DDB\nnodevice io\nmakeoptions X=1\nmakeoptions "
                 "X=2\nmakeoptions X+=3\n");
  const KernconfSummary s = tree.summary(file);
  EXPECT_EQ(s.ident, "DEBUG0");
  EXPECT_EQ(s.machine, "amd64");
  EXPECT_EQ(s.machine_arch, "amd64");
  EXPECT_THAT(brief(s.entries),
              ElementsAre("machine amd64", "device isa", "options GEOM_PART_GPT", "cpu HAMMER",
                          "options INET", "options B=2", "options KDB", "ident DEBUG0",
                          "makeoptions DEBUG=-g -O0", "options KSTACK_PAGES=16", "makeoptions X=1 3"));
  EXPECT_EQ(s.find("options", "KDB")->file, tree.root / "sys/conf/std.debug");
  EXPECT_EQ(s.find("options", "KDB")->line, 2);
  EXPECT_EQ(s.files.size(), 4u);
  EXPECT_EQ(s.find("options", "DDB"), nullptr);
}

TEST(KernconfSummary, FlattenedItIsTheSame) {
  const Tree tree;
  tree.write("DEFAULTS", "machine amd64\ndevice isa\ndevice io\n");
  tree.write("GENERIC", "cpu HAMMER\nident GENERIC\nmakeoptions DEBUG=-g\noptions A=\\\"q\\\", B\n");
  const Path file =
      tree.write("MINE", "include GENERIC\nident MINE\nnodevice io\nhints \"M.hints\"\nenvvar x.y=z\nmaxusers 32\n");
  const KernconfFile flat = KernconfFile::load(file).flatten(tree.root, {tree.conf});
  for (const KernconfEntry& e : flat.entries()) EXPECT_NE(e.keyword, "include");
  EXPECT_THAT(flat.text(), HasSubstr("# GENERIC:4"));
  EXPECT_THAT(flat.text(), HasSubstr("maxusers\t32"));
  EXPECT_THAT(flat.text(), HasSubstr("hints\t\t\"M.hints\""));  // bare it is no word of config(8)
  const Path copy = tree.write("FLAT", flat.text());
  EXPECT_THAT(diff_kernconfs(tree.summary(file), tree.summary(copy)), IsEmpty());
}

TEST(KernconfSummary, ACycleIsNamedWhole) {
  const Tree tree;
  tree.write("A", "include B\n");
  tree.write("B", "include C\n");
  tree.write("C", "include A\n");
  EXPECT_THAT(message([&] { tree.summary(tree.conf / "A"); }), HasSubstr("A -> B -> C -> A"));
  // The same file twice, not within itself, is none.
  tree.write("D", "device d\n");
  const Path twice = tree.write("E", "include D\ninclude D\n");
  EXPECT_THAT(brief(tree.summary(twice).entries), ElementsAre("device d"));
}

TEST(KernconfSummary, AMissingIncludeSaysWhoWantsItAndWhereItWasLookedFor) {
  const Tree tree;
  const Path file = tree.write("A", "ident A\ninclude NOWHERE\n");
  const std::string text = message([&] { tree.summary(file); });
  EXPECT_THAT(text, HasSubstr("include NOWHERE at " + file.string() + ":2"));
  EXPECT_THAT(text, HasSubstr((tree.root / "sys/conf").string()));
}

TEST(KernconfSummary, OneMachineOnly) {
  EXPECT_THAT(message([] { KernconfFile::parse("machine amd64\nmachine i386\n").summarize(); }),
              HasSubstr("machine amd64"));
}

TEST(KernconfSummary, Differences) {
  const auto a = KernconfFile::parse("ident A\noptions X=1\ndevice d\n").summarize();
  const auto b = KernconfFile::parse("ident B\noptions X=2\noptions Y\n").summarize();
  EXPECT_THAT(
      diff_kernconfs(a, b),
      ElementsAre(KernconfDiff{"device", "d", "", std::nullopt}, KernconfDiff{"ident", "", "A", "B"},
                  KernconfDiff{"options", "X", "1", "2"}, KernconfDiff{"options", "Y", std::nullopt, ""}));
}

TEST(KernconfCheck, NamesAgainstTheTree) {
  const Tree tree;
  const Path conf = tree.root / "sys/conf";
  local_host()->write_file(conf / "options",
                           "# names\nDDB\nKDB_TRACE\topt_kdb.h\nHAMMER opt_cpu.h\nINVARIANTS opt_global.h\n");
  local_host()->write_file(conf / "options.amd64", "MPTABLE_FORCE_HTT\n");
  local_host()->write_file(conf / "options-compat", "WITNESS_OLD INVARIANTS\n");
  local_host()->write_file(conf / "files",
                           "kern/a.c standard\ndev/u/u.c optional uart uart_ns8250 | scc !nouart no-obj "
                           "\\\n\tcompile-with \"cc odd\" obj-prefix p_\n"
                           "include \"conf/files.more\"\n");
  local_host()->write_file(conf / "files.more", "dev/v.c optional virtio_pci\n");
  local_host()->write_file(conf / "files.amd64", "x.c optional isa inet\n");
  const auto problems = [&](std::string_view text) {
    std::vector<std::string> told;
    for (const KernconfProblem& p : check_kernconf(KernconfFile::parse(text, "/x/K").summarize(), tree.root))
      told.push_back(
          fmt::format("{}: {} {} ({})", p.what, p.entry.keyword, p.entry.name, fmt::join(p.nearest, ",")));
    return told;
  };
  EXPECT_THAT(problems("machine amd64\ncpu HAMMER\nident K\noptions DDB,MPTABLE_FORCE_HTT\ndevice "
                       "isa,scc,virtio_pci,uart\n"),
              IsEmpty());
  EXPECT_THAT(problems("machine amd64\nident K\noptions INVARIANT\noptions WITNESS_OLD\noptions isa\ndevice "
                       "vritio_pci\ndevice DDB\ndevice nouart\ndevice odd\ncpu HAMER\n"),
              ElementsAre("unknown option: options INVARIANT (INVARIANTS)",
                          "obsolete option: now INVARIANTS: options WITNESS_OLD (INVARIANTS)",
                          "unknown option: options isa (device isa)",
                          "unknown device: device vritio_pci (virtio_pci)",
                          "unknown device: device DDB (options DDB)", "unknown device: device nouart (uart)",
                          "unknown device: device odd ()", "unknown CPU type: cpu HAMER (HAMMER)"));
  EXPECT_THAT(problems("options DDB\n"), ElementsAre("missing: machine  ()", "missing: ident  ()"));
  EXPECT_THAT(message([&] { check_kernconf({}, tree.conf); }), HasSubstr("sys/conf/options"));
}

/// The configurations of a real tree: read, followed, flattened and found without fault.
TEST(KernconfCheck, ATreesOwnConfigurations) {
  const char* source = std::getenv("KDEV_FREEBSD_SRC");
  if (!source) GTEST_SKIP() << "KDEV_FREEBSD_SRC does not name a FreeBSD source tree";
  const Path tree = source;
  int read = 0;
  for (const char* machine : {"amd64", "i386", "arm64", "riscv"}) {
    const Path dir = tree / "sys" / machine / "conf";
    for (const fs::directory_entry& entry : fs::directory_iterator(dir)) {
      const std::string name = entry.path().filename().string();
      const bool is_conf = std::isupper(static_cast<unsigned char>(name[0])) && name.find('.') == name.npos &&
                           name != "Makefile";
      if (!is_conf || name == "NOTES" || name == "DEFAULTS") continue;
      SCOPED_TRACE(entry.path().string());
      const KernconfFile file = KernconfFile::load(entry.path());
      const KernconfSummary summary = file.summarize(tree, {dir});
      EXPECT_EQ(summary.machine, machine);
      std::vector<std::string> told;
      for (const KernconfProblem& p : check_kernconf(summary, tree))
        told.push_back(p.what + " " + p.entry.name);
      EXPECT_THAT(told, IsEmpty());
      const KernconfFile flat = file.flatten(tree, {dir});
      EXPECT_THAT(diff_kernconfs(summary, flat.summarize(tree, {dir})), IsEmpty());
      ++read;
    }
  }
  EXPECT_GT(read, 10);
}

}  // namespace
}  // namespace kdev
