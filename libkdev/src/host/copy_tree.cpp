#include "host/copy_tree.hpp"

namespace kdev {

void copy_tree(Host& host, const Path& from, const Path& to) {
  host.make_directories(to);
  for (const DirectoryEntry& entry : host.entries(from)) {
    const Path source = from / entry.name, target = to / entry.name;
    if (entry.status.type == FileStatus::Type::link)
      host.make_link(host.read_link(source), target);
    else if (entry.status.is_directory())
      copy_tree(host, source, target);
    else if (entry.status.is_file())
      host.copy_file(source, target);
  }
}

void replace_tree(Host& host, const Path& from, const Path& to) {
  const Path fresh = to.parent_path() / (to.filename().string() + ".new");
  host.remove_all(fresh);
  host.make_directories(to.parent_path());
  copy_tree(host, from, fresh);
  host.remove_all(to);
  host.rename(fresh, to);
}

}  // namespace kdev
