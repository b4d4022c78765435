#pragma once
#include <cstdint>
#include <kdev/deadline.hpp>
#include <kdev/path.hpp>
#include <string>
#include <vector>

#include "guest/core_rules.hpp"
#include "host/unique_fd.hpp"

namespace kdev::crash {

/// A file's bytes as they are. HostError when it cannot be read.
class FileBytes final : public guest::CoreBytes {
 public:
  explicit FileBytes(const Path& path, const std::string& attempted);
  FileBytes(UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  bool read(std::uint64_t offset, void* to, std::size_t size) const override;
  int descriptor() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::uint64_t size_ = 0;
};

/// A temporary without a name, so that nobody need remove it. HostError.
UniqueFd nameless_file(const std::string& attempted);

/// The bytes of a disk image: of a raw one its own, of a qcow2 those of a sparse temporary.
std::unique_ptr<FileBytes> open_media(const Path& image, const std::string& attempted,
                                      const Deadline& deadline);

/// A part of a medium. 0: the whole.
struct Partition {
  int number = 0;
  std::string name{};
  std::uint64_t offset = 0, size = 0;  ///< bytes
};

/// The medium itself, then what its GUID partition table (UEFI specification, chapter 5) or its master boot
/// record lists. A table with a wrong checksum is taken for none, as a medium has a second one.
std::vector<Partition> partitions(const guest::CoreBytes& media);

}  // namespace kdev::crash
