#pragma once
// Boost.Filesystem on this machine, with what goes wrong as HostError: its own throwing calls are outside of
// kdev's tree of errors.
#include <boost/filesystem/directory.hpp>
#include <cstdint>
#include <ctime>
#include <kdev/path.hpp>
#include <vector>

namespace kdev::hostfs {

Path absolute(const Path& path);
/// With all links resolved; it must be there.
Path canonical(const Path& path);
/// Links are followed. Nothing there, or a link to nothing: file_not_found.
boost::filesystem::file_type type(const Path& path);
/// Of the link itself.
boost::filesystem::file_type link_type(const Path& path);
bool exists(const Path& path);
bool is_file(const Path& path);
bool is_directory(const Path& path);
std::uint64_t size(const Path& path);
std::time_t last_write_time(const Path& path);
/// What is in a folder, sorted.
std::vector<Path> list(const Path& directory);
/// The regular files (no links) anywhere below a folder, sorted.
std::vector<Path> files_below(const Path& directory);
/// `to` must not be there.
void copy_file(const Path& from, const Path& to);
void copy_symlink(const Path& from, const Path& to);
void create_symlink(const Path& target, const Path& link);

}  // namespace kdev::hostfs
