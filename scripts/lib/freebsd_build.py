"""Builds, or finds in the store, what the tests that boot FreeBSD need: usage: freebsd_build.py WORKSPACE SOURCE"""

from __future__ import annotations

import sys
import time

import kdev


def main(root: str, source: str) -> None:
    ws = kdev.Workspace(root, source=source)
    shown = 0.0

    def show(event: object) -> None:
        nonlocal shown
        if isinstance(event, kdev.Progress):
            if time.monotonic() < shown + 30:
                return
            shown = time.monotonic()
        elif isinstance(event, kdev.DiagnosticFound) and event.diagnostic.severity == "warning":
            return
        print(f"  {event}", flush=True)

    for conf in (
        kdev.KernConf.tiny(ws).preset("debug").module("nullfs"),
        kdev.KernConf.tiny(ws).preset("release"),  # what a disk's other kernel is
    ):
        print(ws.build(conf, on_event=show))
    print(ws.build_userland(on_event=show))


if __name__ == "__main__":
    main(*sys.argv[1:])
