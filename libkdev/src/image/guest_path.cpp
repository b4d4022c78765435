#include "image/guest_path.hpp"

namespace kdev {

std::string normal_guest_path(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (!part.empty() && part != ".") out.append("/").append(part);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  }
  return out.empty() ? "/" : out;
}

bool leads_out(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    if (path.substr(0, end) == "..") return true;
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  }
  return false;
}

std::string parent_of(const std::string& normal_path) {
  const std::size_t slash = normal_path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : normal_path.substr(0, slash);
}

}  // namespace kdev
