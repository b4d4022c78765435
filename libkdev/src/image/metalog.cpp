#include "image/metalog.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <charconv>
#include <kdev/error.hpp>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include "image/edited.hpp"
#include "image/guest_path.hpp"

namespace kdev {
namespace {

/// "root:*:0:..." of passwd(5), master.passwd(5) and group(5): names to numbers.
std::map<std::string, unsigned> numbers_in(const std::string& text) {
  std::map<std::string, unsigned> numbers;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name, password, number;
    if (line.starts_with('#') || !std::getline(fields, name, ':') || !std::getline(fields, password, ':') ||
        !std::getline(fields, number, ':'))
      continue;
    unsigned value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc())
      numbers.emplace(name, value);
  }
  return numbers;
}

struct Owner {
  unsigned mode = 0;
  std::string user, group;
  std::int64_t uid = 0, gid = 0;
};

std::map<std::string, Owner> read(const Path& file) {
  const std::unique_ptr<::archive, int (*)(::archive*)> a(archive_read_new(), &archive_read_free);
  const auto fail = [&]() -> FormatError {
    const char* why = archive_error_string(a.get());
    return FormatError({.attempted = "read the list of owners " + file.string(),
                        .reason = why ? why : "it is no mtree(5) list",
                        .hint = "",
                        .log = {}});
  };
  archive_read_support_format_mtree(a.get());
  // The list alone counts: what lies beside it on this host is root's or the builder's.
  archive_read_set_format_option(a.get(), "mtree", "checkfs", nullptr);
  if (archive_read_open_filename(a.get(), file.c_str(), 1 << 16) != ARCHIVE_OK) throw fail();
  std::map<std::string, Owner> owners;
  for (::archive_entry* e = nullptr;;) {
    const int status = archive_read_next_header(a.get(), &e);
    if (status == ARCHIVE_EOF) return owners;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) throw fail();
    const char *path = archive_entry_pathname(e), *user = archive_entry_uname(e),
               *group = archive_entry_gname(e);
    if (!path) continue;
    // Written twice, the later one counts (METALOG is appended to).
    owners[normal_guest_path(path)] = {static_cast<unsigned>(archive_entry_perm(e)) & 07777u,
                                       user ? user : "", group ? group : "", archive_entry_uid(e),
                                       archive_entry_gid(e)};
  }
}

}  // namespace

void apply_metalog(std::vector<ImageEntry>& entries, const Path& metalog) {
  const std::map<std::string, Owner> owners = read(metalog);
  std::map<std::string, unsigned> users = numbers_in(text_in(entries, "/etc/master.passwd"));
  users.merge(numbers_in(text_in(entries, "/etc/passwd")));
  const std::map<std::string, unsigned> groups = numbers_in(text_in(entries, "/etc/group"));
  const auto number = [&](const std::map<std::string, unsigned>& numbers, const std::string& name,
                          std::int64_t fallback, const std::string& path) {
    if (name.empty()) return static_cast<unsigned>(fallback);
    const auto found = numbers.find(name);
    if (found != numbers.end()) return found->second;
    throw FormatError(
        {.attempted = "give " + path + " its owner in an image",
         .reason = fmt::format("\"{}\" is neither in the image's /etc/passwd nor /etc/group", name),
         .hint = "",
         .log = metalog});
  };
  for (ImageEntry& entry : entries) {
    const auto found = owners.find(entry.path);
    if (found == owners.end()) continue;
    entry.mode = found->second.mode;
    entry.uid = number(users, found->second.user, found->second.uid, entry.path);
    entry.gid = number(groups, found->second.group, found->second.gid, entry.path);
  }
}

}  // namespace kdev
