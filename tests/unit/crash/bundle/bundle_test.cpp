// Bundles: what is saved is what is opened, and nothing that anybody else has put together does harm.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <stdlib.h>

#include <boost/filesystem.hpp>
#include <kdev/bundle.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <random>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "crash/bundle/manifest.hpp"
#include "unit/crash/core/fake_linux.hpp"
#include "unit/crash/damage.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

using Members = std::vector<std::pair<std::string, std::string>>;

Members unzip(const Path& file) {
  Members members;
  ::archive* a = archive_read_new();
  archive_read_support_format_zip_seekable(a);
  EXPECT_EQ(ARCHIVE_OK, archive_read_open_filename(a, file.c_str(), 1 << 16));
  for (archive_entry* e = nullptr; archive_read_next_header(a, &e) == ARCHIVE_OK;) {
    std::string text(static_cast<std::size_t>(archive_entry_size(e)), '\0');
    EXPECT_EQ(static_cast<la_ssize_t>(text.size()), archive_read_data(a, text.data(), text.size()));
    members.emplace_back(archive_entry_pathname(e), text);
  }
  archive_read_free(a);
  return members;
}

void zip(const Path& file, const Members& members, mode_t type = AE_IFREG) {
  ::archive* a = archive_write_new();
  archive_write_set_format_zip(a);
  ASSERT_EQ(ARCHIVE_OK, archive_write_open_filename(a, file.c_str()));
  for (const auto& [name, text] : members) {
    archive_entry* e = archive_entry_new();
    archive_entry_set_pathname(e, name.c_str());
    archive_entry_set_size(e, static_cast<la_int64_t>(text.size()));
    archive_entry_set_filetype(e,
                               name == crash::manifest_name || name == crash::report_name ? AE_IFREG : type);
    archive_entry_set_perm(e, 0644);
    ASSERT_EQ(ARCHIVE_OK, archive_write_header(a, e));
    archive_write_data(a, text.data(), text.size());
    archive_entry_free(e);
  }
  archive_write_close(a);
  archive_write_free(a);
}

std::string& content(Members& members, std::string_view name) {
  for (auto& [n, text] : members)
    if (n == name) return text;
  throw std::runtime_error("no member " + std::string(name));
}

/// The same with a manifest that fits its members.
Members listed(Members members) {
  crash::Manifest manifest = crash::Manifest::from_json(content(members, crash::manifest_name));
  manifest.members.clear();
  for (const auto& [name, text] : members)
    if (name != crash::manifest_name) manifest.members[name] = {.size = text.size(), .sha256 = sha256(text)};
  content(members, crash::manifest_name) = manifest.to_json();
  return members;
}

std::string reason(const std::function<void()>& f) {
  try {
    f();
  } catch (const FormatError& e) {
    return e.reason();
  }
  return "no error";
}

/// Of the test's own kernel the tree is not known, by which a real one's files are named.
std::vector<StackFrame> named(std::vector<StackFrame> frames) {
  for (StackFrame& f : frames) f.file = Path(f.file).filename().string();
  return frames;
}
CrashReport named(CrashReport report) {
  for (StackTrace& t : report.traces) t.frames = named(t.frames);
  return report;
}

CrashRecord record_of(const Core& core) {
  CrashRecord record{.report = core.report(),
                     .console = std::string("booting\n\xff\0 done\n", 16),
                     .config = "CONFIG_X=y\n",
                     .environment = {{"build_id", "00ff"}, {"memory", "512M"}},
                     .commands = {}};
  record.commands.push_back({.command = "uname -a", .exit_code = 0, .duration = Seconds(0.25)});
  record.commands.push_back(
      {.command = "echo c > /proc/sysrq-trigger", .exit_code = {}, .duration = Seconds(1)});
  return record;
}

class BundleTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { kernel = new LinuxKernel; }
  static void TearDownTestSuite() { delete kernel; }
  void SetUp() override {
    boost::filesystem::create_directory(temporary);
    ::setenv("TMPDIR", temporary.c_str(), 1);
  }
  void TearDown() override {
    EXPECT_THAT(files_below(temporary), IsEmpty());
    ::unsetenv("TMPDIR");
  }
  static std::vector<std::string> files_below(const Path& dir) {
    std::vector<std::string> files;
    for (const auto& each : boost::filesystem::recursive_directory_iterator(dir))
      if (!boost::filesystem::is_directory(each)) files.push_back(each.path().string());
    return files;
  }
  Core core() const { return kernel->open(kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo())); }
  /// A whole one.
  Path saved() const {
    const Core from = core();
    save_bundle(file, record_of(from), &from);
    return file;
  }
  static LinuxKernel* kernel;
  Folder folder;
  Path file = folder.path() / "x.kdev", temporary = folder.path() / "tmp";
};
LinuxKernel* BundleTest::kernel = nullptr;

TEST_F(BundleTest, WhatIsSavedIsWhatIsOpened) {
  const Core from = core();
  const CrashRecord record = record_of(from);
  ASSERT_FALSE(record.report.title.empty());
  save_bundle(file, record, &from);
  std::optional<Core> there;
  {
    const Bundle bundle(file);
    EXPECT_EQ(record, bundle.record());
    EXPECT_TRUE(bundle.has_memory());
    EXPECT_TRUE(bundle.has_symbols());
    EXPECT_THAT(bundle.notes(), IsEmpty());
    const SymbolSources symbols = bundle.symbols();
    EXPECT_TRUE(boost::filesystem::exists(symbols.vmlinux));
    there.emplace(bundle.core());
    // Once more from what is unpacked already.
    EXPECT_EQ(there->report(), bundle.core().report());
  }
  // Its Core is good for longer.
  EXPECT_EQ(named(from.report()), named(there->report()));
  EXPECT_THAT(there->report().frames(),
              Contains(testing::Field(&StackFrame::source, testing::Not(IsEmpty()))));
  EXPECT_EQ(from.dmesg(), there->dmesg());
  EXPECT_EQ(from.threads(), there->threads());
  for (const auto& t : from.threads())
    EXPECT_EQ(named(from.stack(t.tid).frames), named(there->stack(t.tid).frames));
  there.reset();
}

TEST_F(BundleTest, OfFreebsdLikewise) {
  const FakeKernel freebsd({}, "panic: page fault\n", 18);
  const Core from(folder.write("vmcore", freebsd.memory.minidump(3, "panic: page fault\n")),
                  freebsd.sources());
  save_bundle(file, record_of(from), &from);
  const Core there = Bundle(file).core();
  EXPECT_EQ(Os::freebsd, there.os());
  EXPECT_EQ(named(from.report().frames()), named(there.report().frames()));
  EXPECT_EQ(from.threads(), there.threads());
  for (const auto& t : from.threads())
    EXPECT_EQ(named(from.stack(t.tid).frames), named(there.stack(t.tid).frames));
}

TEST_F(BundleTest, OneOfALogHasTheReportAlone) {
  const auto report = scan_console(
                          "[    1.000000] before\n"
                          "[    1.100000] kernel BUG at fs/x.c:1!\n"
                          "[    1.100000] RIP: 0010:x_open+0x1/0x2\n"
                          "[    1.100000] ---[ end trace 0000000000000000 ]---\n",
                          "linux")
                          .at(0);
  report.save(file);
  const Bundle bundle(file);
  EXPECT_EQ(report, bundle.record().report);
  EXPECT_THAT(bundle.record().console, HasSubstr("kernel BUG"));
  EXPECT_FALSE(bundle.has_memory() || bundle.has_symbols());
  EXPECT_THAT(bundle.notes(), Contains(HasSubstr("no memory")));
  EXPECT_THAT(reason([&] { bundle.core(); }), HasSubstr("no memory"));
  EXPECT_THAT(reason([&] { bundle.symbols(); }), HasSubstr("no symbols"));
}

