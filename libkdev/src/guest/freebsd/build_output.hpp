#pragma once
// What a FreeBSD build prints.
#include <kdev/error.hpp>
#include <optional>
#include <string_view>

namespace kdev::guest {

// See the functions of BuildRules with these names.
std::string_view freebsd_made_object(std::string_view line);
std::string_view freebsd_headline(std::string_view line);
std::optional<Diagnostic> freebsd_diagnostic(std::string_view line);

}  // namespace kdev::guest
