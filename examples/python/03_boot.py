"""Boot a kernel and drive the guest: commands, separate streams, files, a job with a conversation."""

import os
import tempfile
from pathlib import Path

import kdev

ws = kdev.Workspace(
    os.environ.get("KDEV_WORKSPACE", "~/.cache/kdev/workspace"), source=os.environ.get("KDEV_LINUX_SOURCE")
)
kernel = ws.build(kdev.KernConf.tiny(ws).preset("debug"))

with kdev.VM(kernel=kernel, memory="512M", cpus=2) as vm, tempfile.TemporaryDirectory() as folder:
    print(f"{vm.name} is {vm.state} under {vm.accel}")

    r = vm.run("uname -r; ls /nope")
    print(f"stdout {r.stdout!r}\nstderr {r.stderr!r}\nexit code {r.exit_code}, {r.duration * 1000:.1f} ms")

    # A time-out is data, too.
    print("timed out:", vm.run("sleep 1000", timeout=0.2).timed_out)

    Path(folder, "script.sh").write_text("#!/bin/sh\nfor i in 1 2 3; do echo line $i; done > /tmp/out\n")
    Path(folder, "script.sh").chmod(0o755)
    vm.push(Path(folder, "script.sh"), "/tmp/script.sh")
    vm.run(["/tmp/script.sh"], check=True)
    vm.pull("/tmp/out", Path(folder, "out"))
    print(Path(folder, "out").read_text(), end="")

    with vm.spawn("tr a-z A-Z") as job:
        job.write("said on standard input\n")
        print(job.wait().stdout, end="")
