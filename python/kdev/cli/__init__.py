"""The `kdev` command."""

from __future__ import annotations

import sys

import typer

from .. import __version__, errors
from . import address_space, boot, build, crash, debug, demo, doctor
from .output import print_error

app = typer.Typer(
    name="kdev",
    help="Build a kernel, boot it, drive it, crash it, read the crash.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"kdev {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Build a kernel, boot it, drive it, crash it, read the crash."""


app.command("doctor")(doctor.doctor)
app.command("build")(build.build)
app.command("install")(build.install)
app.command("boot")(boot.boot)
app.command("run")(boot.run)
app.add_typer(crash.app, name="crash")
app.command("debug")(debug.debug)
app.command("address-space")(address_space.address_space)
app.command("demo")(demo.demo)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: errors of kdev become text, an exit code of 2, and no traceback."""
    try:
        app(args=arguments, prog_name="kdev")
    except errors.Error as error:
        print_error(error)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
