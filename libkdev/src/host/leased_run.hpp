#pragma once
// Running a program so that it cannot outlive its owner by more than the next call.
#include <kdev/host.hpp>
#include <string>

namespace kdev {

/// Host::run under a lease in `run`. Ends first what a dead owner left there: a make that goes on in an
/// output tree whose lock its owner's death has freed would meet the next one in it.
ProcessResult leased_run(Host& host, const Path& run, const std::string& name, Command command,
                         const RunOptions& options);

}  // namespace kdev
