// dumpon(8), savecore(8), rc.conf(5), loader(8), and the sysctls of sys/kern/kern_shutdown.c and
// sys/kern/vfs_subr.c.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "common/size.hpp"
#include "guest/dump_rules.hpp"
#include "guest/freebsd/freebsd.hpp"

namespace kdev::guest {
namespace {

constexpr const char *rc_conf = "/etc/rc.conf", *loader_conf = "/boot/loader.conf",
                     *sysctl_conf = "/etc/sysctl.conf";
using Action = ConfEdit::Action;

[[noreturn]] void refuse(std::string reason, std::string hint) {
  throw ConfigError(
      {.attempted = "apply dump settings", .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}

std::vector<std::pair<std::string, std::string>> sysctls(const DumpSettings& s) {
  std::vector<std::pair<std::string, std::string>> set;
  auto add = [&](const char* name, const std::optional<int>& value) {
    if (!value) return;
    // The syncer's wheel has 32 slots of a second (SYNCER_MAXDELAY).
    if (*value < 0 || *value > 32) refuse(fmt::format("{} of {} s", name, *value), "0 to 32 seconds");
    set.emplace_back(name, std::to_string(*value));
  };
  add("kern.filedelay", s.file_delay);
  add("kern.dirdelay", s.directory_delay);
  add("kern.metadelay", s.metadata_delay);
  return set;
}

std::vector<std::pair<std::string, std::string>> tunables(const DumpSettings& s) {
  std::vector<std::pair<std::string, std::string>> set;
  if (s.enter_debugger) set.emplace_back("debug.debugger_on_panic", *s.enter_debugger ? "1" : "0");
  if (s.full) set.emplace_back("debug.minidump", *s.full ? "0" : "1");
  return set;
}

/// dumpon(8)'s option.
const char* option_of(const DumpSettings& s) {
  if (s.compression == Compression::none) return nullptr;
  if (s.device.empty() || s.device == "NO")
    refuse("the dump is to be compressed, but has no device", "set device, too");
  return s.compression == Compression::gzip ? "-z" : "-Z";
}

std::string bare_device(const std::string& device) {
  return device.starts_with("/dev/") ? device.substr(5) : device;
}

class FreebsdDumpRules final : public DumpRules {
 public:
  std::vector<ConfEdit> image_edits(const DumpSettings& s) const override {
    std::vector<ConfEdit> edits;
    auto set = [&](const char* file, const std::string& name, const std::string& value) {
      edits.push_back({.action = Action::set, .file = file, .name = name, .value = value});
    };
    if (!s.device.empty()) {
      const bool named = s.device != "AUTO" && s.device != "NO";
      set(rc_conf, "dumpdev", named ? "/dev/" + bare_device(s.device) : s.device);
      // The kernel itself takes it from there (sys/geom/geom_dev.c): from the first moment on, and without
      // rc.
      if (named) set(loader_conf, "dumpdev", bare_device(s.device));
    }
    // Before the one that the kernel took from its environment.
    if (const char* option = option_of(s)) set(rc_conf, "dumpon_flags", fmt::format("-i 0 {}", option));
    if (!s.directory.empty()) set(rc_conf, "dumpdir", s.directory);
    if (s.background_fsck) set(rc_conf, "background_fsck", *s.background_fsck ? "YES" : "NO");
    if (!s.memory.empty()) {
      parse_size(s.memory, "the memory limit of a kernel", 1);
      set(loader_conf, "hw.physmem", s.memory);
    }
    for (const auto& [name, value] : tunables(s)) set(loader_conf, name, value);
    for (const auto& [name, value] : sysctls(s))
      edits.push_back({.action = Action::remove, .file = sysctl_conf, .name = name, .value = {}});
    for (const auto& [name, value] : sysctls(s))  // as people write it there
      edits.push_back({.action = Action::line, .file = sysctl_conf, .name = {}, .value = name + "=" + value});
    return edits;
  }

  std::vector<std::vector<std::string>> commands(const DumpSettings& s) const override {
    for (const auto& [given, what] : {std::pair{!s.directory.empty(), "a directory for dumps"},
                                      {!s.memory.empty(), "a memory limit"},
                                      {s.background_fsck.has_value(), "when file systems are checked"},
                                      {s.device == "AUTO", "a dump device by AUTO"}})
      if (given)
        refuse(fmt::format("{} takes effect with a boot", what),
               "SeedImage.dump_settings() puts it into the image");
    const char* const option = option_of(s);
    std::vector<std::vector<std::string>> commands;
    if (s.device == "NO") {
      commands.push_back({"dumpon", "off"});
    } else if (!s.device.empty()) {
      // First of the list: what was set before is taken only when this one fails.
      commands.push_back({"dumpon", "-i", "0"});
      if (option) commands.back().push_back(option);
      commands.back().push_back("/dev/" + bare_device(s.device));
    }
    for (const auto& list : {tunables(s), sysctls(s)})
      for (const auto& [name, value] : list) commands.push_back({"sysctl", name + "=" + value});
    return commands;
  }
};

}  // namespace

const DumpRules& freebsd_dump_rules() {
  static const FreebsdDumpRules rules;
  return rules;
}

}  // namespace kdev::guest
