// Stock gdb on a Linux/x86-64 kernel: what CFI does not tell, and where modules are.
#include <algorithm>

#include "guest/gdb_rules.hpp"
#include "guest/linux/linux.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::guest {
namespace {

constexpr std::uint64_t slide_step = 2u << 20;  // CONFIG_PHYSICAL_ALIGN is a multiple of it
constexpr std::uint64_t max_slide = 1u << 30;   // KERNEL_IMAGE_SIZE in arch/x86/include/asm/page_64_types.h

constexpr std::string_view python = R"PY(
import gdb
from gdb.unwinder import Unwinder

MASK = (1 << 64) - 1
# struct pt_regs (arch/x86/include/asm/ptrace.h), by gdb's names.
PT_REGS = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi")
# What follows them: orig_ax, ip, cs, flags, sp, ss.
IP, CS, SP, SS, WORDS = 16, 17, 19, 20, 21
# Nothing called these.
BOTTOM = ("secondary_startup_64", "secondary_startup_64_no_verify", "startup_64", "common_startup_64")


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class EntryFrames(Unwinder):
    """Steps from the assembler of arch/x86/entry, of which there is no CFI, to what was interrupted: the stack pointer
    of a call from there is at the saved registers."""

    def __init__(self):
        super().__init__("kdev-entry-frames")
        self.kinds = {}

    def kind(self, pc):
        if pc not in self.kinds:
            name = gdb.execute("info symbol %d" % pc, to_string=True).split(" ")[0]
            if name in BOTTOM:
                self.kinds[pc] = "bottom"
            elif name.startswith(("asm_", "entry_", "ret_from_fork", "xen_asm_")) or name in (
                "common_interrupt_return", "paranoid_exit", "error_return", "end_repeat_nmi", "nmi_restore"
            ):
                self.kinds[pc] = "entry"
            else:
                self.kinds[pc] = ""
        return self.kinds[pc]

    def __call__(self, pending):
        try:
            pc = int(pending.read_register("rip")) & MASK
            if pc < 1 << 63 or not self.kind(pc):
                return None
            sp = int(pending.read_register("rsp")) & MASK
            memory = bytes(gdb.selected_inferior().read_memory(sp, 8 * WORDS))
        except (gdb.error, gdb.MemoryError):
            return None
        words = [int.from_bytes(memory[i : i + 8], "little") for i in range(0, 8 * WORDS, 8)]
        long = gdb.lookup_type("unsigned long")
        info = pending.create_unwind_info(FrameId(gdb.Value(sp).cast(long), gdb.Value(pc).cast(long)))
        kernel = self.kind(pc) == "entry" and words[CS] & ~0xFF == 0 and words[CS] & 3 == 0 and words[IP] >= 1 << 63
        user = words[CS] & ~0xFF == 0 and words[CS] & 3 == 3
        if self.kind(pc) == "entry" and not kernel and not user and any(words):
            return None  # somewhere inside, before or after what is saved there is whole
        for register, value in (*zip(PT_REGS, words), ("rip", words[IP]), ("rsp", words[SP])):
            # An entry from user mode is where the kernel's stack begins, as a thread's first function is.
            if not kernel and register in ("rip", "rbp"):
                value = 0
            info.add_saved_register(register, gdb.Value(value).cast(long))
        return info


gdb.unwinder.register_unwinder(None, EntryFrames(), replace=True)

KDEV_MODULE_LOADED = "do_init_module"
KDEV_MODULE_UNLOADED = "free_module"


def kdev_module_sections(module):
    """Addresses of its sections, as /sys/module/NAME/sections has them (struct module_sect_attrs in
    kernel/module/sysfs.c)."""
    sections = []
    names = [f.name for f in module.type.fields()]
    attributes = module["sect_attrs"] if "sect_attrs" in names else 0
    if int(attributes):
        fields = [f.name for f in attributes.dereference().type.fields()]
        if "nsections" in fields:
            count = int(attributes["nsections"])
        else:  # a list of pointers that ends with a null one
            group, count = attributes["grp"]["bin_attrs"], 0
            while int(group[count]) and count < 1000:
                count += 1
        for i in range(min(count, 1000)):
            entry = attributes["attrs"][i]
            inside = [f.name for f in entry.type.fields()]
            if "battr" in inside:
                sections.append((entry["battr"]["attr"]["name"].string(), int(entry["address"])))
            elif "private" in inside:
                sections.append((entry["attr"]["name"].string(), int(entry["private"]) & MASK))
            else:
                sections.append((entry["name"].string(), int(entry["address"])))
    elif "mem" in names:
        sections.append((".text", int(module["mem"][0]["base"])))
    elif "core_layout" in names:
        sections.append((".text", int(module["core_layout"]["base"])))
    if "percpu" in names and int(module["percpu"]):
        sections.append((".data..percpu", int(module["percpu"]) & MASK))
    return [(name, address) for name, address in sections if address]


def kdev_modules():
    # Once static, then not.
    symbols = [gdb.lookup_global_symbol("modules"), *gdb.lookup_static_symbols("modules")]
    heads = [s.value() for s in symbols if s and str(s.type.unqualified()) == "struct list_head"]
    if not heads:
        return
    kind = gdb.lookup_type("struct module")
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == "list")
    unformed = next((f.enumval for f in kind["state"].type.fields() if f.name == "MODULE_STATE_UNFORMED"), 3)
    head = int(heads[0].address)
    at, seen = int(heads[0]["next"]), 0
    while at != head and seen < 10000:
        module = gdb.Value(at - offset).cast(kind.pointer()).dereference()
        if int(module["state"]) != unformed:
            yield module["name"].string(), kdev_module_sections(module)
        at, seen = int(module["list"]["next"]), seen + 1


def kdev_module_leaving():
    module = gdb.parse_and_eval("(struct module *) $rdi")
    return module["name"].string()
)PY";

class LinuxGdbRules final : public GdbRules {
 public:
  std::vector<std::string> setup() const override { return {"set architecture i386:x86-64"}; }
  std::vector<std::string> core_setup() const override { return {}; }
  std::string_view script() const override { return python; }
  // current_task of the CPU's area, where its GS points in the kernel (arch/x86/include/asm/current.h);
  // since 6.2 in pcpu_hot.
  CurrentTask current_task() const override {
    const std::string task = "(*(struct task_struct **)($gs_base + (unsigned long)&current_task))";
    return {.pid = task + "->pid", .name = task + "->comm"};
  }
  std::string listed_name(const Path& module) const override {
    return linux_symbol_rules().module_of(module);
  }
  std::vector<std::uint64_t> slides() const override {
    std::vector<std::uint64_t> slides;
    for (std::uint64_t slide = 0; slide < max_slide; slide += slide_step) slides.push_back(slide);
    return slides;
  }
  std::vector<std::pair<std::string, std::uint64_t>> fixed_sections() const override {
    // Its symbols are offsets into each CPU's area.
    return {{".data..percpu", 0}};
  }
};

}  // namespace

const GdbRules& linux_gdb_rules() {
  static const LinuxGdbRules rules;
  return rules;
}

}  // namespace kdev::guest