TEST_F(BundleTest, OfALongConsoleTheEndIsTaken) {
  const CrashRecord record{.report = {},
                           .console = "first" + std::string(max_bundle_console, '.') + "last",
                           .config = {},
                           .environment = {},
                           .commands = {}};
  save_bundle(file, record);
  const Bundle bundle(file);
  EXPECT_EQ(max_bundle_console, bundle.record().console.size());
  EXPECT_TRUE(bundle.record().console.ends_with(".last"));
}

TEST_F(BundleTest, PartsMayBeLeftOut) {
  const Core from = core();
  save_bundle(file, record_of(from), &from, {.memory = true, .symbols = false});
  const Bundle bundle(file);
  EXPECT_FALSE(bundle.has_symbols());
  EXPECT_EQ(from.report(), bundle.core(kernel->sources()).report());
}

TEST_F(BundleTest, ARecordedRunGoesAlong) {
  const Core from = core();
  const std::map<std::string, std::string> contents{{"tape", std::string(100'000, '\7') + '\0'},
                                                    {"kernel", "ELF"}};
  RecordedRun run{.description = "{\"version\": 1}", .files = {}, .missing = {}};
  for (const auto& [role, bytes] : contents) run.files[role] = folder.write(role, bytes);
  bool asked = false;
  save_bundle(file, record_of(from), &from, {.memory = false, .symbols = false}, [&] {
    asked = true;
    return run;
  });
  EXPECT_TRUE(asked);
  std::shared_ptr<const void> unpacked;
  RecordedRun there;
  {
    const Bundle bundle(file);
    EXPECT_TRUE(bundle.has_recording());
    EXPECT_THAT(bundle.notes(), IsEmpty());
    there = bundle.recorded_run(unpacked);
  }
  EXPECT_EQ(run.description, there.description);
  ASSERT_EQ(contents.size(), there.files.size());
  // They are there for as long as somebody holds their folder.
  for (const auto& [role, bytes] : contents) EXPECT_EQ(bytes, local_host()->read_file(there.files[role]));
}

TEST_F(BundleTest, WithoutARecordedRunItSaysWhy) {
  save_bundle(file, record_of(core()), nullptr, {},
              [] { return RecordedRun{.description = {}, .files = {}, .missing = "the guest goes on"}; });
  const Bundle bundle(file);
  EXPECT_FALSE(bundle.has_recording());
  EXPECT_THAT(bundle.notes(), Contains(HasSubstr("the guest goes on")));
  std::shared_ptr<const void> unpacked;
  EXPECT_THAT(reason([&] { bundle.recorded_run(unpacked); }), HasSubstr("no recording"));
}

TEST_F(BundleTest, OfARecordedRunNothingElseIsTaken) {
  const Members good = unzip(saved());
  for (const Members& more :
       {Members{{"recording/tape.zst", "x"}},
        Members{{"recording/recording.json", "{}"}, {"recording/x.zst", "x"}},
        Members{{"recording/recording.json", "{}"}, {"recording/../tape.zst", "x"}},
        Members{{"recording/recording.json", "{}"}, {"recording/tape.zst", "no zstd"}}}) {
    Members members = good;
    members.insert(members.end(), more.begin(), more.end());
    zip(file, listed(members));
    std::shared_ptr<const void> unpacked;
    EXPECT_NE("no error", reason([&] { Bundle(file).recorded_run(unpacked); })) << more.back().first;
  }
}

TEST_F(BundleTest, ItAppearsWholeOrNotAtAll) {
  const Core from = core();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(save_bundle(file, record_of(from), &from, {.stop = stop.get_token()}), Interrupted);
  EXPECT_FALSE(boost::filesystem::exists(file));
  save_bundle(file, record_of(from), &from);
  EXPECT_THROW(save_bundle(file, record_of(from), &from, {.timeout = Seconds(0)}), TimeoutError);
  EXPECT_NO_THROW(Bundle(file).core());
  std::vector<std::string> here;
  for (const auto& each : boost::filesystem::directory_iterator(folder.path()))
    if (boost::filesystem::is_regular_file(each) && each.path() != file) here.push_back(each.path().string());
  EXPECT_THAT(here, testing::Not(Contains(HasSubstr("x.kdev"))));
}

TEST_F(BundleTest, NamesLeadNowhere) {
  const Members good = unzip(saved());
  for (const char* name :
       {"kernel/../../x", "kernel//etc/x", "kernel/..", "kernel/.", "kernel/", "kernel/a/b",
        "modules/../x.ko", "modules/a/b.ko", "source/../../x.c", "source//x.c", "source/a/../b.c",
        "source/a\\..\\b.c", "source/a\nb.c", "memory/../x", "memory/a/b"}) {
    Members members = good;
    members.emplace_back(name, "x");
    zip(file, listed(members));
    const Bundle bundle(file);
    EXPECT_NE("no error", reason([&] {
                bundle.symbols();
                bundle.core();
              }))
        << name;
    EXPECT_FALSE(boost::filesystem::exists(folder.path() / "x"));
  }
  // Others are nobody's.
  for (const char* name : {"/etc/x", "../x", "x", "bundle.json/x"}) {
    Members members = good;
    members.emplace_back(name, "x");
    zip(file, listed(members));
    EXPECT_NO_THROW(Bundle(file).core()) << name;
  }
}

TEST_F(BundleTest, NamesMustNotContradictEachOther) {
  const Members good = unzip(saved());
  for (const auto& [one, other] :
       std::vector<std::pair<const char*, const char*>>{{"source/a", "source/a/b"},
                                                        {"source/a/b", "source/a"},
                                                        {"kernel/x", "kernel/y"},
                                                        {"memory/x", "memory/y"}}) {
    Members members = good;
    members.emplace_back(one, "x");
    members.emplace_back(other, "y");
    zip(file, listed(members));
    EXPECT_NE("no error", reason([&] { Bundle(file).core(); })) << one;
  }
}

TEST_F(BundleTest, LinksAndSuchAreNotFollowed) {
  Members members = unzip(saved());
  zip(file, listed(members), AE_IFLNK);
  EXPECT_NE("no error", reason([&] { Bundle(file).core(); }));
}

TEST_F(BundleTest, WhatIsNotWhatWasPutInIsFound) {
  const Members good = unzip(saved());
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (good[i].first == crash::manifest_name) continue;
    Members members = good;
    members[i].second[members[i].second.size() / 2] ^= 1;
    zip(file, members);
    EXPECT_THAT(reason([&] {
                  const Bundle bundle(file);
                  bundle.core();
                }),
                HasSubstr("damaged"))
        << good[i].first;
    members = good;
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
    zip(file, members);
    EXPECT_NE("no error", reason([&] {
                const Bundle bundle(file);
                if (bundle.record().console.empty() || bundle.record().config.empty())
                  throw FormatError({.attempted = "", .reason = "it has lost a text", .hint = "", .log = {}});
                bundle.core();
              }))
        << good[i].first;
    members = good;
    members.push_back(good[i]);
    zip(file, members);
    EXPECT_NE("no error", reason([&] { Bundle(file).core(); })) << good[i].first;
  }
}

TEST_F(BundleTest, OtherArchivesAreNamed) {
  zip(file, {{"a", "b"}});
  EXPECT_THAT(reason([&] { Bundle b(file); }), HasSubstr("no bundle"));
  EXPECT_NE("no error", reason([&] { Bundle b(folder.write("t", "no zip at all")); }));
  EXPECT_NE("no error", reason([&] { Bundle b(folder.write("e", "")); }));
  EXPECT_THROW(Bundle(folder.path() / "missing"), HostError);
  Members members = unzip(saved());
  content(members, crash::manifest_name) = R"({"format": "kdev bundle", "version": 2})";
  zip(file, members);
  EXPECT_THAT(reason([&] { Bundle b(file); }), HasSubstr("version"));
  for (const char* text : {"", "[]", "{", R"({"format":"kdev bundle","version":1,"os":"plan9"})",
                           R"({"format":"kdev bundle","version":1,"members":[1]})",
                           R"({"format":"kdev bundle","version":1,"members":{"a":1}})",
                           R"({"format":"kdev bundle","version":1,"commands":[[]]})"}) {
    content(members, crash::manifest_name) = text;
    zip(file, members);
    EXPECT_NE("no error", reason([&] { Bundle b(file); })) << text;
  }
}

TEST_F(BundleTest, CutOffOrFlippedItIsAnErrorOrTheSame) {
  const Core from = core();
  const CrashRecord record = record_of(from);
  save_bundle(file, record, &from);
  const std::string whole = content_of(file);
  std::mt19937 random(1);
  const auto look = [&](const std::string& bytes) {
    const Path damaged = folder.write("damaged", bytes);
    try {
      const Bundle bundle(damaged);
      EXPECT_EQ(record.report, bundle.record().report);
      bundle.core().report();
    } catch (const FormatError&) {
    }
  };
  for (std::size_t size = 1; size < whole.size(); size *= 2) look(whole.substr(0, size));
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole;
    // Most bytes are of members, whose digest tells; the directory is at the end.
    const std::size_t from_end = i % 2 ? random() % 2000 : random() % whole.size();
    bytes[bytes.size() - 1 - std::min(from_end, bytes.size() - 1)] ^= static_cast<char>(1 << random() % 8);
    look(bytes);
  }
}

