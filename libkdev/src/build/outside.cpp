#include "build/outside.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>
#include <sstream>

#include "build/tree_state.hpp"
#include "common/cpio_list.hpp"
#include "common/digest.hpp"

namespace kdev {

std::vector<Path> cpio_list_files(const std::string& text) {
  std::vector<Path> files;
  if (text.find('\0') != text.npos) return files;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string_view> words = cpio_list_words(line);
    if (words.size() < 3 || words[0] != "file") continue;
    try {
      files.emplace_back(expand_cpio_location(words[2]));
    } catch (const FormatError&) {
      files.emplace_back(std::string(words[2]));  // the build will say what is wrong with it
    }
  }
  return files;
}

std::string outside_digest(Host& host, const std::vector<Path>& inputs, FileHashes& hashes,
                           const Deadline& deadline) {
  Digest digest;
  const auto add_file = [&](const Path& file) {
    digest.add(file.string());
    if (host.is_file(file))
      digest.add(hashes.of(file));
    else
      digest.add("missing");
  };
  // A folder becomes an archive with its modes, and with its empty folders and devices.
  const auto add_modes = [&](const auto& self, const Path& folder) -> void {
    deadline.check("looking at " + folder.string());
    for (const DirectoryEntry& entry : host.entries(folder)) {
      const FileStatus& s = entry.status;
      const Path path = folder / entry.name;
      if (!s.is_file() || s.mode != 0644)
        digest.add(fmt::format("{} {} {:o} {}", path.string(), static_cast<int>(s.type), s.mode, s.rdev));
      if (s.is_directory()) self(self, path);
    }
  };
  for (const Path& input : inputs) {
    const FileStatus status = host.status(input);
    if (!status.is_directory()) {
      add_file(input);
      // An archive is binary and large; a list is neither.
      if (status.is_file() && status.size < (1 << 20))
        for (const Path& file : cpio_list_files(host.read_file(input))) add_file(file);
      continue;
    }
    digest.add(input.string()).add(TreeState::scan(host, input, {}, {}, deadline).digest());
    add_modes(add_modes, input);
  }
  hashes.save();
  return digest.hex();
}

}  // namespace kdev
