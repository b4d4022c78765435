#include "guest/linux/linux.hpp"

namespace kdev::guest {

std::vector<BootPlan> LinuxGuest::boot_plans(const BootRequest& request) const {
  return linux_boot_plans(request);
}
const ConfRules* LinuxGuest::conf() const {
  return &linux_conf_rules();
}
const BuildRules* LinuxGuest::build() const {
  return &linux_build_rules();
}
const ConsoleRules* LinuxGuest::console() const {
  return &linux_console_rules();
}
const CoreRules* LinuxGuest::core() const {
  return &linux_core_rules();
}

}  // namespace kdev::guest
