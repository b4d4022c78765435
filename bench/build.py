"""An unchanged build: kdev's answer from its store against `make` that finds nothing to do."""

from __future__ import annotations

import os
import pathlib
import shutil

import frame
import subject
from frame import Measured


def make_line(kernel_config: str) -> list[str]:
    """make on a copy of the output tree that kdev built the kernel in, with all work done before."""
    workspace = subject.workspace()
    trees = [path.parent for path in pathlib.Path(workspace.obj).glob("*/.config")]
    built = [tree for tree in trees if (tree / ".config").read_text() == kernel_config]
    if not built:
        raise frame.PeerMissing("the kernel came from the store, and its output tree is gone")
    copy = subject.PEERS / "make"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(built[0], copy, symlinks=True)
    # As kdev calls it: any other flags would make everything anew.
    flags = f"-fdebug-prefix-map={built[0]}={workspace.source}"
    line = ["make", "-C", str(workspace.source), f"O={copy}", f"-j{os.cpu_count()}", "LOCALVERSION="]
    line += [f"KCFLAGS={flags}", f"KAFLAGS={flags}"]
    if ccache := shutil.which("ccache"):
        line += [f"CC={ccache} gcc", f"HOSTCC={ccache} gcc"]
    with frame.told("make, until nothing is left to do", subject.say):
        subject.run(line, timeout=3600)
    return line


@frame.figure(
    name="build/unchanged",
    what="ws.build() of an unchanged tree",
    against="make with nothing to do",
    unit="s",
    bar=1.0,
)
def unchanged() -> Measured:
    kernel = subject.kernel()
    line = make_line(pathlib.Path(kernel.config).read_text())

    def with_kdev() -> None:
        if not subject.workspace().build(subject.conf()).from_store:
            raise RuntimeError("the tree changed while it was measured: the build ran make")

    def by_make() -> None:
        subject.run(line)

    ours, peer = frame.alternate(5, lambda: frame.clock(with_kdev), lambda: frame.clock(by_make))
    return Measured(ours, peer)
