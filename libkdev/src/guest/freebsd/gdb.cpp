// Stock gdb on a FreeBSD/amd64 kernel. What kgdb of the ports collection has compiled in (amd64fbsd-kern.c,
// fbsd-kld.c) is a script here.
#include "guest/freebsd/freebsd.hpp"
#include "guest/gdb_rules.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view python = R"PY(
import gdb
from gdb.unwinder import Unwinder

# Fields of struct trapframe (sys/x86/include/frame.h) by gdb's names.
REGISTERS = {
    "rdi": "tf_rdi", "rsi": "tf_rsi", "rdx": "tf_rdx", "rcx": "tf_rcx", "r8": "tf_r8", "r9": "tf_r9",
    "rax": "tf_rax", "rbx": "tf_rbx", "rbp": "tf_rbp", "r10": "tf_r10", "r11": "tf_r11", "r12": "tf_r12",
    "r13": "tf_r13", "r14": "tf_r14", "r15": "tf_r15", "rip": "tf_rip", "rsp": "tf_rsp",
}


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class TrapFrames(Unwinder):
    """Steps from an entry of exception.S to what was interrupted: the stack pointer is at the trap frame there."""

    def __init__(self):
        super().__init__("kdev-trap-frames")
        self.kinds = {}
        self.fields = None

    def is_entry(self, pc):
        if pc not in self.kinds:
            said = gdb.execute("info symbol %d" % pc, to_string=True)
            name = said.split(" ")[0]
            # Entries are Xtimerint, Xpage, ...; calltrap and nmi_calltrap are where they meet.
            entry = name in ("calltrap", "nmi_calltrap", "fast_syscall_common", "doreti")
            self.kinds[pc] = entry or (name[:1] == "X" and name[1:2].islower())
        return self.kinds[pc]

    def layout(self):
        if self.fields is None:
            self.fields = {f.name: f.bitpos // 8 for f in gdb.lookup_type("struct trapframe").fields()}
        return self.fields

    def __call__(self, pending):
        try:
            pc = int(pending.read_register("rip")) & (1 << 64) - 1
            if pc < 1 << 63 or not self.is_entry(pc):
                return None
            sp = int(pending.read_register("rsp")) & (1 << 64) - 1
            fields = self.layout()
            memory = gdb.selected_inferior().read_memory(sp, max(fields.values()) + 8)
        except (gdb.error, gdb.MemoryError):
            return None
        word = lambda name: int.from_bytes(memory[fields[name] : fields[name] + 8], "little")
        long = gdb.lookup_type("unsigned long")
        info = pending.create_unwind_info(FrameId(gdb.Value(sp).cast(long), gdb.Value(pc).cast(long)))
        kernel = word("tf_cs") & 3 == 0
        for register, field in REGISTERS.items():
            # A trap from user mode is where the kernel's stack begins.
            value = word(field) if kernel or register not in ("rip", "rbp") else 0
            info.add_saved_register(register, gdb.Value(value).cast(long))
        return info


gdb.unwinder.register_unwinder(None, TrapFrames(), replace=True)


# Called when a module is linked, and before it goes (sys/kern/link_elf_obj.c).
KDEV_MODULE_LOADED = "elf_cpu_load_file"
KDEV_MODULE_UNLOADED = "elf_cpu_unload_file"


def kdev_modules():
    head = gdb.parse_and_eval("linker_files")
    # link_elf.c has another struct of this name.
    _, where = gdb.decode_line("link_elf_obj.c:1")
    elf_file = gdb.lookup_type("struct elf_file", where[0].symtab.static_block()).pointer()
    file = head["tqh_first"]
    while int(file):
        if file["ops"]["cls"]["name"].string().endswith("_obj"):
            elf = file.cast(elf_file)
            parts = [elf["progtab"][i] for i in range(int(elf["nprogtab"]))]
            yield file["filename"].string(), [(int(part["sec"]), int(part["addr"])) for part in parts]
        file = file["link"]["tqe_next"]


def kdev_module_leaving():
    return gdb.parse_and_eval("(linker_file_t) $rdi")["filename"].string()
)PY";

class FreebsdGdbRules final : public GdbRules {
 public:
  std::vector<std::string> setup() const override {
    // With its own idea of FreeBSD, gdb looks for a process and its shared libraries.
    return {"set osabi none", "set architecture i386:x86-64"};
  }
  std::vector<std::string> core_setup() const override {
    // A gdb that was built without FreeBSD ends at the first core file with a program of its; one with it
    // takes notes for FreeBSD's.
    return {"set osabi GNU/Linux"};
  }
  std::string_view script() const override { return python; }
};

}  // namespace

const GdbRules& freebsd_gdb_rules() {
  static const FreebsdGdbRules rules;
  return rules;
}

}  // namespace kdev::guest
