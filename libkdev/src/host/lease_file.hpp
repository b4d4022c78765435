#pragma once
// What a lease file says: shared by who writes it (Lease) and who reads it (reap_leases).
#include <kdev/path.hpp>
#include <string>
#include <utility>
#include <vector>

namespace kdev {

/// Who holds a lease. A pid alone would come round again.
struct LeaseOwner {
  int pid = 0;
  unsigned long long start_time = 0;
  std::string boot_id, pid_namespace, machine_id;

  /// This process.
  static LeaseOwner self();
  /// From an earlier boot of this machine: none of its processes and network links can exist any more.
  bool of_earlier_boot() const;
  /// True only when that is certain: not for another machine that shares the folder, or another PID
  /// namespace.
  bool is_dead() const;
};

struct LeaseFile {
  LeaseOwner owner;
  std::string token;
  std::vector<std::pair<int, unsigned long long>> processes;
  std::vector<Path> paths;
  std::vector<std::vector<std::string>> undo;
};

std::string to_json(const LeaseFile& lease);
/// FormatError.
LeaseFile lease_from_json(const std::string& text);

/// "vm0" from ".../vm0.lease".
std::string lease_name(const Path& file);

/// Reaps one file when its owner is dead; as reap_leases().
std::vector<std::string> reap_lease(const Path& file);

}  // namespace kdev
