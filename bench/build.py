"""An unchanged build: kdev's answer from its store against `make` that finds nothing to do."""

from __future__ import annotations

import os

import frame
import subject
from frame import Measured


@frame.figure(
    name="build/unchanged",
    what="ws.build() of an unchanged tree",
    against="make with nothing to do",
    unit="s",
    bar=1.0,
)
def unchanged() -> Measured:
    workspace, kernel = subject.workspace(), subject.kernel()
    targets = ["vmlinux", "bzImage"]
    make = ["make", "-C", str(kernel.source), f"O={kernel.obj}", f"-j{os.cpu_count()}", *targets]
    # make may find work left by another configuration built in this output tree: done before the clock runs.
    subject.run(make, timeout=3600)

    def with_kdev() -> None:
        if not workspace.build(subject.conf(), targets=targets).from_store:
            raise RuntimeError("the tree changed while it was measured: the build ran make")

    def by_make() -> None:
        subject.run(make)

    ours, peer = frame.alternate(5, lambda: frame.clock(with_kdev), lambda: frame.clock(by_make))
    return Measured(ours, peer)