/// Local file headers, central directory headers and the record at its end (APPNOTE.TXT of zip, 4.3), those
/// of the first member and of the last.
TEST_F(BundleTest, NoFieldOfTheArchiveDoesHarm) {
  using Widths = std::vector<std::pair<std::string, std::size_t>>;
  const Widths both{{"flags", 2},  {"method", 2}, {"time", 2},        {"date", 2},        {"crc-32", 4},
                    {"packed", 4}, {"size", 4},   {"name length", 2}, {"extra length", 2}};
  Widths local{{"signature", 4}, {"needed", 2}}, central{{"signature", 4}, {"made by", 2}, {"needed", 2}};
  local.insert(local.end(), both.begin(), both.end());
  central.insert(central.end(), both.begin(), both.end());
  central.insert(central.end(),
                 {{"comment length", 2}, {"disk", 2}, {"internal", 2}, {"external", 4}, {"offset", 4}});
  const Widths end{{"signature", 4},   {"disk", 2}, {"first disk", 2}, {"entries", 2},
                   {"all entries", 2}, {"size", 4}, {"offset", 4},     {"comment length", 2}};
  const Core from = core();
  const CrashRecord record = record_of(from);
  save_bundle(file, record, &from, {.memory = true, .symbols = false});
  const std::string whole = content_of(file);
  const auto directory = whole.find("PK\1\2"), finish = whole.rfind("PK\5\6");
  ASSERT_TRUE(directory != std::string::npos && finish != std::string::npos);
  std::vector<HeaderField> fields = fields_from(finish, end);
  for (const auto& [at, widths] : {std::pair(std::size_t{0}, local), std::pair(whole.rfind("PK\3\4"), local),
                                   std::pair(directory, central), std::pair(whole.rfind("PK\1\2"), central)})
    for (const auto& f : fields_from(at, widths)) fields.push_back(f);
  int opened = 0;
  const auto look = [&](const Path& damaged) {
    answers_or_refuses([&] {
      const Bundle bundle(damaged);
      EXPECT_EQ(record.report, bundle.record().report);
      EXPECT_EQ(from.physical_end(), bundle.core().physical_end());
      ++opened;
    });
  };
  at_each_limit(whole, fields, folder / "damaged", look);
  EXPECT_LT(0, opened);
  at_each_cut(whole, folder / "damaged", look);
}

}  // namespace
}  // namespace kdev
