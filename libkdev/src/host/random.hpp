#pragma once
#include <string>

namespace kdev {
/// 32 hex digits from the kernel's generator: names that no two processes choose alike.
std::string random_token();
}  // namespace kdev
