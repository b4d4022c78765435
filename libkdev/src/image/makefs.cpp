#include "image/makefs.hpp"

#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <cstring>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <map>

#include "common/system_error.hpp"
#include "image/content.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using Type = ImageEntry::Type;

/// As strunvis(3) takes it back.
std::string escaped(const std::string& text) {
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = std::isalnum(c) || std::strchr("/._-+@%,:", c);
    out += plain && c != 0 ? std::string(1, static_cast<char>(c)) : fmt::format("\\{:03o}", c);
  }
  return out;
}

/// Puts each file's content where makefs finds it, under its entry's number.
std::vector<std::string> stage(const std::vector<ImageEntry>& entries, const Path& dir) {
  std::vector<std::string> content(entries.size());
  std::map<std::string, std::size_t> by_path;
  std::map<std::string, bool> linked;
  for (const ImageEntry& e : entries)
    if (is_hard_link(e)) linked[e.target] = true;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ImageEntry& e = entries[i];
    if (e.type != Type::file || is_hard_link(e)) continue;
    by_path[e.path] = i;
    content[i] = std::to_string(i);
    const Path file = dir / content[i];
    if (e.source.empty())
      local_host()->write_file(file, e.content);
    else if (linked.count(e.path))
      fs::copy_file(e.source, file);
    else
      fs::create_symlink(e.source, file);
    // makefs takes entries for names of one file when their content is one file of several names.
    if (linked.count(e.path)) fs::create_hard_link(file, dir / (content[i] + ".link"));
  }
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (is_hard_link(entries[i])) content[i] = content[by_path.at(entries[i].target)];
  return content;
}

}  // namespace

std::string makefs_manifest(const std::vector<ImageEntry>& entries, const std::vector<std::string>& content) {
  std::string out = "#mtree\n. type=dir uid=0 gid=0 mode=0755\n";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ImageEntry& e = entries[i];
    const bool is_root = e.path == "/";
    if (is_root || e.type == Type::node || e.type == Type::pipe || e.type == Type::socket) continue;
    const char* type = e.type == Type::dir ? "dir" : e.type == Type::symlink ? "link" : "file";
    out += fmt::format(".{} type={} uid={} gid={} mode={:04o}", escaped(e.path), type, e.uid, e.gid, e.mode);
    if (e.type == Type::symlink) out += " link=" + escaped(e.target);
    if (e.type == Type::file) out += " contents=" + content[i];
    out += "\n";
  }
  return out;
}

void run_makefs(const Path& makefs, const std::vector<std::string>& options,
                const std::vector<ImageEntry>& entries, const Path& folder, const Deadline& deadline) {
  const std::string attempted = "make a file system with " + makefs.string();
  try {
    local_host()->write_file(folder / "manifest", makefs_manifest(entries, stage(entries, folder)));
  } catch (const boost::system::system_error& e) {
    throw host_error(attempted, e.code().value());
  }
  std::vector<std::string> argv{makefs.string()};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.end(), {"image", "manifest"});
  const ProcessResult made =
      local_host()->run(Command{.argv = std::move(argv), .cwd = folder}, {.deadline = deadline});
  if (!made.ok())
    throw HostError(
        {.attempted = attempted,
         .reason = fmt::format("{}: {}", describe(made.status), made.err.substr(0, made.err.find('\n'))),
         .hint = another_makefs,
         .log = {}});
}

Path find_makefs() {
  const char* chosen = std::getenv("KDEV_MAKEFS");
  if (chosen && *chosen) return chosen;
  if (const auto found = local_host()->which("makefs")) return *found;
  throw HostError({.attempted = "find makefs, which makes UFS2 file systems",
                   .reason = "it is not in PATH",
                   .hint = another_makefs,
                   .log = {}});
}

}  // namespace kdev
