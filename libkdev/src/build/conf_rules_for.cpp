#include "build/conf_rules_for.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

#include "guest/guest.hpp"

namespace kdev {

const guest::ConfRules& conf_rules_for(Os os) {
  if (const guest::ConfRules* rules = guest::guest_for(os).conf()) return *rules;
  throw ConfigError({.attempted = "configure a kernel",
                     .reason = fmt::format("configuring {} is not there yet", os_title(os)),
                     .hint = "",
                     .log = {}});
}

}  // namespace kdev
