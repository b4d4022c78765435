"""kdev: build a kernel, boot it, drive it, crash it, read the crash.

    import kdev

    ws = kdev.Workspace("~/ws/dev", source="/usr/src/linux-source-6.1")
    kernel = ws.build(kdev.KernConf.tiny(ws).preset("debug"))
    with kdev.VM(kernel=kernel, memory="512M", cpus=2) as vm:
        print(vm.run("uname -r").stdout)
        crash = vm.run("echo c > /proc/sysrq-trigger").crash
        print(crash.title, crash.frames[0].source)

Blocking calls release the GIL and answer Ctrl-C; nothing is printed unless asked for (see show_progress()).
Handles (VM, Job) belong to the process that made them: in a fork's child they refuse to work, and their end there does
nothing.
"""

from __future__ import annotations

import atexit as _atexit

from . import errors
from ._kdev import (
    VM,
    AccelProbe,
    CommandResult,
    ConfDiff,
    ConfSetting,
    ConsoleLine,
    CrashFound,
    CrashReport,
    Diagnostic,
    DiagnosticFound,
    ExitStatus,
    Host,
    ImageEntry,
    Job,
    KernConf,
    KernconfDiff,
    KernconfEntry,
    KernconfFile,
    KernconfProblem,
    KernconfSummary,
    KernelArtifact,
    LostOption,
    ModuleArtifact,
    Notice,
    Pipeline,
    PipelineResult,
    ProcessResult,
    Progress,
    RebootResult,
    ResolvedConf,
    SeedImage,
    SourceTree,
    StackFrame,
    StackTrace,
    StageFinished,
    StageResult,
    StageStarted,
    StoredArtifact,
    Symbolizer,
    SymbolMatch,
    UserlandArtifact,
    VmStateChanged,
    Workspace,
    _close_all,
    agent_program,
    check_kernconf,
    detect_source,
    diff_configs,
    diff_kernconfs,
    format_list,
    list_archive,
    local_host,
    lookup_symbol,
    os_title,
    parse_list,
    probe_accel,
    read_build_id,
    running_os,
    scan_console,
    unpack_archive,
)
from .errors import (
    BootError,
    BuildError,
    ConfigError,
    DebugError,
    Error,
    FormatError,
    GuestError,
    HostError,
    Interrupted,
    TimeoutError,
)
from .events import Event, Sink
from .show import progress, show_progress

__version__ = "0.1.0"

__all__ = [
    "VM",
    "AccelProbe",
    "BootError",
    "BuildError",
    "CommandResult",
    "ConfDiff",
    "ConfSetting",
    "ConfigError",
    "ConsoleLine",
    "CrashFound",
    "CrashReport",
    "DebugError",
    "Diagnostic",
    "DiagnosticFound",
    "Error",
    "Event",
    "ExitStatus",
    "FormatError",
    "GuestError",
    "Host",
    "HostError",
    "ImageEntry",
    "Interrupted",
    "Job",
    "KernConf",
    "KernconfDiff",
    "KernconfEntry",
    "KernconfFile",
    "KernconfProblem",
    "KernconfSummary",
    "KernelArtifact",
    "LostOption",
    "ModuleArtifact",
    "Notice",
    "Pipeline",
    "PipelineResult",
    "ProcessResult",
    "Progress",
    "RebootResult",
    "ResolvedConf",
    "SeedImage",
    "Sink",
    "SourceTree",
    "StackFrame",
    "StackTrace",
    "StageFinished",
    "StageResult",
    "StageStarted",
    "StoredArtifact",
    "SymbolMatch",
    "Symbolizer",
    "TimeoutError",
    "UserlandArtifact",
    "VmStateChanged",
    "Workspace",
    "agent_program",
    "check_kernconf",
    "detect_source",
    "diff_configs",
    "diff_kernconfs",
    "errors",
    "format_list",
    "list_archive",
    "local_host",
    "lookup_symbol",
    "os_title",
    "parse_list",
    "probe_accel",
    "progress",
    "read_build_id",
    "running_os",
    "scan_console",
    "show_progress",
    "unpack_archive",
]

# VMs that nobody closed end with the interpreter, while it can still run them down.
_atexit.register(_close_all)
