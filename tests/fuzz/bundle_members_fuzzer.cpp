// A bundle put together by somebody who knows how: any names and contents, with the digests that belong to
// them.
#include <archive.h>
#include <archive_entry.h>
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <kdev/bundle.hpp>
#include <kdev/error.hpp>
#include <set>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "crash/bundle/manifest.hpp"

namespace {

constexpr const char* known[] = {"report.json",        "console.log",          "config",
                                 "memory/vmcore",      "memory/vmcore.zst",    "kernel/vmlinux",
                                 "kernel/vmlinux.zst", "modules/a.ko",         "modules/a.ko.zst",
                                 "source/a.c",         "source/b/c.c",         "recording/recording.json",
                                 "recording/tape.zst", "recording/kernel.zst", "recording/initrd.zst"};

struct Member {
  std::string name, content;
};

void zip(int fd, const std::vector<Member>& members) {
  archive* a = archive_write_new();
  archive_write_set_format_zip(a);
  if (archive_write_open_fd(a, fd) != ARCHIVE_OK) std::abort();
  for (const Member& m : members) {
    archive_entry* e = archive_entry_new();
    archive_entry_set_pathname(e, m.name.c_str());
    archive_entry_set_size(e, static_cast<la_int64_t>(m.content.size()));
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    if (archive_write_header(a, e) == ARCHIVE_OK) archive_write_data(a, m.content.data(), m.content.size());
    archive_entry_free(e);
  }
  archive_write_close(a);
  archive_write_free(a);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int fd = ::memfd_create("bundle", MFD_CLOEXEC);
  FuzzedDataProvider bytes(data, size);
  std::vector<Member> members{{"report.json", "{}"}};
  kdev::crash::Manifest manifest;
  manifest.os = bytes.ConsumeBool() ? "linux" : "";
  std::set<std::string> taken{"report.json"};
  while (bytes.remaining_bytes() > 0 && members.size() < 12) {
    Member m;
    m.name = bytes.ConsumeBool() ? bytes.PickValueInArray(known) : bytes.ConsumeRandomLengthString(40);
    m.content = bytes.ConsumeRandomLengthString(4096);
    if (m.name == "report.json")
      members.front() = std::move(m);
    else if (taken.insert(m.name).second)
      members.push_back(std::move(m));
  }
  for (const Member& m : members)
    manifest.members[m.name] = {.size = m.content.size(), .sha256 = kdev::sha256(m.content)};
  members.push_back({kdev::crash::manifest_name, manifest.to_json()});
  if (fd < 0 || ::ftruncate(fd, 0) != 0 || ::lseek(fd, 0, SEEK_SET) != 0) std::abort();
  zip(fd, members);
  try {
    const kdev::Bundle bundle("/proc/self/fd/" + std::to_string(fd));
    bundle.record().report.to_html();
    for (const auto& each : {+[](const kdev::Bundle& b) { b.symbols(); },
                             +[](const kdev::Bundle& b) {
                               std::shared_ptr<const void> folder;
                               b.recorded_run(folder);
                             },
                             +[](const kdev::Bundle& b) { b.core().report(); }}) {
      try {
        each(bundle);
      } catch (const kdev::FormatError&) {
      } catch (const kdev::ConfigError&) {
      }
    }
  } catch (const kdev::FormatError&) {
  }
  return 0;
}
