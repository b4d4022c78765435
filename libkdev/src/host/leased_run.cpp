#include "host/leased_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "host/lease.hpp"

namespace kdev {

ProcessResult leased_run(Host& host, const Path& run, const std::string& name, Command command,
                         const RunOptions& options) {
  reap_leases(run);
  Lease lease = Lease::create(run, fmt::format("{}-{}", name, ::getpid()));
  command.env["KDEV_LEASE"] = lease.token();
  ProcessResult result = host.run(command, options);
  lease.release();
  return result;
}

}  // namespace kdev
