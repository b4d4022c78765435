"""A console's text with file and line in it."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Literal

from ._kdev import KernelArtifact, Symbolizer


def decode(
    text: str | bytes,
    kernel: KernelArtifact | None = None,
    *,
    vmlinux: str | PathLike[str] | None = None,
    modules: Sequence[str | PathLike[str]] = (),
    source: str | PathLike[str] | None = None,
    os: Literal["linux", "freebsd"] = "linux",
    source_text: bool = False,
    build_id: str = "",
    debuginfod: bool = True,
) -> str:
    """The text of a console, or a pasted oops, with file and line behind every function that the kernel or its modules
    have; inline functions come on lines before it. What cannot be told stays as it is. `build_id`, `debuginfod`: see
    Symbolizer. For several texts of one kernel, make one of these once and call its decode()."""
    symbolizer = Symbolizer(
        kernel,
        vmlinux=vmlinux,
        modules=list(modules),
        source=source,
        os=os,
        build_id=build_id,
        debuginfod=debuginfod,
    )
    return symbolizer.decode(text, source_text=source_text)
