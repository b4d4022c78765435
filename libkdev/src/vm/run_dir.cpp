#include "vm/run_dir.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <kdev/error.hpp>

#include "hypervisor/hypervisor.hpp"

namespace kdev::vm {
namespace fs = boost::filesystem;
namespace {

// Logs are small and wanted after a failure; a test farm makes thousands.
constexpr std::size_t logs_kept = 200;

void make_private(const Path& dir) {
  local_host()->make_directories(dir.parent_path());
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
    throw HostError(
        {.attempted = "create " + dir.string(), .reason = std::strerror(errno), .hint = "", .log = {}});
}

Path user_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache && *cache) return Path(cache) / "kdev";
  if (home && *home) return Path(home) / ".cache" / "kdev";
  const Path dir = Path("/tmp") / fmt::format("kdev-{}", ::getuid());
  make_private(dir);
  // Anybody may have made it first, and guests' sockets go there.
  struct stat st {};
  if (::lstat(dir.c_str(), &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != ::getuid())
    throw HostError({.attempted = "use " + dir.string(),
                     .reason = "it is another user's",
                     .hint = "set HOME, or VmSpec::run_dir",
                     .log = {}});
  return dir;
}

/// The workspace that a kernel came from: its artifact lies in WORKSPACE/artifacts/ID.
Path workspace_of(const KernelArtifact& kernel) {
  const Path store = kernel.dir.parent_path();
  return store.filename() == "artifacts" && fs::exists(store.parent_path() / "workspace.json")
             ? store.parent_path()
             : Path();
}

void prune(const Path& logs) {
  std::vector<std::pair<std::time_t, Path>> files;
  boost::system::error_code ignored;
  for (fs::directory_iterator it(logs, ignored), end; it != end; it.increment(ignored))
    files.emplace_back(fs::last_write_time(it->path(), ignored), it->path());
  if (files.size() <= logs_kept) return;
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i + logs_kept < files.size(); ++i) fs::remove(files[i].second, ignored);
}

}  // namespace

RunDir::RunDir(const VmSpec& spec, const std::string& vm) {
  static std::atomic<unsigned> counter{0};
  const Path workspace = workspace_of(spec.kernel);
  const Path base = !spec.run_dir.empty() ? spec.run_dir
                    : !workspace.empty()  ? workspace / "run"
                                          : user_folder() / "run";
  image_cache_ = (workspace.empty() ? user_folder() : workspace / "artifacts") / "images";
  make_private(base);
  // A workspace reaps when it is opened; here it is for whoever uses only VMs, whose owner may have died a
  // minute ago.
  reap_leases(base);
  const Path logs = base / "logs";
  make_private(logs);
  prune(logs);
  const std::string unique = fmt::format("{}-{}-{}", vm, ::getpid(), ++counter);
  path_ = base / unique;
  console_log_ = logs / (unique + ".console.log");
  tape_ = logs / unique;
  hypervisor_log_ =
      logs / (unique + "." + boost::algorithm::to_lower_copy(hypervisor::all_hypervisors().front()->name()) +
              ".log");
  lease_ = Lease::create(base, unique);
  lease_.add_path(path_);
  make_private(path_);
}

RunDir::~RunDir() {
  if (!lease_) return;
  boost::system::error_code ignored;
  fs::remove_all(path_, ignored);
  // An empty log says nothing.
  if (fs::exists(hypervisor_log_, ignored) && fs::file_size(hypervisor_log_, ignored) == 0)
    fs::remove(hypervisor_log_, ignored);
  lease_.release();
}

}  // namespace kdev::vm
