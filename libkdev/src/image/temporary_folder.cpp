#include "image/temporary_folder.hpp"

#include <boost/filesystem/operations.hpp>

#include "common/system_error.hpp"

namespace kdev {

namespace fs = boost::filesystem;

TemporaryFolder::TemporaryFolder(const Path& parent) : path(parent / fs::unique_path("image-%%%%%%%%.tmp")) {
  boost::system::error_code ec;
  fs::create_directories(path, ec);
  if (ec) throw host_error("make the directory " + path.string(), ec.value());
}

TemporaryFolder::~TemporaryFolder() {
  boost::system::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace kdev
