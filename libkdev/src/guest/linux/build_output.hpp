#pragma once
// What Kbuild and Linux's own tools print (scripts/Kbuild.include: "quiet_cmd_cc_o_c = CC $(quiet_modtag)
// $@").
#include <kdev/error.hpp>
#include <optional>
#include <string_view>

namespace kdev::guest {

/// "  CC      kernel/fork.o" -> "kernel/fork.o"; empty for a line that makes no object.
std::string_view linux_made_object(std::string_view line);
/// "  LD [M]  /dir/hello.ko" -> "/dir/hello.ko"; empty otherwise.
std::string_view linux_made_module(std::string_view line);
/// Messages of objtool, modpost, kconfig and the scripts of Kbuild.
std::optional<Diagnostic> linux_diagnostic(std::string_view line);

}  // namespace kdev::guest
