#include "crash/index_cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <kdev/deadline.hpp>
#include <vector>

#include "common/digest.hpp"
#include "common/system_error.hpp"

namespace kdev::crash {
namespace {

namespace fs = boost::filesystem;

constexpr std::string_view suffix = ".symbols";
constexpr std::string_view unfinished = ".new";
const std::string attempted = "write an index of symbols in ";
constexpr Seconds longest_wait{60};
constexpr std::time_t abandoned = 3600;  // seconds: whoever wrote it has died

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) {
      errno = ENOSPC;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Path default_index_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  // The specification has relative ones ignored.
  if (cache && *cache == '/') return Path(cache) / "kdev" / "symbols";
  if (home && *home == '/') return Path(home) / ".cache" / "kdev" / "symbols";
  return {};
}

std::string describe(const ElfFile& file) {
  const std::string id = file.build_id();
  if (id.empty()) return {};
  Digest digest;
  digest.add(id);
  std::size_t names = 0;
  elf_getshdrstrndx(file.handle(), &names);
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(file.handle(), section));) {
    GElf_Shdr header{};
    if (!gelf_getshdr(section, &header)) continue;
    digest.add({reinterpret_cast<const char*>(&header), sizeof(header)});
    const char* name = elf_strptr(file.handle(), names, header.sh_name);
    const std::string_view called = name ? name : "";
    if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_STRTAB && !called.starts_with(".debug_"))
      continue;
    // Where the tree was when it was built is at the beginning of the strings.
    const Elf_Data* data = elf_rawdata(section, nullptr);
    if (data && data->d_buf)
      digest.add({static_cast<const char*>(data->d_buf), std::min<std::size_t>(data->d_size, 4096)});
  }
  return digest.hex();
}

Path index_path(const Path& folder, const ElfFile& file, std::string_view described) {
  return folder / (file.build_id() + "-" + std::string(described.substr(0, 16)) + std::string(suffix));
}

void touch_index(const Path& path) {
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
}

IndexLock::IndexLock(const Path& folder) {
  boost::system::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) throw host_error(attempted + folder.string(), ec.value());
  // On the folder itself: a file to lock would have to stay behind.
  fd_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const auto patience = Deadline::after(longest_wait);
  while (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
    if (patience.expired()) return;
    try {
      patience.check_interrupt("wait for another process's index");
    } catch (...) {
      ::close(fd_);
      throw;
    }
    ::usleep(20'000);
  }
}

IndexLock::~IndexLock() {
  if (fd_ >= 0) ::close(fd_);
}

void store_index(const Path& path, std::string_view bytes) {
  boost::system::error_code ec;
  fs::create_directories(path.parent_path(), ec);
  std::string name = path.string() + std::string(unfinished) + "XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) throw host_error(attempted + path.parent_path().string(), errno);
  int error = write_all(fd, bytes) ? 0 : errno;
  if (::close(fd) != 0 && !error) error = errno;
  if (!error && ::rename(name.c_str(), path.c_str()) != 0) error = errno;
  if (error) {
    ::unlink(name.c_str());
    throw host_error(attempted + path.parent_path().string(), error);
  }
  prune_indexes(path.parent_path(), path);
}

void prune_indexes(const Path& folder, const Path& keep, std::uintmax_t most_bytes, std::size_t most) {
  struct Entry {
    std::time_t used;
    std::uintmax_t size;
    Path path;
  };
  std::vector<Entry> entries;
  boost::system::error_code ec;
  const std::time_t now = std::time(nullptr);
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    struct stat st {};
    if (::lstat(it->path().c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    if (name.find(std::string(suffix) + std::string(unfinished)) != std::string::npos) {
      if (st.st_mtime + abandoned < now) ::unlink(it->path().c_str());
    } else if (name.ends_with(suffix)) {
      const bool stays = it->path() == keep;
      entries.push_back(
          {stays ? now + abandoned : st.st_mtime, static_cast<std::uintmax_t>(st.st_size), it->path()});
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used > b.used; });
  std::uintmax_t bytes = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    bytes += entries[i].size;
    if ((i >= most || bytes > most_bytes) && entries[i].path != keep) ::unlink(entries[i].path.c_str());
  }
}

}  // namespace kdev::crash
