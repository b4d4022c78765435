#include "build/scaffold.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <kdev/error.hpp>
#include <kdev/workspace.hpp>

#include "guest/guest.hpp"

namespace kdev {

void write_scaffold(Host& host, const std::vector<guest::Scaffold>& known, const std::string& kind,
                    const std::string& name, const Path& dir) {
  const auto refused = [&](std::string reason, std::string hint) {
    return ConfigError({.attempted = fmt::format("write scaffold {} \"{}\"", kind, name),
                        .reason = std::move(reason),
                        .hint = std::move(hint),
                        .log = {}});
  };
  const auto scaffold =
      std::find_if(known.begin(), known.end(), [&](const guest::Scaffold& s) { return s.name == kind; });
  if (scaffold == known.end()) {
    std::vector<std::string> those;
    for (const guest::Scaffold& s : known) those.push_back(fmt::format("{} ({})", s.name, s.summary));
    throw refused("there is no such scaffold",
                  those.empty() ? "there are none for this operating system yet"
                                : fmt::format("scaffolds are: {}", fmt::join(those, ", ")));
  }
  const bool good =
      !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  if (!good)
    throw refused("the name is part of C function names", "use letters, digits and _, no digit first");
  if (host.exists(dir) && (!host.is_directory(dir) || !host.entries(dir).empty()))
    throw refused(fmt::format("{} is there already", dir.string()),
                  "choose another name or folder, or remove it");
  host.make_directories(dir);
  for (const guest::ScaffoldFile& file : scaffold->files(name)) {
    const Path to = dir / file.path;
    host.make_directories(to.parent_path());
    host.write_file(to, file.content);
  }
}

Path Workspace::scaffold(const std::string& kind, const std::string& name, const Path& dir) const {
  const Path to = dir.empty() ? src() / name : host().absolute(dir);
  write_scaffold(host(), guest::guest_for(tree().os).scaffolds(), kind, name, to);
  return to;
}

}  // namespace kdev
