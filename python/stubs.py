"""Writes kdev/_kdev.pyi, the types of the extension module, from the module itself.

usage: python python/stubs.py [--check]

The test suite runs it with --check: the committed file must be what the module says.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

STUB = Path(__file__).resolve().parent / "kdev" / "_kdev.pyi"
HEAD = '''"""libkdev for Python. Written by python/stubs.py; do not edit."""

'''


def generate() -> str:
    """The stub's text."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pybind11_stubgen", "kdev._kdev", "-o", folder, "--exit-code"],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        return tidy((Path(folder) / "kdev" / "_kdev.pyi").read_text())


def tidy(text: str) -> str:
    """What the generator cannot know."""
    text = re.sub(r'\A"""\n.*?\n"""\n', "", text, flags=re.DOTALL)
    # Comparisons and pickling as the typing rules want them.
    text = re.sub(r"def __eq__\(self, other: [^)]*\)", "def __eq__(self, other: object)", text)
    text = re.sub(r"\n {4}__hash__: typing\.ClassVar\[None\] = None", "", text)
    text = re.sub(r"def __exit__\(self, \*args\)", "def __exit__(self, *args: object)", text)
    text = re.sub(r"def __enter__\(self\) -> typing\.Any", "def __enter__(self) -> typing.Self", text)
    text = re.sub(r"def __deepcopy__\(self, memo: dict\)", "def __deepcopy__(self, memo: dict[int, typing.Any])", text)
    text = re.sub(r"def __getstate__\(self\) -> [^:]+:", "def __getstate__(self) -> typing.Any:", text)
    text = re.sub(r"def __setstate__\(self, arg0: [^)]+\)", "def __setstate__(self, arg0: typing.Any)", text)
    text = re.sub(
        r"(__dataclass_fields__: typing\.ClassVar)\[dict\].*", r"\1[dict[str, dataclasses.Field[typing.Any]]]", text
    )
    text = re.sub(r"\bdict\[str, object\]", "dict[str, typing.Any]", text)
    text = re.sub(r"def from_dict\(data: dict\)", "def from_dict(data: dict[str, typing.Any])", text)
    text = text.replace("typing.SupportsInt | typing.SupportsIndex", "int")
    # SeedImage.list() hides the type of that name.
    head, seed, tail = text.partition("\nclass SeedImage:")
    body, nxt, rest = tail.partition("\nclass ")
    text = head + seed + re.sub(r"(?<![\w.])list\[", "builtins.list[", body) + nxt + rest
    text = text.replace("import collections.abc\n", "import builtins\nimport collections.abc\nimport dataclasses\n", 1)
    text = text.replace("**kwargs)", "**arguments: typing.Any)")
    return format_text(HEAD + text)


def format_text(text: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--isolated",
            "--line-length",
            "120",
            "--stdin-filename",
            "x.pyi",
            "-",
        ],
        input=text,
        text=True,
        capture_output=True,
        check=True,
    )
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only; end 1 with the difference")
    arguments = parser.parse_args()
    if importlib.util.find_spec("pybind11_stubgen") is None:
        print("pybind11-stubgen is not installed: pip install 'kdev[dev]'", file=sys.stderr)
        return 2
    try:
        text = generate()
    except subprocess.CalledProcessError as error:
        print(error.stdout, error.stderr, sep="\n", file=sys.stderr)
        return 2
    if not arguments.check:
        STUB.write_text(text)
        return 0
    committed = STUB.read_text()
    if committed == text:
        return 0
    diff = difflib.unified_diff(committed.splitlines(True), text.splitlines(True), str(STUB), "the module")
    sys.stdout.writelines(diff)
    return 1


if __name__ == "__main__":
    sys.exit(main())
