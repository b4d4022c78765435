"""A task's kernel stack: where it is, how much of it is in use, what is on it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from .. import markup
from ..errors import ConfigError

if TYPE_CHECKING:
    import drgn


@dataclass(frozen=True)
class KernelStack:
    name: str
    pid: int
    low: int
    """Where it ends when it is full."""
    high: int
    """Where it begins."""
    pointer: int | None
    """Of what is on it; None: the task runs elsewhere, in its program or on an interrupt's stack."""
    trace: drgn.StackTrace | None
    """None: it cannot be unwound. A drgn.StackTrace, innermost first."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.high - self.low

    @property
    def used(self) -> int:
        """Bytes; 0 when the task runs elsewhere."""
        return 0 if self.pointer is None else self.high - self.pointer

    def __str__(self) -> str:
        where = f"{self.used} of {self.size} bytes in use" if self.pointer is not None else "the task runs elsewhere"
        head = f"{self.name} ({self.pid}): stack {self.low:#x} to {self.high:#x}, {where}"
        return head if self.trace is None else f"{head}\n{self.trace}"

    def _repr_html_(self) -> str:
        head, _, trace = str(self).partition("\n")
        part = round(100 * self.used / self.size) if self.size else 0
        bar = (
            f'<div style="width:16em;height:.5em;border:1px solid {markup.LINE};border-radius:3px;margin:.3em 0">'
            f'<div style="width:{part}%;height:100%;background:{markup.BLUE}"></div></div>'
        )
        return (
            f"<div><div>{escape(head)}</div>{bar}"
            f'<pre style="{markup.MONO};white-space:pre-wrap;margin:.3em 0">{escape(trace)}</pre></div>'
        )


def _thread_size(prog: drgn.Program) -> int:
    """THREAD_SIZE, a macro: it is how large the first task's stack is."""
    try:
        return int(prog.type("union thread_union").size)
    except LookupError:  # no code has a variable of it
        pass
    # INIT_TASK_DATA in include/asm-generic/vmlinux.lds.h; before 6.10 without "stack".
    for name in ("init_stack", "init_task"):
        try:
            return int(prog.symbol(f"__end_{name}").address - prog.symbol(f"__start_{name}").address)
        except LookupError:
            continue
    raise ConfigError("the kernel does not tell how large its stacks are", attempted="show a kernel stack")


def kernel_stack(task: drgn.Object) -> KernelStack:
    """Of a task_struct *. What runs is shown where it was when the program was made: on a guest that runs on, a new
    vm.drgn() looks anew."""
    prog = task.prog_
    low = task.stack.value_()
    high = low + _thread_size(prog)
    try:
        trace = prog.stack_trace(task)
        pointer = trace[0].sp if len(trace) else None
    except (ValueError, LookupError):
        trace = pointer = None
    if pointer is None or not low <= pointer < high:
        pointer = None
    return KernelStack(task.comm.string_().decode(errors="replace"), task.pid.value_(), low, high, pointer, trace)
