#include "image/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "common/system_error.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;
using Names = std::map<std::pair<dev_t, ino_t>, std::string>;

std::string read_link(const Path& path) {
  std::string target(256, '\0');
  for (;;) {
    const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
    if (n < 0) throw host_error("read the link " + path.string(), errno);
    if (static_cast<std::size_t>(n) < target.size()) {
      target.resize(static_cast<std::size_t>(n));
      return target;
    }
    target.resize(2 * target.size());
  }
}

std::vector<std::string> names_in(const Path& dir) {
  std::unique_ptr<DIR, int (*)(DIR*)> d(::opendir(dir.c_str()), &::closedir);
  if (!d) throw host_error("read the directory " + dir.string(), errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* e = ::readdir(d.get());
    if (!e) break;
    const std::string name = e->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno) throw host_error("read the directory " + dir.string(), errno);
  std::sort(names.begin(), names.end());
  return names;
}

ImageEntry describe(const Path& path, const std::string& guest_path, const struct stat& st) {
  ImageEntry e{.path = guest_path, .mode = st.st_mode & 07777u};
  switch (st.st_mode & S_IFMT) {
    case S_IFREG:
      e.source = path;
      e.size = static_cast<std::uint64_t>(st.st_size);
      break;
    case S_IFDIR:
      e.type = Type::dir;
      break;
    case S_IFLNK:
      e.type = Type::symlink;
      e.target = read_link(path);
      break;
    case S_IFIFO:
      e.type = Type::pipe;
      break;
    case S_IFSOCK:
      e.type = Type::socket;
      break;
    default:
      e.type = Type::node;
      e.device = S_ISBLK(st.st_mode) ? 'b' : 'c';
      e.major = major(st.st_rdev);
      e.minor = minor(st.st_rdev);
  }
  return e;
}

void walk(const Path& dir, const std::string& guest_dir, Names& names, std::vector<ImageEntry>& out,
          const Deadline& deadline) {
  deadline.check("reading " + dir.string());
  for (const std::string& name : names_in(dir)) {
    const Path path = dir / name;
    struct stat st;
    if (::lstat(path.c_str(), &st) != 0) throw host_error("look at " + path.string(), errno);
    ImageEntry e = describe(path, guest_dir + "/" + name, st);
    if (e.type == Type::file && st.st_nlink > 1) {
      const auto [first, is_new] = names.try_emplace({st.st_dev, st.st_ino}, e.path);
      if (!is_new) {
        e.target = first->second;
        e.source.clear();
      }
    }
    out.push_back(e);
    if (e.type == Type::dir) walk(path, e.path, names, out, deadline);
  }
}

}  // namespace

std::vector<ImageEntry> read_tree(const Path& dir, const Deadline& deadline) {
  Names names;
  std::vector<ImageEntry> out;
  walk(dir, "", names, out, deadline);
  return out;
}

}  // namespace kdev
