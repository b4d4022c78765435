#include "crash/core/media.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdlib>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "common/system_error.hpp"

namespace kdev::crash {
namespace {

/// A folder for one conversion, gone with it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& attempted) {
    boost::system::error_code ec;
    std::string name = (boost::filesystem::temp_directory_path(ec) / "kdev-media-XXXXXX").string();
    if (ec || !::mkdtemp(name.data())) throw host_error(attempted, ec ? ec.value() : errno);
    path_ = name;
  }
  ~TemporaryFolder() {
    boost::system::error_code ec;
    boost::filesystem::remove_all(path_, ec);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const Path& path() const { return path_; }

 private:
  Path path_;
};

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

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
  boost::system::error_code ec;
  const Path folder = boost::filesystem::temp_directory_path(ec);
  if (ec) throw host_error(attempted, ec.value());
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
  // By its name, as a VM takes its disks: a guest could write such a header onto a raw one, naming files of
  // the host.
  if (image.extension() != ".qcow2") return file;
  const TemporaryFolder folder(attempted);
  const Path raw = folder.path() / "raw";
  const Path full = boost::filesystem::absolute(image);  // a name that begins with '-' is no option
  local_host()->check(
      attempted,
      {.argv = {"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "-S", "4k", full.string(), raw.string()}},
      {.deadline = deadline});
  return std::make_unique<FileBytes>(raw, attempted);  // the descriptor outlives the name
}

void SparseWriter::write(std::string_view bytes) {
  constexpr std::size_t block = 4096;
  while (!bytes.empty()) {
    // Whole blocks of the file: holes are no finer.
    const std::size_t n = std::min(bytes.size(), block - at_ % block);
    const auto part = bytes.substr(0, n);
    for (std::size_t done = 0; done < n && !all_zero(part);) {
      const ssize_t w = ::pwrite(fd_, part.data() + done, n - done, static_cast<off_t>(at_ + done));
      if (w < 0 && errno == EINTR) continue;
      if (w < 0) throw host_error(attempted_, errno);
      done += static_cast<std::size_t>(w);
    }
    at_ += n;
    bytes.remove_prefix(n);
  }
}

void SparseWriter::finish() {
  if (::ftruncate(fd_, static_cast<off_t>(at_)) != 0) throw host_error(attempted_, errno);
}

}  // namespace kdev::crash
