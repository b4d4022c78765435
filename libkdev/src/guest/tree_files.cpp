#include "guest/tree_files.hpp"

#include <kdev/error.hpp>

namespace kdev::guest {

std::string head_of(Host& host, const Path& file, std::size_t limit) {
  try {
    // Only files: a named pipe would block. What is marked by megabytes is none that is looked for.
    const FileStatus status = host.status(file);
    if (!status.is_file() || status.size > (64 << 20)) return "";
    return host.read_file(file).substr(0, limit);
  } catch (const HostError&) {
    return "";
  }
}

TreeMarks look_for(Host& host, const Path& dir, const std::vector<std::string>& names) {
  TreeMarks marks;
  for (const std::string& name : names) {
    bool there = false;
    try {
      const FileStatus status = host.status(dir / name);
      there = name.back() == '/' ? status.is_directory() : status.is_file();
    } catch (const HostError&) {  // cannot be looked at: as good as missing
    }
    (there ? marks.found : marks.missing).push_back(name);
  }
  return marks;
}

Path resolved_tree(Host& host, const Path& path) {
  Path result;
  try {
    result = host.canonical(path);
  } catch (const HostError&) {
    result = host.absolute(path);
  }
  // "/a/b/" would have an empty last name.
  return result.filename().empty() || result.filename_is_dot() ? result.parent_path() : result;
}

}  // namespace kdev::guest
