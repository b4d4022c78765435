#pragma once
// A character device of QEMU's over two named pipes, as one stream.
#include <cstdint>
#include <kdev/path.hpp>
#include <string>
#include <thread>

#include "host/unique_fd.hpp"

namespace kdev::hypervisor {

/// For devices whose output is recorded: a full socket makes QEMU wait for room at moments that no replay
/// repeats, and one is full after 300 single characters. A pipe takes a megabyte of them.
class PipePort {
 public:
  /// Makes FOLDER/NAME.in and NAME.out ("-chardev pipe,path=FOLDER/NAME"), and `stream`, the other end of
  /// which is whoever reads the device's. HostError.
  PipePort(const Path& folder, const std::string& name, UniqueFd& stream);
  ~PipePort();
  PipePort(const PipePort&) = delete;
  PipePort& operator=(const PipePort&) = delete;

  /// The device's process has ended: the stream ends behind what it printed last, as soon as that was read.
  void finish();

 private:
  void wake(std::uint64_t why);
  void carry();

  UniqueFd in_, out_, stream_, wake_;
  std::thread thread_;
};

}  // namespace kdev::hypervisor
