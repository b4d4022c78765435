"""kdev crash: reports out of saved logs, symbols out of addresses."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import typer
from rich.table import Table
from rich.text import Text

from .. import _kdev
from .._kdev import Bundle, Core, CrashReport, Symbolizer
from ..display import frame_table
from ..errors import FormatError
from ..opening import open as open_any
from ..scan import scan_file
from .build import find_kernel
from .convert import convert
from .output import console, print_crash
from .score import LogScore, score_folder, sums
from .triage import history, show_suspects

Os = Literal["linux", "freebsd"]

app = typer.Typer(
    help="Read crashes: decode a saved console log, lift and read a dump, look an address up.", no_args_is_help=True
)


app.command("convert")(convert)
app.command("suspects")(show_suspects)
app.command("history")(history)


def _symbolizer(
    kernel: Path | None,
    vmlinux: Path | None,
    modules: list[Path],
    source: Path | None,
    system: Os,
    build_id: str = "",
    debuginfod: bool = True,
) -> Symbolizer | None:
    modules = [file for given in modules for file in (sorted(given.rglob("*.ko")) if given.is_dir() else [given])]
    if kernel is not None:
        return Symbolizer(find_kernel(kernel), modules=modules, source=source, debuginfod=debuginfod)
    if vmlinux is not None or build_id:
        return Symbolizer(
            vmlinux=vmlinux, modules=modules, source=source, os=system, build_id=build_id, debuginfod=debuginfod
        )
    return None


@app.command("decode")
def decode(
    log: Path = typer.Argument(..., help="A console log; - reads standard input.", allow_dash=True),
    kernel: Path | None = typer.Option(None, "--kernel", "-k", help="Workspace or kernel's JSON file."),
    vmlinux: Path | None = typer.Option(None, "--vmlinux", help="ELF file with debug information."),
    module: list[Path] = typer.Option(
        [], "--module", "--modules", "-m", help="A module's .ko, or a folder of them; may be repeated."
    ),
    source: Path | None = typer.Option(None, "--source", "-s", help="Tree to read source lines from."),
    build_id: str = typer.Option("", "--build-id", help="The kernel's, hex, where no file of it is: from debuginfod."),
    debuginfod: bool = typer.Option(
        True, help="Ask the servers of DEBUGINFOD_URLS, if it is set, for what the files lack."
    ),
    system: str = typer.Option("", "--os", help="linux, freebsd, openbsd or netbsd; found out where not given."),
    text: bool = typer.Option(False, "--text", "-t", help="The same text, with file and line behind each function."),
    source_text: bool = typer.Option(False, "--source-text", help="With --text: the source's line beside it."),
    index: bool = typer.Option(True, help="Make the kernel's index afterwards, where there is none yet."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line and report."),
    as_html: bool = typer.Option(False, "--html", help="One HTML page."),
    frames: int = typer.Option(25, "--frames", help="Frames shown of each trace."),
) -> None:
    """Every crash report of a console log. Ends 1 when there is none. With --text: the log itself, crash or not."""

    def symbols(system: Os) -> Symbolizer | None:
        return _symbolizer(kernel, vmlinux, module, source, system, build_id, debuginfod)

    if text:
        decode_text(log, system, symbols, source_text, index)
        return
    if system and system not in _kdev.console_systems():
        raise typer.BadParameter(f"{system!r} is neither {' nor '.join(_kdev.console_systems())}", param_hint="--os")
    if str(log) == "-":
        reports = _kdev.scan_console(sys.stdin.buffer.read(), system or None)
    else:
        reports = list(scan_file(log.expanduser(), system or None))
    whose = system or (reports[0].os if reports else "linux")
    guest: Os | None = next((name for name in get_args(Os) if name == whose), None)
    symbolizer = symbols(guest) if guest else None
    if symbolizer is not None:
        reports = [symbolizer.symbolize(report) for report in reports]
    if as_json:
        for report in reports:
            sys.stdout.write(json.dumps(json.loads(report.to_json())) + "\n")
    elif as_html:
        sys.stdout.write(html_page(reports))
    else:
        out = console()
        for report in reports:
            print_crash(report, out, frames)
            out.print()
    if symbolizer is not None and index:
        make_index(symbolizer)
    if not reports:
        print("no crash report in it", file=sys.stderr)
        raise typer.Exit(1)


def decode_text(
    log: Path, system: str, symbols: Callable[[Os], Symbolizer | None], source_text: bool, index: bool
) -> None:
    if system and system not in get_args(Os):
        raise typer.BadParameter(f"{system!r} is neither {' nor '.join(get_args(Os))}", param_hint="--os")
    content = sys.stdin.buffer.read() if str(log) == "-" else log.expanduser().read_bytes()
    whose = system or _kdev.detect_console(content)
    guest: Os = next((name for name in get_args(Os) if name == whose), "linux")
    symbolizer = symbols(guest)
    if symbolizer is None:
        raise typer.BadParameter(
            "neither --kernel nor --vmlinux nor --build-id says what to decode it with", param_hint="--text"
        )
    decoded = symbolizer.decode(content, source_text=source_text)
    sys.stdout.buffer.write(decoded.encode("utf-8", "surrogateescape"))
    sys.stdout.flush()
    notes = {note: None for report in _kdev.scan_console(content, guest) for note in symbolizer.symbolize(report).notes}
    for note in notes | dict.fromkeys(symbolizer.notes):
        print(note, file=sys.stderr)
    if index:
        make_index(symbolizer)


def make_index(symbolizer: Symbolizer) -> None:
    """For the next time. The answer is out already; whoever does not want to wait for it interrupts."""
    sys.stdout.flush()
    known = symbolizer.notes
    symbolizer.build_index()
    for note in symbolizer.notes:
        if note not in known:
            print(note, file=sys.stderr)


@app.command("index")
def index(
    kernel: Path | None = typer.Option(None, "--kernel", "-k", help="Workspace or kernel's JSON file."),
    vmlinux: Path | None = typer.Option(None, "--vmlinux", help="ELF file with debug information."),
) -> None:
    """Make the index of a kernel's symbols, unless it is there, and print its file. Ends 1 when there is none to be
    had: the kernel has no build id or no debug information."""
    symbolizer = _symbolizer(kernel, vmlinux, [], None, "linux")
    if symbolizer is None:
        raise typer.BadParameter("neither --kernel nor --vmlinux is given")
    file = symbolizer.build_index()
    if file is None:
        for note in symbolizer.notes or ["it has no build id or no debug information"]:
            print(note, file=sys.stderr)
        raise typer.Exit(1)
    print(file)


def html_page(reports: list[CrashReport]) -> str:
    body = "\n<hr>\n".join(report.to_html() for report in reports)
    title = "kdev: " + ("crash report" if len(reports) == 1 else f"{len(reports)} crash reports")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    style = "<style>body{font-family:system-ui,sans-serif;max-width:72em;margin:2em auto;padding:0 1em}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}{style}</head>\n<body>\n{body}\n</body></html>\n'


@app.command("score")
def score(
    folder: Path = typer.Argument(..., help="expected.jsonl and logs/: what was found in which log."),
    detect: bool = typer.Option(
        False, "--detect", help="Find out whose console a log is, whatever expected.jsonl says."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object: the counts, of all and of each system."),
) -> None:
    """How many reports the scanner reads right, of logs with known answers. Prints what differs."""
    if not (folder / "expected.jsonl").is_file():
        raise typer.BadParameter(f"{folder} has no expected.jsonl", param_hint="DIR")
    logs: list[LogScore] = []
    for log in score_folder(folder.expanduser(), detect):
        logs.append(log)
        if not as_json and log.misses:
            print(log.file)
            for name, (wanted, found) in log.misses.items():
                print(f"  {name}\n    - {wanted}\n    + {found}")
    counts = sums(logs)
    if as_json:
        print(json.dumps(counts))
        return
    console().print(score_table(counts))


def score_table(counts: dict[str, Any]) -> Table:
    names = [name for name in counts if name != "systems"]
    table = Table("system", box=None)
    for name in names:
        table.add_column(name, justify="right")
    for system, row in [*counts["systems"].items(), ("all", counts)]:
        table.add_row(system, *[str(row[name]) for name in names])
    return table


@app.command("lookup")
def lookup(
    file: Path = typer.Argument(..., help="ELF file with symbols, or a System.map."),
    address: str = typer.Argument(..., help="Hex; unknown digits are 'x' or left out at the end."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line and symbol."),
) -> None:
    """Nearest symbols for an address, as `nm -n` would show them. Ends 1 when it lies outside every symbol."""
    matches = _kdev.lookup_symbol(file, address)
    for match in matches:
        if as_json:
            print(match.to_json())
        else:
            print(f"{match.address:016x} {match.type} {match.name}+{match.offset:#x}")
    if not matches:
        print(f"{address} lies outside every symbol of {file}", file=sys.stderr)
        raise typer.Exit(1)


@app.command("lift")
def lift(
    image: Path = typer.Argument(..., help="Disk image (raw or qcow2) to which a guest has dumped."),
    folder: Path = typer.Argument(Path(), help="Where vmcore.N and info.N go."),
    partition: int | None = typer.Option(None, "--partition", "-p", help="Of the dump meant; 0: the whole disk."),
    list_only: bool = typer.Option(False, "--list", help="Only tell what is there, one JSON object a line."),
) -> None:
    """The dump on a disk image as files, like savecore(8). Prints the file's name. With --list it ends 1 when there is
    none."""
    if list_only:
        found = _kdev.find_dumps(image)
        for info in found:
            print(info.to_json())
        if not found:
            raise typer.Exit(1)
    else:
        print(_kdev.lift_dump(image, folder, partition=partition).file)


@app.command("core")
def core(
    file: Path = typer.Argument(
        ..., help="A dump: vmcore.N, also compressed; the disk image that it lies on; or a bundle."
    ),
    kernel: Path | None = typer.Option(None, "--kernel", "-k", help="Workspace or kernel's JSON file."),
    vmlinux: Path | None = typer.Option(None, "--vmlinux", help="ELF file with debug information."),
    module: list[Path] = typer.Option([], "--module", "-m", help="A module's .ko; may be repeated."),
    source: Path | None = typer.Option(None, "--source", "-s", help="Tree to read source lines from."),
    threads: bool = typer.Option(False, "--threads", help="Every thread, and its stack."),
    dmesg: bool = typer.Option(False, "--dmesg", help="Only the kernel's messages."),
    as_json: bool = typer.Option(False, "--json", help="The report as JSON."),
    frames: int = typer.Option(25, "--frames", help="Frames shown of each trace."),
) -> None:
    """What a memory dump says of the crash."""
    of = find_kernel(kernel) if kernel else None
    opened = open_any(file, of or vmlinux, module, source)
    if isinstance(opened, Bundle):
        opened = opened.core(of, vmlinux=vmlinux, modules=module, source=source)
    if not isinstance(opened, Core):
        raise FormatError(
            f"it is no memory dump: it is a {_kdev.identify(file)}",
            attempted=f"read the dump {file}",
            hint="kdev crash decode reads logs and reports",
        )
    dump = opened
    if dmesg:
        sys.stdout.write(dump.dmesg())
        return
    report = dump.report()
    if as_json:
        print(report.to_json())
        return
    out = console()
    print_crash(report, out, frames)
    if threads:
        for thread in dump.threads():
            where = f" on CPU {thread.cpu}" if thread.cpu >= 0 else ""
            waits = f" for {thread.wait_channel}" if thread.wait_channel else ""
            head = f"{thread.pid} {thread.process}, thread {thread.tid} {thread.name}: {thread.state}{waits}{where}"
            out.print(Text("\n" + head, style="bold"))
            out.print(frame_table(dump.stack(thread.tid).frames, frames))
