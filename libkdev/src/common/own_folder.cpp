#include "common/own_folder.hpp"

#include <dlfcn.h>

#include <boost/filesystem/operations.hpp>

namespace kdev {

Path own_folder() {
  Dl_info info;
  if (!::dladdr(reinterpret_cast<const void*>(&own_folder), &info) || !info.dli_fname) return {};
  boost::system::error_code ec;
  const Path file = boost::filesystem::canonical(info.dli_fname, ec);
  return ec ? Path() : file.parent_path();
}

}  // namespace kdev
