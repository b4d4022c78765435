"""FreeBSD, all the way: build, boot from a disk, crash a module, read the dump, change the kernel.

usage: 07_freebsd.py WORKSPACE SOURCE
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import kdev

# A page fault in the sysctl's handler of the scaffold "hello".
HANDLER = """
static int
set_who(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_handle_string(oidp, who, sizeof(who), req);

	if (error == 0 && req->newptr != NULL)
		*(volatile char *)NULL = who[0];
	return (error);
}
SYSCTL_PROC(_debug_hello, OID_AUTO, whom, CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, set_who, "A", "");
"""

# A panic for one key in the start method of the scaffold "geom-class".
START = "struct g_twist_softc *sc = bp->bio_to->geom->softc;\n"
CHECK = '\n\tif (sc->sc_md.md_key == 13)\n\t\tpanic("%d is no key", sc->sc_md.md_key);\n'

ws = kdev.Workspace(sys.argv[1], source=sys.argv[2])
kernel = ws.build(kdev.KernConf.tiny(ws).preset("debug").module("nullfs"))
other = ws.build(kdev.KernConf.tiny(ws).preset("release"))
userland = ws.build_userland()
print("built", kernel.release, "as", kernel.build_id[:12], "and", other.build_id[:12])

folder = tempfile.TemporaryDirectory()  # the modules' sources, and the dumps
work = Path(folder.name)
hello = ws.scaffold("hello", "hello", work / "hello")
with (hello / "hello.c").open("a") as file:
    file.write(HANDLER)
twist = ws.scaffold("geom-class", "twist", work / "twist")
source = twist / "g_twist.c"
source.write_text(source.read_text().replace(START, START + CHECK))
subprocess.run(["make", "-s", "-C", twist / "ctl", f"SYSROOT={userland.sysroot}"], check=True)
modules = [ws.build_module(hello, kernel), ws.build_module(twist, kernel)]


def blame(report: kdev.CrashReport) -> tuple[str, str]:
    """The title, and the guilty line."""
    frame = report.guilty
    assert frame
    return report.title, f"{frame.function}, {Path(frame.file).name}:{frame.line}: {frame.source}"


def crash(vm: kdev.VM, command: str) -> None:
    """What the console tells of the crash, the guest's debugger, and the dump on its disk."""
    told = vm.run(command).crash
    assert told and told.dump == "Dump complete"
    print(f"\n# {command}", *blame(told), sep="\n  ")
    bt, pcpu = told.debugger
    print("  db> bt:", " < ".join(frame.function for frame in bt.traces[0].frames[:8]))
    print("  db> show pcpu:", next(line for line in pcpu.text.splitlines() if line.startswith("curthread")))

    dump = kdev.lift_dump(vm.disks[0], work)
    core = kdev.Core(dump.file, kernel, modules=[module.ko for module in modules])
    assert blame(core.report()) == blame(told)
    print(f"  {dump.file.name} says the same: {core.format}, {len(core.threads())} threads")


with kdev.VM(
    kernel=kernel,
    image=kdev.SeedImage.userland(userland).add_file(twist / "ctl/twistctl", "/bin/twistctl"),
    boot="bios",
    cpus=2,
    modules=modules,
    cmdline="dumpdev=gpt/swapfs",
    on_crash=kdev.OnCrash(ask=["bt", "show pcpu"], then="dump"),
) as vm:
    print(vm.run("sysctl -n kern.version").stdout.splitlines()[0])
    vm.run("kldload /m/hello.ko", check=True)
    crash(vm, "sysctl debug.hello.whom=kdev")

    vm.reboot()
    vm.run("kldload /m/geom_twist.ko && mdconfig -a -t swap -s 16m -u 7", check=True)
    crash(vm, "twistctl label -k 13 md7")

    vm.reboot()
    vm.install(other, "other")
    vm.reboot("other", once=True)
    assert vm.facts["build_id"] == other.build_id
    print("\nrebooted:", vm.facts["bootfile"], vm.facts["build_id"][:12])
    vm.reboot()
    assert vm.facts["build_id"] == kernel.build_id
    print("rebooted:", vm.facts["bootfile"], vm.facts["build_id"][:12])
