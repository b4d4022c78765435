#pragma once
// What the files of a FreeBSD tree, and of its output tree, are to a build. See the functions of BuildRules
// with these names; paths of the tree are relative to it.
#include <kdev/host.hpp>
#include <string_view>
#include <vector>

namespace kdev::guest {

bool freebsd_ignored(std::string_view path);
bool freebsd_hidden_input(std::string_view path);
bool freebsd_untracked_input(std::string_view path);
bool freebsd_matters_to_modules(std::string_view path);
/// config(8) reads it.
bool freebsd_config_input(std::string_view path);

Path freebsd_recorded_output(const Path& file);
std::vector<Path> freebsd_half_written(Host& host, const std::vector<Path>& files);

}  // namespace kdev::guest
