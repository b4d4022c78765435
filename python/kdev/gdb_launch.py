"""A debug session given to a gdb that people type at, or to an editor."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._kdev import DebugSession, GdbCommand


def interact(session: DebugSession) -> int:
    """gdb in this terminal until it ends; its exit code. The session is closed then."""
    command = session.hand_over()
    # Ctrl-C is gdb's: it stops the kernel.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(command.argv, check=False, restore_signals=True, preexec_fn=_default_interrupt).returncode
    finally:
        signal.signal(signal.SIGINT, before)
        session.close()


def _default_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def launch_json(command: GdbCommand, name: str) -> dict[str, Any]:
    """What .vscode/launch.json wants: one entry for the C/C++ extension (type cppdbg), which drives gdb by its machine
    interface, and one for editors that speak to gdb's own debug adapter (gdb 14 and newer, "gdb --interpreter=dap")."""
    gdb = command.argv[0]
    source = f'source "{command.script}"' if " " in str(command.script) else f"source {command.script}"
    return {
        "version": "0.2.0",
        "configurations": [
            {
                "name": name,
                "type": "cppdbg",
                "request": "launch",
                "program": str(command.symbols),
                "cwd": "${workspaceFolder}",
                "MIMode": "gdb",
                "miDebuggerPath": gdb,
                "miDebuggerArgs": "-nx",
                "customLaunchSetupCommands": [
                    {
                        "description": "kdev: symbols, modules, unwinders, the target",
                        "text": f"-interpreter-exec console {_quoted(source)}",
                        "ignoreFailures": False,
                    }
                ],
                "launchCompleteCommand": "None",
            },
            {
                "name": f"{name} (gdb's debug adapter)",
                "type": "gdb",
                "request": "launch",
                "debuggerPath": gdb,
                "debuggerArgs": command.argv[1:],
            },
        ],
    }


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
