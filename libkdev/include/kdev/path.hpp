#pragma once
#include <boost/filesystem/path.hpp>

namespace kdev {
/// Host paths everywhere in the interface. Paths inside a guest are std::string.
using Path = boost::filesystem::path;
}  // namespace kdev
