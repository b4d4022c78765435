#include <fmt/format.h>
#include <sys/random.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>

#include "common/system_error.hpp"
#include "guest/freebsd/direct_image.hpp"
#include "guest/freebsd/freebsd.hpp"

namespace kdev::guest {
namespace {

namespace fs = boost::filesystem;

/// What people write behind "boot" at the loader's prompt or into loader.conf: "-s -v name=value name="a b"".
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool any = false, quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (quoted)
    throw ConfigError({.attempted = "read the kernel's variables",
                       .reason = fmt::format("a quote is left open in {}", text),
                       .hint = {},
                       .log = {}});
  if (any) words.push_back(word);
  return words;
}

/// stand/common/boot.c and sys/sys/reboot.h
std::uint32_t howto_of(const std::string& flags) {
  std::uint32_t howto = rb_serial;
  for (const char c : flags) {
    if (c == 's') howto |= rb_single;
    if (c == 'v') howto |= rb_verbose;
    if (c == 'd') howto |= rb_kdb;
  }
  return howto;
}

/// NAME_load="YES" of loader.conf; NAME_name says which file, if it is not NAME.ko of the kernel's own.
Path module_file(const KernelArtifact& kernel, const std::string& name,
                 const std::map<std::string, std::string>& environment) {
  const auto given = environment.find(name + "_name");
  const Path file = given == environment.end() ? Path(name + ".ko") : Path(given->second);
  if (file.is_absolute()) return file;
  for (const Path& folder : {kernel.modules, kernel.modules / "boot/kernel", kernel.image.parent_path()}) {
    boost::system::error_code ec;
    if (!folder.empty() && fs::is_regular_file(folder / file, ec)) return folder / file;
  }
  throw ConfigError(
      {.attempted = fmt::format("preload module {} ({}_load)", name, name),
       .reason = fmt::format("{} is not among the modules of kernel {}", file.string(), kernel.release),
       .hint = fmt::format("build it with the kernel, or let {}_name be its full path", name),
       .log = {}});
}

bool is_yes(const std::string& value) {
  return value == "YES" || value == "yes" || value == "Yes" || value == "1";
}

}  // namespace

std::vector<BootPlan> FreebsdGuest::boot_plans(const BootRequest& request) const {
  const KernelArtifact& kernel = request.kernel;
  if (kernel.image.empty()) return {};
  BootPlan plan{BootPlan::Kind::direct_multiboot, kernel.image, request.initrd, ""};
  plan.environment = {{"hw.uart.console", "io:0x3f8,br:115200"}};
  // Nobody is at a screen or keyboard there, and looking for a mouse alone takes a second.
  for (const char* device : {"atkbdc", "atkbd", "psm", "vga", "sc", "orm"})
    plan.environment[fmt::format("hint.{}.0.disabled", device)] = "1";
  if (!request.initrd.empty()) {
    plan.environment["vfs.root.mountfrom"] = "ufs:/dev/md0";
    plan.environment["vfs.root.mountfrom.options"] = "rw";
  }
  if (request.agent) plan.environment["init_path"] = "/init";
  std::vector<std::string> loaded;
  for (const std::string& word : words_of(request.cmdline)) {
    const std::size_t equals = word.find('=');
    if (word.starts_with('-') && word.find_first_not_of("-svd") == std::string::npos && word.size() > 1) {
      plan.cmdline += (plan.cmdline.empty() ? "" : " ") + word;
    } else if (equals != std::string::npos && equals > 0) {
      const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
      plan.environment[name] = value;
      if (name.ends_with("_load") && is_yes(value)) loaded.push_back(name.substr(0, name.size() - 5));
    } else {
      throw ConfigError({.attempted = "read the kernel's variables",
                         .reason = fmt::format("\"{}\" is no NAME=VALUE, and none of -s, -v and -d", word),
                         .hint = "write them as loader.conf has them: kern.maxusers=64 nullfs_load=YES",
                         .log = {}});
    }
  }
  for (const std::string& name : loaded) plan.modules.push_back(module_file(kernel, name, plan.environment));
  return {plan};
}

BootPlan FreebsdGuest::prepare(BootPlan plan, const Path& dir) const {
  DirectImage image{.kernel = plan.kernel,
                    .root = plan.initrd,
                    .modules = plan.modules,
                    .entropy = std::string(4096, '\0'),
                    .environment = plan.environment,
                    .howto = howto_of(plan.cmdline)};
  for (std::size_t done = 0; done < image.entropy.size();) {
    const ssize_t n = ::getrandom(image.entropy.data() + done, image.entropy.size() - done, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error("get random bytes for a guest", errno);
    done += static_cast<std::size_t>(n);
  }
  const Path file = dir / "direct.elf";
  write_direct_image(image, file);
  return {BootPlan::Kind::direct_multiboot, file, {}, {}};
}

}  // namespace kdev::guest
