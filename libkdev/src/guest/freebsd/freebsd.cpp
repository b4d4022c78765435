#include "guest/freebsd/freebsd.hpp"

namespace kdev::guest {

std::vector<BootPlan> FreebsdGuest::boot_plans(const BootRequest&) const {
  return {};
}

}  // namespace kdev::guest
