"""kdev crash suspects, kdev crash history: who touched the lines that a report blames, and which crashes are known."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import typer
from rich.table import Table
from rich.text import Text

from .._kdev import Commit, CrashHistory, CrashReport, Symbolizer, suspects
from ..scan import scan_file
from .build import find_kernel
from .output import console


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def _reports(log: Path) -> list[CrashReport]:
    return [report for report in scan_file(log.expanduser()) if not report.suppressed]


def _row(commit: Commit) -> list[Text]:
    return [Text(commit.id[:12], style="yellow"), Text(_day(commit.time)), Text(commit.author), Text(commit.subject)]


def show_suspects(
    log: Path = typer.Argument(..., help="A console log: its first report is taken."),
    kernel: Path | None = typer.Option(None, "--kernel", "-k", help="Workspace or kernel's JSON file."),
    vmlinux: Path | None = typer.Option(None, "--vmlinux", help="ELF file with debug information."),
    module: list[Path] = typer.Option([], "--module", "-m", help="A module's .ko; may be repeated."),
    tree: Path = typer.Option(..., "--tree", "-t", help="The source, in a git repository."),
    revision: str = typer.Option("", "--revision", "-r", help="What the kernel was built from; default: the tree."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object."),
) -> None:
    """The commits that last touched the lines that a report blames, and what changed their file lately."""
    reports = _reports(log)
    if not reports:
        raise typer.BadParameter(f"no crash report in {log}", param_hint="LOG")
    report = reports[0]
    if kernel is not None:
        report = Symbolizer(find_kernel(kernel), modules=module).symbolize(report)
    elif vmlinux is not None:
        system: Literal["linux", "freebsd"] = "freebsd" if report.os == "freebsd" else "linux"
        report = Symbolizer(vmlinux=vmlinux, modules=module, source=tree, os=system).symbolize(report)
    found = suspects(report, tree, revision=revision)
    if as_json:
        print(found.to_json())
        return
    out = console()
    out.print(Text(report.title, style="bold"))
    lines = Table("line", "commit", "date", "author", "subject", box=None)
    for line in found.lines:
        where = Text(f"{line.frame.function}  {line.frame.file}:{line.frame.line}")
        lines.add_row(where, *(_row(line.last) if line.last else [Text("not committed")]))
    out.print(lines)
    recent = Table(
        "commit", "date", "author", "subject", box=None, title="Latest changes to the file", title_justify="left"
    )
    for commit in found.recent:
        recent.add_row(*_row(commit))
    out.print(recent)
    for note in found.notes:
        out.print(Text(note, style="dim"))


def history(
    file: Path = typer.Argument(..., help="The history; made when missing."),
    log: list[Path] = typer.Option([], "--add", "-a", help="A console log whose reports are counted; may be repeated."),
    like: Path | None = typer.Option(None, "--similar", "-s", help="A console log: what resembles its first report."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line and crash."),
) -> None:
    """Crashes that were seen: how often, first and last; new ones are marked."""
    known = CrashHistory(file.expanduser())
    new = {seen.key for each in log for report in _reports(each) if (seen := known.add(report)).count == 1}
    out = console()
    if like is not None:
        reports = _reports(like)
        if not reports:
            raise typer.BadParameter(f"no crash report in {like}", param_hint="--similar")
        alike = known.similar(reports[0])
        if as_json:
            for other in alike:
                print(other.to_json())
            return
        table = Table("score", "title", "why", box=None)
        for other in alike:
            table.add_row(f"{other.score:.2f}", Text(other.sighting.title), Text(other.why))
        out.print(table)
        return
    if as_json:
        for seen in known.all():
            print(seen.to_json())
        return
    table = Table("", "count", "first", "last", "title", "kernel", box=None)
    for seen in known.all():
        mark = Text("new", style="bold green") if seen.key in new else Text()
        days = [_day(seen.first_seen), _day(seen.last_seen)]
        table.add_row(mark, str(seen.count), *days, Text(seen.title), Text(seen.last_release))
    out.print(table)
