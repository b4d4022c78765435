#pragma once
// The make command lines of a Linux tree, the same for configuring and building, so that one never undoes the
// other.
#include <string>
#include <vector>

#include "guest/build_rules.hpp"

namespace kdev::guest {

/// make -C SOURCE O=OBJ -jN VAR=VALUE... TARGET..., with an environment in which nothing of the caller's own
/// reaches Kbuild or the compiler, and fixed values for what would differ between two builds of the same
/// thing.
Command linux_make(const MakeRequest& request);

/// Program of a Kbuild variable: "CC" -> "gcc", "LD" -> "ld.lld" with LLVM=1, CROSS_COMPILE in front, or what
/// the user set it to (its first word).
std::string linux_tool(const std::string& variable, const Variables& variables);

/// The ARCH that is built for: the user's, else this machine's.
std::string linux_arch(const Variables& variables);

}  // namespace kdev::guest
