#include "debug/modules_script.hpp"

namespace kdev::debug {

std::string_view modules_script() {
  static constexpr std::string_view script = R"PY(
import json
import struct

import gdb


def kdev_quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def kdev_section_names(path):
    """Of a 64-bit little-endian ELF file, by their places in its table (elf(5))."""
    with open(path, "rb") as file:
        header = file.read(64)
        table = struct.unpack_from("<Q", header, 40)[0]
        size, count, strings = struct.unpack_from("<3H", header, 58)
        file.seek(table)
        sections = [struct.unpack_from("<IIQQQQ", file.read(size)) for _ in range(count)]
        file.seek(sections[strings][4])
        names = file.read(sections[strings][5])
    return [names[s[0] : names.index(b"\0", s[0])].decode(errors="replace") for s in sections]


class KdevModules:
    """The modules whose symbols gdb has: an address in each, by name."""

    known = {}
    files = None
    tell = False  # by lines that begin with the mark, when it is a program that listens

    @classmethod
    def changed(cls, what, name):
        if cls.tell:
            gdb.write("\x1ekdev %s %s\n" % (what, name))

    @classmethod
    def file_of(cls, name):
        if cls.files is None:
            with open("kdev-modules.json") as file:
                cls.files = json.load(file)
        return cls.files.get(name)

    @classmethod
    def load(cls, name, places):
        path = cls.file_of(name)
        if not path or not places:
            return False
        names = kdev_section_names(path) if any(isinstance(s, int) for s, _ in places) else []
        wanted = [(names[s] if isinstance(s, int) else s, address) for s, address in places]
        sections = "".join(" -s %s %#x" % (kdev_quote(s), address) for s, address in wanted)
        gdb.execute("add-symbol-file %s%s" % (kdev_quote(path), sections), to_string=True)
        code = [address for s, address in wanted if s == ".text" and address] or [a for _, a in wanted if a]
        cls.known[name] = (code[0], places)
        cls.changed("+", name)
        return True

    @classmethod
    def unload(cls, name):
        address, _ = cls.known.pop(name)
        gdb.execute("remove-symbol-file -a %#x" % address, to_string=True)
        cls.changed("-", name)

    @classmethod
    def sync(cls):
        """What has changed since."""
        now = dict(kdev_modules())
        changes = []
        for name in [n for n, (_, places) in cls.known.items() if now.get(n) != places]:
            cls.unload(name)
            changes.append(("unloaded", name))
        for name, places in now.items():
            if name not in cls.known and cls.load(name, places):
                changes.append(("loaded", name))
        return changes


class KdevModulesCommand(gdb.Command):
    def __init__(self):
        super().__init__("kdev-modules", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for what, name in KdevModules.sync():
            print(what, name)


class KdevModuleLoaded(gdb.Breakpoint):
    def stop(self):
        try:
            KdevModules.sync()
        except (gdb.error, gdb.MemoryError, OSError) as error:
            gdb.write("kdev: no symbols of a module that was loaded: %s\n" % error, gdb.STDERR)
        return False


class KdevModuleLeaves(gdb.Breakpoint):
    def stop(self):
        try:
            name = kdev_module_leaving()
            if name in KdevModules.known:
                KdevModules.unload(name)
        except (gdb.error, gdb.MemoryError) as error:
            gdb.write("kdev: a module that is unloaded keeps its symbols: %s\n" % error, gdb.STDERR)
        return False


class KdevFollow(gdb.Command):
    def __init__(self):
        super().__init__("kdev-follow", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for kind, name in ((KdevModuleLoaded, KDEV_MODULE_LOADED), (KdevModuleLeaves, KDEV_MODULE_UNLOADED)):
            kind(name, gdb.BP_HARDWARE_BREAKPOINT if argument == "hardware" else gdb.BP_BREAKPOINT, internal=True)


KdevModulesCommand()
KdevFollow()
)PY";
  return script;
}

}  // namespace kdev::debug
