"""Names for the typed events and what takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ._kdev import (
    ConsoleLine,
    CrashFound,
    DiagnosticFound,
    Notice,
    Progress,
    StageFinished,
    StageStarted,
    VmStateChanged,
)

Event: TypeAlias = (
    StageStarted | StageFinished | Progress | DiagnosticFound | VmStateChanged | ConsoleLine | CrashFound | Notice
)

Sink: TypeAlias = Callable[[Event], None]
