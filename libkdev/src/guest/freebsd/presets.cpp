#include "guest/freebsd/presets.hpp"

#include <string>

namespace kdev::guest {
namespace {

struct Row {
  const char* option;
  const char* value;
  bool wanted = true;
};

std::vector<ConfSetting> settings_of(const std::vector<Row>& rows, const std::string& origin) {
  std::vector<ConfSetting> settings;
  for (const Row& row : rows) settings.push_back({row.option, row.value, origin, row.wanted});
  return settings;
}

// MINIMAL has what a machine needs to come up; this adds what a virtual one has, and leaves out what only
// takes time. Hardly any of it is insisted on: trees differ.
const std::vector<Row> tiny = {
    {"ident", "KDEV", true},
    {"makeoptions WITH_CTF", "n", false},  // for DTrace; would need ctfconvert built first
    {"options DDB_CTF", "n", false},
    {"makeoptions MODULES_OVERRIDE", "", true},  // none but those asked for
    {"device uart", "y", false},                 // the console
    {"device virtio", "y", false},
    {"device virtio_pci", "y", false},
    {"device virtio_blk", "y", false},
    {"device virtio_console", "y", false},
    {"device virtio_random", "y", false},
    {"device vtnet", "y", false},
    {"device md", "y", false},
    {"options MD_ROOT", "y", false},
    {"options TMPFS", "y", false},
    {"options GEOM_LABEL", "y", false},
    {"options GEOM_PART_GPT", "y", false},
};

// What a kernel under development is built with: a debugger at hand, and the checks on.
const std::vector<Row> debug = {
    {"makeoptions DEBUG", "-g"},
    {"options INVARIANTS", "y"},
    {"options INVARIANT_SUPPORT", "y"},
    {"options WITNESS", "y"},
    {"options GZIO", "y"},  // dumps that are compressed
    {"options ZSTDIO", "y"},
    {"options WITNESS_SKIPSPIN", "y"},  // spin locks are too hot for it
    {"options KDB", "y"},
    {"options KDB_TRACE", "y"},
    {"options DDB", "y"},
    {"options GDB", "y"},
    {"options BREAK_TO_DEBUGGER", "y"},
    {"options ALT_BREAK_TO_DEBUGGER", "y"},
    {"options DEADLKRES", "y"},
    {"options INCLUDE_CONFIG_FILE", "y", false},
};

// GENERIC with nothing optimised away; frames are larger so.
const std::vector<Row> debug0 = {
    {"ident", "DEBUG0"},
    {"makeoptions DEBUG", "-g -O0"},
    {"options KSTACK_PAGES", "16"},
};

// What GENERIC-NODEBUG takes away: the kernel as it is shipped.
const std::vector<Row> release = {
    {"options INVARIANTS", "n", false},
    {"options INVARIANT_SUPPORT", "n", false},
    {"options WITNESS", "n", false},
    {"options WITNESS_SKIPSPIN", "n", false},
    {"options BUF_TRACKING", "n", false},
    {"options FULL_BUF_TRACKING", "n", false},
    {"options DEADLKRES", "n", false},
    {"options COVERAGE", "n", false},
    {"options KCOV", "n", false},
    {"options MALLOC_DEBUG_MAXZONES", "n", false},
    {"options DEBUG_VFS_LOCKS", "n", false},
    {"options DIAGNOSTIC", "n", false},
    {"options QUEUE_MACRO_DEBUG_TRASH", "n", false},
};

Preset preset(const char* name, const char* summary, const std::vector<Row>& rows) {
  return {name, summary, settings_of(rows, std::string("preset ") + name), {}};
}

}  // namespace

const std::vector<ConfSetting>& freebsd_tiny_settings() {
  static const std::vector<ConfSetting> settings = settings_of(tiny, "base tiny");
  return settings;
}

const std::vector<Preset>& freebsd_presets() {
  static const std::vector<Preset> presets = {
      preset("debug", "debuggers (ddb, gdb) and the checks of a kernel under development", debug),
      preset("debug0", "nothing optimised away (-O0), larger kernel stacks", debug0),
      preset("release", "no checks: the kernel as it is shipped", release),
  };
  return presets;
}

}  // namespace kdev::guest
