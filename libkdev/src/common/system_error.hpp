#pragma once
#include <kdev/error.hpp>
#include <string>

namespace kdev {

/// errno's text, thread-safe: "No such file or directory".
std::string errno_text(int error);
/// A HostError from errno, with a hint for the ones a person can do something about.
HostError host_error(std::string attempted, int error, Path log = {});

}  // namespace kdev
