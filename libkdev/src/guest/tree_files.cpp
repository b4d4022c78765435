#include "guest/tree_files.hpp"

#include <boost/filesystem/operations.hpp>
#include <fstream>

namespace kdev::guest {

namespace fs = boost::filesystem;

std::string head_of(const Path& file, std::size_t limit) {
  boost::system::error_code ec;
  // Only files: a named pipe would block.
  if (!fs::is_regular_file(file, ec)) return "";
  std::ifstream in(file.string(), std::ios::binary);
  std::string text(limit, '\0');
  in.read(text.data(), static_cast<std::streamsize>(limit));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

TreeMarks look_for(const Path& dir, const std::vector<std::string>& names) {
  TreeMarks marks;
  for (const std::string& name : names) {
    boost::system::error_code ec;
    const bool there =
        name.back() == '/' ? fs::is_directory(dir / name, ec) : fs::is_regular_file(dir / name, ec);
    (there ? marks.found : marks.missing).push_back(name);
  }
  return marks;
}

Path resolved_tree(const Path& path) {
  boost::system::error_code ec;
  Path result = fs::canonical(path, ec);
  if (ec) result = fs::absolute(path);
  return result.remove_trailing_separator();
}

}  // namespace kdev::guest
