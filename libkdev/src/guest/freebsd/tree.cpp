#include <sstream>

#include "guest/freebsd/freebsd.hpp"
#include "guest/tree_files.hpp"

namespace kdev::guest {
namespace {

/// The value of NAME="value" in a shell script; empty when there is none.
std::string shell_variable(const std::string& script, const std::string& name) {
  std::istringstream lines(script);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.rfind(name + "=", 0) != 0) continue;
    std::string value = line.substr(name.size() + 1);
    const bool is_quoted = !value.empty() && (value[0] == '"' || value[0] == '\'');
    if (is_quoted) return value.substr(1, value.find(value[0], 1) - 1);
    return value.substr(0, value.find_first_of(" \t\r;#"));
  }
  return "";
}

/// "13.2-RELEASE", as newvers.sh puts RELEASE together from REVISION and BRANCH.
std::string version_of(Host& host, const Path& tree) {
  const std::string script = head_of(host, tree / "sys/conf/newvers.sh");
  const std::string revision = shell_variable(script, "REVISION"), branch = shell_variable(script, "BRANCH");
  return revision.empty() || branch.empty() ? "" : revision + "-" + branch;
}

}  // namespace

TreeMarks FreebsdGuest::marks(Host& host, const Path& path) const {
  TreeMarks marks = look_for(host, path, {"sys/kern/", "sys/conf/newvers.sh"});
  (version_of(host, path).empty() ? marks.missing : marks.found)
      .push_back("REVISION and BRANCH in sys/conf/newvers.sh");
  return marks;
}

std::optional<SourceTree> detect_freebsd(Host& host, const Path& path) {
  const std::string version = version_of(host, path);
  if (version.empty() || !look_for(host, path, {"sys/kern/"}).missing.empty()) return {};
  return SourceTree{.os = Os::freebsd, .path = resolved_tree(host, path), .version = version};
}

}  // namespace kdev::guest
