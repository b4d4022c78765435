"""Configure and build a kernel: presets, single options, a lost option explained, the artifact store."""

import os

import kdev

ws = kdev.Workspace(
    os.environ.get("KDEV_WORKSPACE", "~/.cache/kdev/workspace"), source=os.environ.get("KDEV_LINUX_SOURCE")
)
print(f"Linux {ws.tree.version} at {ws.source}")

conf = kdev.KernConf.tiny(ws).preset("debug")
print(f"{len(conf.settings)} settings, from {', '.join(sorted({s.origin for s in conf.settings}))}")

# An option that the tree does not know is an error that says what was meant.
try:
    conf.enable("LKDTN").resolve(ws)
except kdev.ConfigError as error:
    print(error.reason.splitlines()[0])

with kdev.show_progress():
    kernel = ws.build(conf)
print(f"{kernel.release}, build id {kernel.build_id[:16]}, {'from the store' if kernel.from_store else 'just built'}")
print(f"boots from {kernel.image.name}, {kernel.image.stat().st_size >> 20} MiB; vmlinux {kernel.vmlinux}")

# Nothing changed: no make is run.
assert ws.build(conf).from_store
