#pragma once
// config(8) of the tree, run alone: what makes a kernel's folder out of a configuration.
#include "guest/conf_rules.hpp"

namespace kdev::guest {

/// ConfRules::check().
void freebsd_run_config(const ConfCheck& request);

}  // namespace kdev::guest
