#include "host/hostfs.hpp"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <string>

#include "common/system_error.hpp"

namespace kdev::hostfs {

namespace fs = boost::filesystem;

namespace {

/// f takes the error_code.
template <class F>
auto checked(const char* attempted, const Path& path, F&& f) {
  boost::system::error_code error;
  const auto fail = [&] {
    if (error) throw host_error(attempted + path.string(), error.value());
  };
  if constexpr (std::is_void_v<decltype(f(error))>) {
    f(error);
    fail();
  } else {
    auto result = f(error);
    fail();
    return result;
  }
}

fs::file_type type_of(const Path& path, const fs::file_status& status,
                      const boost::system::error_code& error) {
  // That nothing is there is an answer, though an error_code comes with it.
  if (status.type() == fs::status_error) throw host_error("look at " + path.string(), error.value());
  return status.type();
}

void collect(const Path& directory, std::vector<Path>& files) {
  for (const Path& path : list(directory)) {
    const fs::file_type type = link_type(path);
    if (type == fs::directory_file)
      collect(path, files);
    else if (type == fs::regular_file)
      files.push_back(path);
  }
}

}  // namespace

Path absolute(const Path& path) {
  // Asks for the working directory, which may be gone.
  return checked("find ", path, [&](auto& error) { return fs::absolute(path, error); });
}

Path canonical(const Path& path) {
  return checked("find ", path, [&](auto& error) { return fs::canonical(path, error); });
}

fs::file_type type(const Path& path) {
  boost::system::error_code error;
  return type_of(path, fs::status(path, error), error);
}

fs::file_type link_type(const Path& path) {
  boost::system::error_code error;
  return type_of(path, fs::symlink_status(path, error), error);
}

bool exists(const Path& path) {
  return type(path) != fs::file_not_found;
}

bool is_file(const Path& path) {
  return type(path) == fs::regular_file;
}

bool is_directory(const Path& path) {
  return type(path) == fs::directory_file;
}

std::uint64_t size(const Path& path) {
  return checked("look at ", path, [&](auto& error) { return fs::file_size(path, error); });
}

std::time_t last_write_time(const Path& path) {
  return checked("look at ", path, [&](auto& error) { return fs::last_write_time(path, error); });
}

std::vector<Path> list(const Path& directory) {
  std::vector<Path> paths;
  checked("read the folder ", directory, [&](auto& error) {
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
      paths.push_back(it->path());
  });
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<Path> files_below(const Path& directory) {
  std::vector<Path> files;
  collect(directory, files);
  return files;
}

void copy_file(const Path& from, const Path& to) {
  checked("copy to ", to, [&](auto& error) { fs::copy_file(from, to, error); });
}

void copy_symlink(const Path& from, const Path& to) {
  checked("make the link ", to, [&](auto& error) { fs::copy_symlink(from, to, error); });
}

void create_symlink(const Path& target, const Path& link) {
  checked("make the link ", link, [&](auto& error) { fs::create_symlink(target, link, error); });
}

}  // namespace kdev::hostfs
