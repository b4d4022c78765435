// The tar of a text dump (ddb/db_textdump.c).
#include "crash/core/text_dump.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <kdev/core.hpp>
#include <kdev/error.hpp>

#include "common/json.hpp"

namespace kdev {
namespace {

constexpr std::size_t max_member = 64u << 20;
constexpr int max_members = 1000;
constexpr std::array<std::string_view, 5> members{"ddb.txt", "config.txt", "msgbuf.txt", "panic.txt",
                                                  "version.txt"};

[[noreturn]] void refuse(const Path& tar, std::string reason) {
  throw FormatError({.attempted = "read the text dump " + tar.string(),
                     .reason = std::move(reason),
                     .hint = "",
                     .log = {}});
}

std::string chomped(std::string s) {
  while (!s.empty() && (s.back() == '\n' || s.back() == '\0')) s.pop_back();
  return s;
}

}  // namespace

bool crash::begins_text_dump(std::string_view head) {
  if (head.size() < 512 || head.substr(257, 5) != "ustar") return false;
  const auto name = head.substr(0, std::min<std::size_t>(head.find('\0'), 100));
  return std::find(members.begin(), members.end(), name) != members.end();
}

TextDump read_text_dump(const Path& tar) {
  const std::unique_ptr<::archive, int (*)(::archive*)> a(archive_read_new(), &archive_read_free);
  archive_read_support_filter_gzip(a.get());
  archive_read_support_filter_zstd(a.get());
  archive_read_support_format_tar(a.get());
  const auto failure = [&] {
    const char* text = archive_error_string(a.get());
    return std::string(text ? text : "it is damaged");
  };
  if (archive_read_open_filename(a.get(), tar.c_str(), 1 << 16) != ARCHIVE_OK) {
    if (archive_errno(a.get()) == ENOENT || archive_errno(a.get()) == EACCES ||
        archive_errno(a.get()) == EISDIR)
      throw HostError(
          {.attempted = "read the text dump " + tar.string(), .reason = failure(), .hint = "", .log = {}});
    refuse(tar, failure());
  }
  TextDump dump;
  for (int count = 0;; ++count) {
    archive_entry* entry = nullptr;
    const int r = archive_read_next_header(a.get(), &entry);
    if (r == ARCHIVE_EOF) {
      if (count == 0) refuse(tar, "it is no tar, or an empty one");
      return dump;
    }
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN) refuse(tar, failure());
    if (count == max_members) refuse(tar, fmt::format("it has more than {} members", max_members));
    const char* path = archive_entry_pathname(entry);
    const std::string name = json::utf8(path ? path : "");
    std::string text;
    std::string buffer(1 << 16, '\0');
    for (;;) {
      const la_ssize_t n = archive_read_data(a.get(), buffer.data(), buffer.size());
      if (n < 0) refuse(tar, fmt::format("{}: {}", name, failure()));
      if (n == 0) break;
      text.append(buffer, 0, static_cast<std::size_t>(n));
      if (text.size() > max_member)
        refuse(tar, fmt::format("{} has more than {} MiB", name, max_member >> 20));
    }
    text = json::utf8(text);
    if (name == "ddb.txt")
      dump.debugger = std::move(text);
    else if (name == "config.txt")
      dump.config = std::move(text);
    else if (name == "msgbuf.txt")
      dump.messages = std::move(text);
    else if (name == "panic.txt")
      dump.panic = chomped(std::move(text));
    else if (name == "version.txt")
      dump.version = chomped(std::move(text));
    else
      dump.others[name] = std::move(text);
  }
}

}  // namespace kdev
