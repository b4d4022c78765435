"""A module out of tree: scaffold, build, put into the image, load, read what it said, unload."""

import os

import kdev

ws = kdev.Workspace(
    os.environ.get("KDEV_WORKSPACE", "~/.cache/kdev/workspace"), source=os.environ.get("KDEV_LINUX_SOURCE")
)
kernel = ws.build(kdev.KernConf.tiny(ws).preset("debug"))

folder = ws.src / "example_hello"
if not folder.exists():
    ws.scaffold("hello", "example_hello")
module = ws.build_module(folder, kernel)
print(f"{module.name}: {module.ko.name}, for {kernel.release}")

with kdev.VM(kernel=kernel, modules=[module]) as vm:  # it is /m/NAME.ko in the guest
    r = vm.run(f"insmod /m/{module.ko.name} && grep -w {module.name} /proc/modules && rmmod {module.name}", check=True)
    print(r.stdout, end="")
    print("\n".join(line for line in r.console.splitlines() if module.name in line))
