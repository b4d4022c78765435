"""A module for debugger tests: variables of every section, an init function, something that pokes at them."""

from __future__ import annotations

from pathlib import Path

import kdev

SOURCE = """#include <linux/module.h>
#include <linux/percpu.h>

int probe_counter = 3;
DEFINE_PER_CPU(int, probe_percpu) = 7;
int probe_bss[4];

noinline int probe_poke(int by)
{
\tprobe_counter += by;
\tthis_cpu_add(probe_percpu, by);
\tprobe_bss[0] = by;
\treturn probe_counter;
}

static int set(const char *value, const struct kernel_param *param)
{
\treturn probe_poke(value[0] - '0') < 0;
}
static const struct kernel_param_ops ops = { .set = set };
module_param_cb(poke, &ops, NULL, 0200);

static int __init probe_init(void)
{
\tprobe_poke(1);
\treturn 0;
}

static void __exit probe_exit(void)
{
\tprobe_poke(-1);
}
module_init(probe_init);
module_exit(probe_exit);
MODULE_LICENSE("GPL");
"""
LINES = SOURCE.splitlines()
# A '-' in the file's name is a '_' in the kernel's list.
NAME = "debug-probe"
POKE = "/sys/module/debug_probe/parameters/poke"


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(LINES, 1) if text in line)


def build(ws: kdev.Workspace, kernel: kdev.KernelArtifact, folder: Path) -> kdev.ModuleArtifact:
    folder.mkdir()
    (folder / "Makefile").write_text(f"obj-m := {NAME}.o\n")
    (folder / f"{NAME}.c").write_text(SOURCE)
    return ws.build_module(folder, kernel)
