#include "guest/linux/build_records.hpp"

#include <string>

namespace kdev::guest {

Path linux_recorded_output(const Path& file) {
  const std::string name = file.filename().string();
  if (name.size() <= 5 || name.front() != '.' || !name.ends_with(".cmd")) return {};
  return file.parent_path() / name.substr(1, name.size() - 5);
}

std::vector<Path> linux_half_written(Host& host, const std::vector<Path>& files) {
  std::vector<Path> doubtful;
  for (const Path& file : files) {
    const std::string name = file.filename().string();
    if (const Path output = linux_recorded_output(file); !output.empty()) {
      // Kbuild writes the .cmd file after its target: a target that is newer may be cut off.
      const FileStatus status = host.link_status(output);
      if (!status.exists() || status.mtime_ns <= host.link_status(file).mtime_ns) continue;
      doubtful.push_back(output);
      doubtful.push_back(file);
    } else if (file.extension() == ".o") {
      // The compiler had not come to its end: there is no .cmd file yet.
      if (!host.exists(file.parent_path() / ("." + name + ".cmd"))) doubtful.push_back(file);
    } else if (name.starts_with(".tmp_")) {
      doubtful.push_back(file);
    }
  }
  return doubtful;
}

}  // namespace kdev::guest
