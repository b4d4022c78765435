#include "build/outside.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <sstream>

#include "build/tree_state.hpp"
#include "common/cpio_list.hpp"
#include "common/digest.hpp"
#include "host/hostfs.hpp"

namespace kdev {

namespace fs = boost::filesystem;

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

std::string outside_digest(const std::vector<Path>& inputs, FileHashes& hashes, const Deadline& deadline) {
  Digest digest;
  const auto add_file = [&](const Path& file) {
    digest.add(file.string());
    if (hostfs::is_file(file))
      digest.add(hashes.of(file));
    else
      digest.add("missing");
  };
  for (const Path& input : inputs) {
    if (!hostfs::is_directory(input)) {
      add_file(input);
      // An archive is binary and large; a list is neither.
      if (hostfs::is_file(input) && hostfs::size(input) < (1 << 20))
        for (const Path& file : cpio_list_files(local_host()->read_file(input))) add_file(file);
      continue;
    }
    digest.add(input.string()).add(TreeState::scan(input, {}, {}, deadline).digest());
    // A folder becomes an archive with its modes, and with its empty folders and devices.
    boost::system::error_code error;
    for (fs::recursive_directory_iterator it(input, error), end; it != end; it.increment(error)) {
      deadline.check("looking at " + input.string());
      struct stat st {};
      if (error || ::lstat(it->path().c_str(), &st) != 0) break;
      if (!S_ISREG(st.st_mode) || (st.st_mode & 07777) != 0644)
        digest.add(fmt::format("{} {:o} {}", it->path().string(), st.st_mode, st.st_rdev));
    }
  }
  hashes.save();
  return digest.hex();
}

}  // namespace kdev
