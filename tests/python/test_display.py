"""What values look like in a notebook and on a terminal. What runs in a browser is tried in one, where there is one."""

from __future__ import annotations

import dataclasses
import io
import pickle
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import kdev
import pytest
from kdev.debug_view import Backtrace, Disassembly
from rich.console import Console

EVIL = '<script>alert("x")</script>&\'"'


def thread(tid: int, **fields: object) -> kdev.CoreThread:
    data = {"pid": tid, "process": "sh", "name": "sh", "state": "sleeping", "wait_channel": "", "cpu": -1}
    return kdev.CoreThread.from_dict({**data, "tid": tid, "panicked": False, "address": 0xFF00, **fields})


def message(text: str, level: int = 6, time: float = 1.5, caller: str = "T1") -> kdev.CoreMessage:
    return kdev.CoreMessage.from_dict({"time": time, "level": level, "caller": caller, "text": text})


def log(*messages: kdev.CoreMessage) -> kdev.KernelLog:
    return kdev.KernelLog("".join(m.text + "\n" for m in messages), list(messages))


MEMORY = kdev.Memory(0x1000, bytes(range(40)), symbol="init_task+0x10", pointers={8: "panic"})


def debug_frame(level: int = 0, text: str = "f", **fields: object) -> kdev.DebugFrame:
    variable = {"name": text, "value": text, "type": text, "address": 0, "available": True}
    data = {"level": level, "function": text, "address": 0x10, "file": "a.c", "line": 8, "source": text}
    more = {"context": [f"line {n} {text}" for n in range(3, 14)], "context_begin": 3}
    return kdev.DebugFrame.from_dict({**data, **more, "args": [variable], "locals": [variable], **fields})


def code(text: str = "nop") -> list[kdev.DebugInstruction]:
    lines = [(0x10, 1, "55"), (0x11, 1, "4889e5"), (0x14, 2, "c3")]
    return [
        kdev.DebugInstruction.from_dict(
            {"address": at, "function": "f", "offset": at - 16, "bytes": data, "text": text, "file": "a.c"}
            | {"line": line, "source": text}
        )
        for at, line, data in lines
    ]


def debug_stop(text: str = "f", **fields: object) -> kdev.DebugStop:
    data = {"reason": "breakpoint-hit", "breakpoint": 1, "thread": "Thread 1.1"}
    return kdev.DebugStop.from_dict({**data, "frame": debug_frame(text=text).to_dict(), **fields})


