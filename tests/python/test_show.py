"""Progress: bars on a terminal, plain lines elsewhere, nothing unless asked for."""

from __future__ import annotations

import io
import subprocess
import sys
import threading

import kdev
import pytest
from kdev.display import frame_table
from kdev.show import ProgressDisplay, duration_text
from rich.console import Console

STORY: list[kdev.Event] = [
    kdev.StageStarted.from_dict({"stage": "build", "text": "Linux [6.1]"}),
    kdev.Progress.from_dict({"stage": "build", "done": 3, "total": 9, "eta": 2.0, "text": "CC init/main.o"}),
    kdev.DiagnosticFound.from_dict(
        {"diagnostic": {"file": "/t/a.c", "line": 3, "severity": "error", "message": "no [bold] semicolon"}}
    ),
    kdev.ConsoleLine.from_dict({"vm": "vm0", "text": "[    0.0] Linux"}),
    kdev.CrashFound.from_dict({"vm": "vm0", "title": "BUG: [x]"}),
    kdev.VmStateChanged.from_dict({"vm": "vm0", "from": "ready", "to": "crashed", "reason": "panic"}),
    kdev.Notice.from_dict({"text": "fell back"}),
    kdev.StageFinished.from_dict({"stage": "build", "outcome": "done", "seconds": 61.0, "text": ""}),
]


def show(terminal: bool, **options: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with ProgressDisplay(console, **options) as display:
        for event in STORY:
            display(event)
    return out.getvalue()


def test_plain() -> None:
    text = show(False)
    assert "\x1b" not in text and "\r" not in text
    for part in ("build", "Linux [6.1]", "no [bold] semicolon", "BUG: [x]", "vm0 crashed: panic", "fell back"):
        assert part in text
    assert "1 min 01 s" in text and "done" in text
    assert "[    0.0] Linux" not in text
    assert "[    0.0] Linux" in show(False, console_lines=True)


def test_a_terminal_that_cannot_move_its_cursor_gets_lines() -> None:
    out = io.StringIO()
    display = ProgressDisplay(Console(file=out, force_terminal=True, width=100, _environ={"TERM": "dumb"}))
    for event in STORY:
        display(event)
    assert "\r" not in out.getvalue() and "1 min 01 s" in out.getvalue() and "CC init/main.o" not in out.getvalue()


def test_bars() -> None:
    out = io.StringIO()
    terminal = {"TERM": "xterm"}
    display = ProgressDisplay(Console(file=out, force_terminal=True, width=100, color_system=None, _environ=terminal))
    for event in STORY[:2]:
        display(event)
    display.refresh()
    text = out.getvalue()
    assert "\x1b" in text and "3/9" in text and "CC init/main.o" in text and "2.0 s left" in text
    for event in STORY[2:]:
        display(event)
    assert "1 min 01 s" in out.getvalue()


def test_threads_have_stages_of_their_own() -> None:
    out = io.StringIO()
    display = ProgressDisplay(Console(file=out, force_terminal=False, width=100))

    def work() -> None:
        for event in STORY:
            display(event)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert out.getvalue().count("1 min 01 s") == 4


@pytest.mark.parametrize(("seconds", "text"), [(0.042, "0.04 s"), (12.34, "12.3 s"), (245, "4 min 05 s")])
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_show_progress_is_put_back() -> None:
    marks: list[kdev.Event] = []
    first = kdev.show_progress(False)
    try:
        with kdev.show_progress() as display:
            assert isinstance(display, ProgressDisplay)
            assert kdev._kdev._set_default_sink(marks.append) is display  # type: ignore[attr-defined]
    finally:
        assert first.display is None
        assert kdev._kdev._set_default_sink(None) is None  # type: ignore[attr-defined]


def test_nothing_is_printed_by_default() -> None:
    code = (
        "import kdev; kdev.KernConf.tiny().preset('debug'); kdev.local_host().run(['echo', 'x']); kdev.scan_console('')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def frame(function: str, file: str, line: int, source: str) -> kdev.StackFrame:
    return kdev.StackFrame.from_dict(
        {"function": function, "file": file, "line": line, "source": source, "reliable": True}
    )


def test_a_trace_fits() -> None:
    """Function and place stay whole, the source text gives way; recursion is one line."""
    far = "/somewhere/far/away/obj/arch/x86/include/generated/asm/syscalls_64.h"
    frames = [frame("loop", "a/b.c", 7, "loop();")] * 5 + [frame("entry", far, 2, "x" * 200)]
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(frame_table(frames))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert len(lines) == 2
    assert lines[0].split() == ["loop", "x", "5", "a/b.c:7", "loop();"]
    assert "…/include/generated/asm/syscalls_64.h:2" in lines[1] and lines[1].endswith("…")
    assert max(map(len, lines)) <= 100


def test_a_trace_is_cut() -> None:
    out = io.StringIO()
    frames = [frame(f"f{i}", "a.c", i, "") for i in range(20)]
    Console(file=out, width=100, color_system=None).print(frame_table(frames, limit=5))
    assert "f4" in out.getvalue() and "f5" not in out.getvalue() and "... 15 more" in out.getvalue()
