#pragma once
#include <string>
#include <string_view>

namespace kdev {

/// An absolute guest path without empty and "." components and trailing slash; "/" for the root. Names of
/// cpio archives
/// ("./etc/x", "etc/x", "/etc/x") all become "/etc/x". ".." components stay: see leads_out().
std::string normal_guest_path(std::string_view path);
/// True when a component is "..".
bool leads_out(std::string_view path);
/// "/" for "/a" and "/".
std::string parent_of(const std::string& normal_path);

}  // namespace kdev