class Tags(HTMLParser):
    """Tags that are opened, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in ("input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outputs() -> dict[str, str]:
    frame = kdev.StackFrame.from_dict({"function": EVIL, "file": EVIL, "line": 3, "source": EVIL})
    return {
        "threads": kdev.table([thread(1, process=EVIL, panicked=True), thread(2)])._repr_html_(),
        "frames": kdev.table([frame])._repr_html_(),
        "log": log(message(EVIL, 2), message("plain"))._repr_html_(),
        "memory": dataclasses.replace(MEMORY, symbol=EVIL, pointers={8: EVIL})._repr_html_(),
        "backtrace": Backtrace([debug_frame(text=EVIL), debug_frame(1, EVIL, context=[])])._repr_html_(),
        "debug frame": debug_frame(text=EVIL)._repr_html_(),
        "stop": debug_stop(EVIL, old_value=EVIL, thread=EVIL)._repr_html_(),
        "disassembly": Disassembly(code(EVIL), 0x11)._repr_html_(),
        "stacks": kdev.table([debug_frame(text=EVIL)])._repr_html_(),
        "trace": kdev.StackTrace.from_dict({"name": EVIL, "frames": [frame.to_dict()]})._repr_html_(),
    }


@pytest.mark.parametrize("name", outputs())
def test_each_output_is_whole_and_escaped(name: str) -> None:
    html = outputs()[name]
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert "script" not in tags.seen
    # Two outputs on a page cannot meet, and nothing is fetched.
    assert not {"id", "class", "src", "href"} & set(tags.attributes)
    assert "&lt;script&gt;" in html


def test_values_answer_as_dataclasses_do() -> None:
    one = thread(1)
    names = [field.name for field in dataclasses.fields(one)]  # type: ignore[arg-type]
    assert names == ["pid", "tid", "process", "name", "state", "wait_channel", "cpu", "panicked", "address"]
    assert dataclasses.asdict(one) == one.to_dict()  # type: ignore[call-overload]
    assert dataclasses.is_dataclass(kdev.CrashReport)
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_table_is_a_list() -> None:
    threads = kdev.table([thread(1), thread(2)])
    assert threads == [thread(1), thread(2)]
    assert threads.to_records() == [thread(1).to_dict(), thread(2).to_dict()]
    assert kdev.table([]) == []
    assert kdev.table([])._repr_html_() == "<div>none</div>"
    assert kdev.table(t for t in threads if t.tid == 2) == threads[1:]


def test_tables_are_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    threads = kdev.table([thread(1), thread(2)])
    for frame in (threads.to_frame(), pandas.DataFrame(list(threads))):
        assert list(frame.columns) == threads.columns()
        assert list(frame["tid"]) == [1, 2]
    report = kdev.scan_console((Path(__file__).parents[1] / "golden/crash/bug.log").read_bytes())
    assert list(pandas.DataFrame(report)["kind"]) == [report[0].kind]


def test_without_pandas_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(kdev.ConfigError, match="pandas is not installed"):
        kdev.table([thread(1)]).to_frame()


def printed(value: object) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(value)
    return console.export_text()


def test_on_a_terminal() -> None:
    text = printed(kdev.table([thread(1, cpu=1), thread(2)]))
    assert "wait channel" in text
    assert "0xff00" in text
    assert "-1" not in text
    assert "panic" in printed(MEMORY)
    assert "] plain" in printed(log(message("plain")))


def test_memory() -> None:
    assert str(MEMORY).splitlines() == [
        "init_task+0x10:",
        "0000000000001000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|  panic",
        "0000000000001010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  |................|",
        "0000000000001020  20 21 22 23 24 25 26 27                           | !\"#$%&'|",
    ]
    assert MEMORY.words()[:2] == [0x0706050403020100, 0x0F0E0D0C0B0A0908]
    assert (bytes(MEMORY), len(MEMORY), len(MEMORY.words())) == (bytes(range(40)), 40, 5)


def test_frames_unfold_to_their_source() -> None:
    bare = debug_frame(2, context=[], context_begin=0, args=[], locals=[], inlined=True)
    page = Backtrace([debug_frame(), debug_frame(1), bare])._repr_html_()
    assert page.count("<details open") == 1, "where the kernel is"
    assert page.count("<details") == 2, "one has nothing to show"
    assert page.count("inlined") == 1
    marked = re.findall(r"<div style=\"[^\"]*background[^\"]*\">.*?</div>", page)
    assert ["line 8 f" in row for row in marked] == [True, True]
    assert "arguments" in page and "variables" in page
    text = printed(Backtrace([debug_frame(), bare]))
    assert "a.c:8" in text and "f (inlined)" in text
    text = printed(debug_frame())
    assert ">     8  line 8 f" in text and "      7  line 7 f" in text
    assert printed(debug_frame(context=[], context_begin=0)).endswith("   f\n")
    assert Backtrace()._repr_html_() == "<div>no frames</div>"
    # What an aggregate holds is not told.
    hidden = {"name": "how", "value": "", "type": "struct open_how", "address": 0, "available": True}
    assert "{...}" in debug_frame(locals=[hidden])._repr_html_()


def test_stops_say_why() -> None:
    assert "breakpoint 1 hit" in debug_stop()._repr_html_()
    watched = debug_stop(reason="watchpoint-trigger", breakpoint=2, old_value="3", new_value="4")
    assert "watchpoint 2 hit" in watched._repr_html_()
    text = printed(watched)
    assert re.search(r"before +3\s+after +4", text)
    assert "before" not in printed(debug_stop())
    assert "SIGINT" in printed(debug_stop(reason="signal-received", breakpoint=0, signal="SIGINT"))
    assert "end stepping range" in printed(debug_stop(reason="end-stepping-range", breakpoint=0))
    assert "stopped" in printed(debug_stop(reason="", breakpoint=0))


def test_the_current_instruction_is_marked() -> None:
    listed = Disassembly(code(), 0x11)
    page = listed._repr_html_()
    assert page.count("▶") == 1
    assert re.search(r"▶ <span[^>]*>0000000000000011", page)
    assert page.count("a.c:1") == 1, "a line's instructions have one heading"
    assert "48 89 e5" in page and "a.c:2" in page
    text = printed(listed)
    assert "> 0000000000000011  +1    48 89 e5" in text
    assert listed == code() and listed.columns()[0] == "address"
    assert [one.address for one in listed.around(0)] == [0x11]
    assert listed.around(1).current == 0x11
    again = pickle.loads(pickle.dumps(listed))
    assert (again, again.current) == (listed, 0x11)
    assert "▶" not in Disassembly(code())._repr_html_()


def test_tables_of_a_debugger() -> None:
    thread = kdev.DebugThread.from_dict(
        {"number": 1, "id": "Thread 1.1", "name": "CPU#0", "frame": debug_frame().to_dict()}
    )
    assert "f at a.c:8" in kdev.table([thread])._repr_html_()
    stopped = {"number": 2, "kind": "breakpoint", "address": 255, "function": "", "file": "", "line": 0}
    page = kdev.table(
        [kdev.DebugBreakpoint.from_dict({**stopped, "expression": "x", "pending": True, "hits": 3})]
    )._repr_html_()
    assert "0xff" in page and ">yes<" in page
    assert "f" in printed(kdev.table([thread]))


def test_a_kernel_log_is_a_str() -> None:
    text = log(message("one"), message("two", 3))
    assert text == "one\ntwo\n"
    assert text.splitlines() == ["one", "two"]
    again = pickle.loads(pickle.dumps(text))
    assert (again, again.messages) == (text, text.messages)


def rows_shown(page: Path, html: str, search: str, level: int | None) -> tuple[int, str]:
    """Rows that are left in a browser when something is typed and chosen, and the count beside the box."""
    script = f"""
        const box = document.querySelector('input'); box.value = {search!r};
        box.dispatchEvent(new Event('input', {{bubbles: true}}));
        const level = {level if level is not None else "null"};
        if (level !== null) {{
            const select = document.querySelector('select'); select.value = String(level);
            select.dispatchEvent(new Event('change', {{bubbles: true}}));
        }}
        const shown = [...document.querySelectorAll('[data-row]')].filter(r => r.style.display !== 'none').length;
        document.title = shown + ' of ' + document.querySelector('[data-count]').textContent;
    """
    page.write_text(f"<!doctype html><html><body>{html}<script>{script}</script></body></html>")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no browser")
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.parent}"),
            *("--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    title = re.search(r"<title>(\d+) of (\d+)</title>", done.stdout)
    assert title, done.stderr
    return int(title[1]), title[2]


def test_a_browser_searches(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    dmesg = log(message("Linux version 6.1", 5), message("oops in sh", 1), message("oops in init", 7))._repr_html_()
    assert rows_shown(page, dmesg, "OOPS", None) == (2, "2")
    assert rows_shown(page, dmesg, "sh oops", None) == (1, "1")
    assert rows_shown(page, dmesg, "", 4) == (1, "1")
    threads = kdev.table([thread(1), thread(2, process="kthreadd")])._repr_html_()
    assert rows_shown(page, threads, "kthreadd", None) == (1, "1")
