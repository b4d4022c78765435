#include "crash/core/media.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/temporary_folder.hpp"
#include "hypervisor/hypervisor.hpp"

namespace kdev::crash {

FileBytes::FileBytes(const Path& path, const std::string& attempted) {
  fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st {};
  if (!fd_ || ::fstat(fd_.get(), &st) != 0) throw host_error(attempted, errno);
  if (S_ISDIR(st.st_mode)) throw host_error(attempted, EISDIR);
  const off_t end = ::lseek(fd_.get(), 0, SEEK_END);  // a block device's st_size is 0
  if (end < 0) throw host_error(attempted, errno);
  size_ = static_cast<std::uint64_t>(end);
}

bool FileBytes::read(std::uint64_t offset, void* to, std::size_t size) const {
  if (offset > size_ || size > size_ - offset) return false;
  char* out = static_cast<char*>(to);
  while (size) {
    const ssize_t n = ::pread(fd_.get(), out, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out += n;
    offset += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

UniqueFd nameless_file(const std::string& attempted) {
  const Path folder = hostfs::temporary();
  UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  // Not every file system has O_TMPFILE.
  std::string name = (folder / "kdev-core-XXXXXX").string();
  fd.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) throw host_error(attempted, errno);
  ::unlink(name.c_str());
  return fd;
}

std::unique_ptr<FileBytes> open_media(const Path& image, const std::string& attempted,
                                      const Deadline& deadline) {
  auto file = std::make_unique<FileBytes>(image, attempted);
  const hypervisor::MachineDisk disk = hypervisor::disk_at(image);
  if (disk.format == hypervisor::MachineDisk::Format::raw) return file;
  const TemporaryFolder folder(hostfs::temporary());
  const Path raw = folder.path / "raw";
  hypervisor::all_hypervisors().front()->make_raw(disk, raw, deadline);
  return std::make_unique<FileBytes>(raw, attempted);  // the descriptor outlives the name
}

}  // namespace kdev::crash
