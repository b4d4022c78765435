#pragma once
// What Kbuild writes down beside its outputs: .NAME.cmd (scripts/basic/fixdep.c, scripts/Kbuild.include)
// holds the command line and the dependencies of NAME.
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <vector>

namespace kdev::guest {

/// NAME of a file .NAME.cmd; empty for any other.
Path linux_recorded_output(const Path& file);
/// See BuildRules::half_written.
std::vector<Path> linux_half_written(Host& host, const std::vector<Path>& files);

}  // namespace kdev::guest
