"""What QEMU itself says of a guest's processors and page tables: its human monitor, and its events."""

from __future__ import annotations

import json
import re
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

import kdev


def ask(vm: kdev.VM, command: str) -> str:
    answer = vm.qmp("human-monitor-command", **{"command-line": command})
    assert isinstance(answer, str)
    return answer


@dataclass
class Cpu:
    gdt: int
    gdt_limit: int
    idt: int
    idt_limit: int
    tr_base: int
    tr_selector: int
    tr_limit: int
    cs: int
    cr3: int


def cpus(vm: kdev.VM) -> list[Cpu]:
    """Of "info registers -a"."""
    return [_cpu(text) for text in ask(vm, "info registers -a").split("CPU#")[1:]]


def _cpu(text: str) -> Cpu:
    def pair(name: str) -> tuple[int, int]:
        found = re.search(rf"^{name}= +([0-9a-f]+) ([0-9a-f]+)", text, re.MULTILINE)
        assert found, text
        return int(found[1], 16), int(found[2], 16)

    task = re.search(r"^TR =([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)", text, re.MULTILINE)
    code = re.search(r"^CS =([0-9a-f]+)", text, re.MULTILINE)
    control = re.search(r"CR3=([0-9a-f]+)", text)
    assert task and code and control, text
    return Cpu(
        *pair("GDT"),
        *pair("IDT"),
        tr_selector=int(task[1], 16),
        tr_base=int(task[2], 16),
        tr_limit=int(task[3], 16),
        cs=int(code[1], 16),
        cr3=int(control[1], 16),
    )


def physical(vm: kdev.VM, address: int) -> int | None:
    """CPU 0's translation; None: there is none."""
    found = re.search(r"gpa: (0x[0-9a-f]+)", ask(vm, f"gva2gpa {address:#x}"))
    return int(found[1], 16) if found else None


def mapped(vm: kdev.VM) -> list[tuple[int, int, str]]:
    """CPU 0's ranges, with rights as "urw"."""
    ranges = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) [0-9a-f]+ (\S+)", ask(vm, "info mem"), re.MULTILINE)
    return [(int(begin, 16), int(end, 16), rights) for begin, end, rights in ranges]


class Events:
    """QEMU's events, over a monitor of their own: of a VM with qemu_args=Events.arguments(path)."""

    @staticmethod
    def arguments(path: Path) -> list[str]:
        return ["-qmp", f"unix:{path},server=on,wait=off"]

    def __init__(self, path: Path) -> None:
        self.names: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r")
        self._socket.sendall(b'{"execute": "qmp_capabilities"}\n')
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for line in self._lines:
            event = json.loads(line).get("event")
            if event:
                self.names.append(event)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._lines.close()
        self._socket.close()
