#include "debug/types_script.hpp"

namespace kdev::debug {

std::string_view types_script() {
  static constexpr std::string_view script = R"PY(
import json

import gdb

KDEV_AGGREGATES = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_ARRAY)


def kdev_types(frame):
    found = {}
    try:
        block = frame.block()
    except RuntimeError:
        return found  # no debug information
    while block:
        for symbol in block:
            if symbol.is_argument or symbol.is_variable:
                kind = symbol.type.strip_typedefs().code in KDEV_AGGREGATES
                found.setdefault(symbol.name, [str(symbol.type), kind])
        if block.function:
            break
        block = block.superblock
    return found


class KdevTypes(gdb.Command):
    def __init__(self):
        super().__init__("kdev-types", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        frame, frames = gdb.newest_frame(), []
        while frame and len(frames) < int(argument):
            frames.append(kdev_types(frame))
            frame = frame.older()
        print(json.dumps(frames))


class KdevTypesOf(gdb.Command):
    def __init__(self):
        super().__init__("kdev-types-of", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        frame = gdb.newest_frame()
        for _ in range(int(argument)):
            frame = frame and frame.older()
        print(json.dumps([kdev_types(frame) if frame else {}]))


KdevTypes()
KdevTypesOf()
)PY";
  return script;
}

}  // namespace kdev::debug
