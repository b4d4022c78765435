"""A folder that looks like a Linux source tree, whose make does what a test wants."""

from __future__ import annotations

from pathlib import Path

HEAD = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\nEXTRAVERSION =\n\n"


def make_tree(folder: Path, makefile: str) -> Path:
    """`makefile` follows the version lines; `make` is called with -C FOLDER O=OUTPUT."""
    for name in ("arch/x86/configs", "include/linux", "init", "scripts", "kernel"):
        (folder / name).mkdir(parents=True)
    (folder / "Kbuild").write_text("# fake\n")
    (folder / "Kconfig").write_text('config FAKE\n\tbool "fake"\n')
    (folder / "arch/x86/Kconfig").write_text("")
    (folder / "init/main.c").write_text("int main(void) { return 0; }\n")
    (folder / "Makefile").write_text(HEAD + makefile)
    return folder


def stuck_tree(folder: Path, marker: str) -> Path:
    """Whatever make is asked for, it sleeps; `marker` is in the sleeper's command line."""
    return make_tree(folder, f"%:\n\t@bash -c 'exec -a {marker} sleep 300'\n")
