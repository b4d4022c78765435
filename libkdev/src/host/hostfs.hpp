#pragma once
// Boost.Filesystem on this machine, with what goes wrong as HostError: its own throwing calls are outside of
// kdev's tree of errors.
#include <boost/filesystem/file_status.hpp>
#include <kdev/path.hpp>

namespace kdev::hostfs {

Path absolute(const Path& path);
/// With all links resolved; it must be there.
Path canonical(const Path& path);
/// Links are followed. Nothing there, or a link to nothing: file_not_found.
boost::filesystem::file_type type(const Path& path);
bool exists(const Path& path);
bool is_file(const Path& path);
/// Where temporaries go ($TMPDIR, else /tmp).
Path temporary();
void create_symlink(const Path& target, const Path& link);

}  // namespace kdev::hostfs
