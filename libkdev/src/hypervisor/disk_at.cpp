#include "hypervisor/hypervisor.hpp"

namespace kdev::hypervisor {

MachineDisk disk_at(const Path& file) {
  return {.file = file,
          .format = file.extension() == ".qcow2" ? MachineDisk::Format::qcow2 : MachineDisk::Format::raw};
}

}  // namespace kdev::hypervisor
