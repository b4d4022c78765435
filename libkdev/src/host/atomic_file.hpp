#pragma once
#include <kdev/path.hpp>
#include <string_view>

#include "host/unique_fd.hpp"

namespace kdev {

/// A file that appears whole, under its name, with commit(), or not at all. Its temporary lies beside it,
/// locked while it is written: what a killed process left is told apart from what a living one is writing,
/// and removed by the next AtomicFile in that folder. Move-less; not thread-safe, but any number may write
/// the same target at once.
class AtomicFile {
 public:
  /// HostError when the folder cannot be written to.
  explicit AtomicFile(const Path& target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// HostError (disk full).
  void write(std::string_view bytes);
  /// For what is not written from front to back.
  int descriptor() const { return fd_.get(); }
  /// To disk, then under its name, with these permissions. HostError.
  void commit(unsigned mode = 0644);

 private:
  Path target_, temporary_;
  UniqueFd fd_;
};

}  // namespace kdev
