#pragma once
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <fstream>
#include <kdev/path.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

namespace kdev::test {

/// A fresh directory, removed at the end.
class TempDir {
 public:
  TempDir() {
    std::string name = (boost::filesystem::temp_directory_path() / "kdev-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
    path_ = boost::filesystem::canonical(name);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    boost::system::error_code ignored;
    boost::filesystem::remove_all(path_, ignored);
  }
  const Path& path() const { return path_; }
  Path operator/(const std::string& name) const { return path_ / name; }

  /// Writes a file, with its folders.
  Path write(const std::string& name, const std::string& content, unsigned mode = 0644) const {
    const Path file = path_ / name;
    boost::filesystem::create_directories(file.parent_path());
    std::ofstream(file.string(), std::ios::binary) << content;
    boost::filesystem::permissions(file, static_cast<boost::filesystem::perms>(mode));
    return file;
  }
  static std::string read(const Path& file) {
    std::ostringstream text;
    text << std::ifstream(file.string(), std::ios::binary).rdbuf();
    return text.str();
  }

 private:
  Path path_;
};

}  // namespace kdev::test
