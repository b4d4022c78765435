#include "host/hostfs.hpp"

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

bool exists(const Path& path) {
  return type(path) != fs::file_not_found;
}

bool is_file(const Path& path) {
  return type(path) == fs::regular_file;
}

Path temporary() {
  return checked("find the folder for temporaries", {},
                 [](auto& error) { return fs::temp_directory_path(error); });
}

void create_symlink(const Path& target, const Path& link) {
  checked("make the link ", link, [&](auto& error) { fs::create_symlink(target, link, error); });
}

}  // namespace kdev::hostfs
