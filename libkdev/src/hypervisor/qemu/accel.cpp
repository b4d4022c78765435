// Does KVM really run guests here? /dev/kvm can open, create a VM and still hang every guest, so a tiny one is run: a
// firmware image of 64 KiB whose reset vector leaves through QEMU's isa-debug-exit device.
#include <cstdlib>
#include <fstream>
#include <mutex>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <kdev/error.hpp>
#include <kdev/vm.hpp>

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
  std::string image(65536, '\xf4');  // hlt
  const unsigned char code[] = {0xb0, exit_value, 0xe6, exit_port, 0xf4};  // mov al, value; out port, al; hlt
  std::copy(std::begin(code), std::end(code), image.end() - 16);
  return image;
}

AccelProbe run_probe() {
  Host& host = *local_host();
  if (!host.which(hypervisor::qemu_program())) return {Accel::tcg, hypervisor::qemu_program() + " is not installed"};
  if (!host.exists("/dev/kvm")) return {Accel::tcg, "there is no /dev/kvm"};
  if (::access("/dev/kvm", R_OK | W_OK) != 0) return {Accel::tcg, "no permission to open /dev/kvm (is the user in group kvm?)"};

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
  Command command{.argv = {hypervisor::qemu_program(), "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35",
                           "-accel", "kvm", "-cpu", "host", "-m", "16M", "-no-reboot", "-bios", (dir / "probe.bin").string(),
                           "-device", fmt::format("isa-debug-exit,iobase={:#x},iosize=1", exit_port)},
                  .cwd = {}, .env = {}, .unset_env = {}, .input = ""};
  RunOptions options;
  options.deadline = Deadline::after(probe_limit);
  options.grace = Seconds(0.2);
  try {
    ProcessResult result = host.run(command, options);
    // isa-debug-exit makes QEMU exit with (value << 1) | 1.
    if (result.status.code == ((exit_value << 1) | 1)) return {Accel::kvm, "a tiny guest ran under KVM"};
    return {Accel::tcg, fmt::format("a tiny guest did not run under KVM: QEMU ended with {}: {}", describe(result.status),
                                    result.err.substr(0, result.err.find('\n')))};
  } catch (const TimeoutError&) {
    return {Accel::tcg, fmt::format("/dev/kvm opens, but a tiny guest did not run within {:.0f} s", probe_limit.count())};
  }
}

/// One verdict a boot of this machine, user and QEMU binary.
fs::path cache_file() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  in >> boot_id;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  fs::path dir = runtime && *runtime ? fs::path(runtime) : fs::path("/tmp");
  return dir / fmt::format("kdev-{}", ::getuid()) / fmt::format("accel-{}.json", boot_id.substr(0, 13));
}

}  // namespace

AccelProbe probe_accel(bool use_cache) {
  static std::mutex mutex;
  static std::optional<AccelProbe> known;
  std::lock_guard lock(mutex);
  if (use_cache && known) return *known;
  Host& host = *local_host();
  const fs::path file = cache_file();
  const std::string program = host.which(hypervisor::qemu_program()).value_or(Path()).string();
  if (use_cache) {
    try {
      json::object o = json::parse_object(host.read_file(file), "accelerator verdict");
      if (json::get_string(o, "program") == program)
        return *(known = AccelProbe{json::get_string(o, "accel") == "kvm" ? Accel::kvm : Accel::tcg, json::get_string(o, "reason")});
    } catch (const Error&) {
      // No verdict yet, or one that cannot be read: probe.
    }
  }
  known = run_probe();
  try {
    host.make_directories(file.parent_path());
    fs::permissions(file.parent_path(), fs::owner_all);
    host.write_file(file, json::dump(json::object{{"accel", known->accel == Accel::kvm ? "kvm" : "tcg"}, {"reason", known->reason}, {"program", program}}));
  } catch (const std::exception&) {
    // Without a cache the next process probes again.
  }
  return *known;
}

}  // namespace kdev
