// Where a boot of FreeBSD stops and waits for somebody at the console.
#include <re2/re2.h>

#include <memory>
#include <vector>

#include "guest/console_rules.hpp"
#include "guest/freebsd/console_formats.hpp"

namespace kdev::guest {
namespace {

const std::vector<BootPrompt>& prompts() {
  static const std::vector<BootPrompt> table = {
      // sbin/init/init.c, single_user()
      {.pattern = R"(Enter full pathname of shell or RETURN for \S+: ?)",
       .where = "in single user mode: init asks for a shell",
       .hint = "boot without -s; without it, /etc/rc has failed: the console says at what"},
      {.pattern = R"((?:root@\S*:?\S* )?# )",
       .where = "at a shell's prompt on the console",
       .hint = "boot without -s; without it, /etc/rc has failed: the console says at what"},
      // kern/vfs_mountroot.c
      {.pattern = R"(mountroot> ?)",
       .where = "at the mountroot> prompt: the kernel found no root file system",
       .hint =
           "name one that is there with vfs.root.mountfrom; the console lists the disks that the kernel has"},
      // stand/common/interp.c: lua and forth, then the simple one
      {.pattern = R"(OK ?|loader> ?)",
       .where = "at the loader's prompt: the boot was stopped or it could not load the kernel",
       .hint = "look at what the loader says above it: kernel and modules are taken from /boot of the disk"},
      // stand/i386/boot2/boot2.c, gptboot.c
      {.pattern = R"(boot: ?)",
       .where = "at the boot blocks' prompt: there is no loader on the disk",
       .hint = "is /boot/loader on the disk's first UFS file system?"},
      // The firmware's own
      {.pattern = R"(Shell> ?)",
       .where = "in the firmware's shell: no disk could be booted",
       .hint = "does the disk have an EFI system partition with EFI/BOOT/BOOTX64.EFI?"},
  };
  return table;
}

}  // namespace

const BootPrompt* freebsd_boot_prompt(std::string_view line) {
  static const auto* compiled = [] {
    auto* list = new std::vector<std::unique_ptr<RE2>>;  // never destroyed: threads may ask at exit
    for (const BootPrompt& prompt : prompts())
      list->push_back(std::make_unique<RE2>(re2::StringPiece(prompt.pattern.data(), prompt.pattern.size())));
    return list;
  }();
  while (line.ends_with('\r')) line.remove_suffix(1);
  line = line.substr(line.rfind('\r') + 1);
  if (line.empty() || line.size() > 200) return nullptr;
  for (std::size_t i = 0; i < compiled->size(); ++i)
    if (RE2::FullMatch(re2::StringPiece(line.data(), line.size()), *(*compiled)[i])) return &prompts()[i];
  return nullptr;
}

}  // namespace kdev::guest
