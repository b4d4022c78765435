// Does KVM really run guests here? /dev/kvm can open, create a VM and still hang every guest, so a tiny one
// is run: a firmware image of 64 KiB whose reset vector leaves through QEMU's isa-debug-exit device.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <kdev/error.hpp>
#include <kdev/vm.hpp>
#include <map>
#include <mutex>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "hypervisor/qemu/qemu.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

constexpr int exit_port = 0xf4;
constexpr int exit_value = 0x21;
constexpr Seconds probe_limit{5};

/// The image is mapped to end at the reset vector, 16 bytes below 4 GiB (Intel SDM vol. 3, 9.1.4).
std::string probe_firmware() {
  std::string image(65536, '\xf4');                                        // hlt
  const unsigned char code[] = {0xb0, exit_value, 0xe6, exit_port, 0xf4};  // mov al, value; out port, al; hlt
  std::copy(std::begin(code), std::end(code), image.end() - 16);
  return image;
}

/// Why there is no KVM, as far as that can be seen without a guest.
std::optional<AccelProbe> obvious_verdict() {
  Host& host = *local_host();
  if (!host.which(hypervisor::qemu_program()))
    return AccelProbe{Accel::tcg, hypervisor::qemu_program() + " is not installed"};
  if (!host.exists("/dev/kvm")) return AccelProbe{Accel::tcg, "there is no /dev/kvm"};
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return AccelProbe{Accel::tcg, "no permission to open /dev/kvm (is the user in group kvm?)"};
  return {};
}

AccelProbe run_probe() {
  Host& host = *local_host();
  const fs::path dir = fs::temp_directory_path() / fs::unique_path("kdev-probe-%%%%%%%%");
  struct Remove {
    const fs::path& dir;
    ~Remove() {
      boost::system::error_code ignored;
      fs::remove_all(dir, ignored);
    }
  } remove{dir};
  host.make_directories(dir);
  host.write_file(dir / "probe.bin", probe_firmware());
  Command command{.argv = {hypervisor::qemu_program(), "-nodefaults", "-no-user-config", "-display", "none",
                           "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "16M", "-no-reboot",
                           "-bios", (dir / "probe.bin").string(), "-device",
                           fmt::format("isa-debug-exit,iobase={:#x},iosize=1", exit_port)},
                  .cwd = {},
                  .env = {},
                  .unset_env = {},
                  .input = ""};
  RunOptions options;
  options.deadline = Deadline::after(probe_limit);
  options.grace = Seconds(0.2);
  try {
    ProcessResult result = host.run(command, options);
    // isa-debug-exit makes QEMU exit with (value << 1) | 1.
    if (result.status.code == ((exit_value << 1) | 1)) return {Accel::kvm, "a tiny guest ran under KVM"};
    return {Accel::tcg, fmt::format("a tiny guest did not run under KVM: QEMU ended with {}: {}",
                                    describe(result.status), result.err.substr(0, result.err.find('\n')))};
  } catch (const TimeoutError&) {
    return {Accel::tcg,
            fmt::format("/dev/kvm opens, but a tiny guest did not run within {:.0f} s", probe_limit.count())};
  }
}

/// A folder that only this user can have put anything into. Nothing: there is none, and nothing is kept.
std::optional<fs::path> cache_folder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const fs::path dir = fs::path(runtime && *runtime ? runtime : "/tmp") / fmt::format("kdev-{}", ::getuid());
  // In /tmp anybody may have made it first.
  struct stat st {};
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return {};
  if (::lstat(dir.c_str(), &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != ::getuid() ||
      (st.st_mode & 0022) != 0)
    return {};
  return dir;
}

/// One verdict a boot of this machine, user and QEMU binary.
fs::path verdict_file(const fs::path& folder, const std::string& program) {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  in >> boot_id;
  return folder / fmt::format("accel-{}-{}.json", boot_id.substr(0, 13), sha256(program).substr(0, 12));
}

std::optional<AccelProbe> read_verdict(const fs::path& file, const std::string& program) {
  try {
    const json::object o = json::parse_object(local_host()->read_file(file), "accelerator verdict");
    if (json::get_string(o, "program") == program)
      return AccelProbe{json::get_string(o, "accel") == "kvm" ? Accel::kvm : Accel::tcg,
                        json::get_string(o, "reason")};
  } catch (const Error&) {
    // No verdict yet, or one that cannot be read.
  }
  return {};
}

}  // namespace

AccelProbe probe_accel(bool use_cache) {
  static std::mutex mutex;
  static std::map<std::string, AccelProbe> known;
  std::lock_guard lock(mutex);
  // What takes no guest to find out may be otherwise a minute later, and is not kept.
  if (auto why_not = obvious_verdict()) return *why_not;
  const std::string program =
      local_host()->which(hypervisor::qemu_program()).value_or(Path(hypervisor::qemu_program())).string();
  const std::optional<fs::path> folder = cache_folder();
  if (use_cache) {
    if (auto found = known.find(program); found != known.end()) return found->second;
    if (folder)
      if (auto verdict = read_verdict(verdict_file(*folder, program), program))
        return known[program] = *verdict;
  }
  const AccelProbe probe = run_probe();
  known[program] = probe;
  try {
    const json::object verdict{
        {"accel", probe.accel == Accel::kvm ? "kvm" : "tcg"}, {"reason", probe.reason}, {"program", program}};
    if (folder) local_host()->write_file(verdict_file(*folder, program), json::dump(verdict));
  } catch (const std::exception&) {
    // Without a cache the next process probes again.
  }
  return probe;
}

}  // namespace kdev
