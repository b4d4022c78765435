"""Crash a kernel: the report is data on the result, with file, line and source text."""

import os

import kdev

ws = kdev.Workspace(
    os.environ.get("KDEV_WORKSPACE", "~/.cache/kdev/workspace"), source=os.environ.get("KDEV_LINUX_SOURCE")
)
kernel = ws.build(kdev.KernConf.tiny(ws).preset("debug"))

with kdev.VM(kernel=kernel) as vm:
    # The kernel outlives this one: the writing process is killed.
    r = vm.run("echo EXCEPTION > /sys/kernel/debug/provoke-crash/DIRECT")
    assert r.crash is not None
    print(r.crash.title, "- the guest is", vm.state)

    # And not this one.
    crash = vm.run("echo c > /proc/sysrq-trigger").crash
    assert crash is not None
    print(crash.title, "- the guest is", vm.state)
    for frame in crash.frames[:6]:
        print(f"  {frame.function:<28} {frame.file}:{frame.line}  {frame.source}")

    vm.reboot()
    print("after the reboot:", vm.run("uname -r").stdout, end="")
