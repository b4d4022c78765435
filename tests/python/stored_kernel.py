"""Kernels that take ten minutes and more to build: KDEV_TEST_PRESETS=1 does it, else they are taken if the store has
them."""

from __future__ import annotations

import os
from collections.abc import Sequence

import kdev
import pytest


class NotStored(Exception):
    pass


def stop_building(event: object) -> None:
    if isinstance(event, kdev.Progress):
        raise NotStored


def stored_kernel(ws: kdev.Workspace, conf: kdev.KernConf, targets: Sequence[str] = ()) -> kdev.KernelArtifact:
    """Skips the test when there is none."""
    on_event = None if os.environ.get("KDEV_TEST_PRESETS") == "1" else stop_building
    try:
        return ws.build(conf, targets=targets, on_event=on_event)
    except NotStored:
        pytest.skip("its kernel is not in the store: KDEV_TEST_PRESETS=1 builds it, which takes minutes")
