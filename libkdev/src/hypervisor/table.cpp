#include "hypervisor/hypervisor.hpp"
#include "hypervisor/qemu/qemu.hpp"

namespace kdev::hypervisor {

const std::vector<const Hypervisor*>& all_hypervisors() {
  static const Qemu qemu;
  static const std::vector<const Hypervisor*> table{&qemu};
  return table;
}

}  // namespace kdev::hypervisor
