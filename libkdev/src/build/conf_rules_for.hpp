#pragma once
#include <kdev/source_tree.hpp>

#include "guest/conf_rules.hpp"

namespace kdev {

/// How kernels of this OS are configured. ConfigError where that is not there yet.
const guest::ConfRules& conf_rules_for(Os os);

}  // namespace kdev
