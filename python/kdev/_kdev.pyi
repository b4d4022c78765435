"""libkdev for Python. Written by python/stubs.py; do not edit."""

from __future__ import annotations
import builtins
import collections.abc
import dataclasses
import kdev.debug_view
import kdev.kernel_log
import kdev.memory
import kdev.tables
import os
import pathlib
import typing

__all__: list[str] = [
    "AccelProbe",
    "Bundle",
    "CommandResult",
    "Commit",
    "ConfDiff",
    "ConfSetting",
    "ConsoleLine",
    "ConsoleScanner",
    "Core",
    "CoreCpu",
    "CoreLock",
    "CoreMessage",
    "CoreModule",
    "CoreNote",
    "CoreThread",
    "CrashFound",
    "CrashHistory",
    "CrashReport",
    "DebugBreakpoint",
    "DebugBreakpointChanged",
    "DebugFrame",
    "DebugInstruction",
    "DebugModule",
    "DebugOutput",
    "DebugResumed",
    "DebugSession",
    "DebugStop",
    "DebugStopped",
    "DebugTargetLost",
    "DebugThread",
    "DebugWrite",
    "DebuggerAnswer",
    "DebuggerBackends",
    "DebuggerTask",
    "Diagnostic",
    "DiagnosticFound",
    "Disk",
    "DiskFile",
    "DumpInfo",
    "DumpSettings",
    "ExitStatus",
    "FaultInfo",
    "FaultMember",
    "GdbCommand",
    "GuestCommand",
    "Host",
    "I386Pmap",
    "ImageEntry",
    "InstalledKernel",
    "Job",
    "KernConf",
    "KernconfDiff",
    "KernconfEntry",
    "KernconfFile",
    "KernconfProblem",
    "KernconfSummary",
    "KernelAddressSpace",
    "KernelArtifact",
    "KernelDebugger",
    "LiftedDump",
    "LostOption",
    "ModuleArtifact",
    "Notice",
    "OnCrash",
    "Pipeline",
    "PipelineResult",
    "PoisonedRegister",
    "ProcessResult",
    "Progress",
    "RebootResult",
    "Recording",
    "ResolvedConf",
    "RunningVm",
    "SeedImage",
    "Sighting",
    "SimilarCrash",
    "SlabObject",
    "SourceTree",
    "StackFrame",
    "StackTrace",
    "StageFinished",
    "StageResult",
    "StageStarted",
    "StoredArtifact",
    "SuspectLine",
    "Suspects",
    "SymbolMatch",
    "Symbolizer",
    "TextDump",
    "TreeEdit",
    "UserlandArtifact",
    "VM",
    "Variable",
    "VmStateChanged",
    "Workspace",
    "WrittenDump",
    "agent_program",
    "check_kernconf",
    "console_systems",
    "crash_key",
    "customize",
    "debug_running",
    "detect_console",
    "detect_source",
    "diff_configs",
    "diff_kernconfs",
    "find_dumps",
    "format_list",
    "identify",
    "lift_dump",
    "list_archive",
    "local_host",
    "lookup_symbol",
    "os_title",
    "parse_list",
    "probe_accel",
    "read_build_id",
    "read_text_dump",
    "running_os",
    "running_vms",
    "scan_console",
    "suspects",
    "unpack_archive",
]

class Diagnostic:
    """
    One message of a compiler, linker or make.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Diagnostic: ...
    @staticmethod
    def from_json(text: str) -> Diagnostic: ...
    def __copy__(self) -> Diagnostic: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Diagnostic: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def column(self) -> int:
        """
        1-based; 0: none.
        """
    @property
    def file(self) -> pathlib.Path | None:
        """
        As absolute as could be worked out; None for a linker or make message.
        """
    @property
    def line(self) -> int:
        """
        1-based; 0: none.
        """
    @property
    def message(self) -> str: ...
    @property
    def severity(self) -> str:
        """
        'error', 'fatal error', 'warning' or 'note'.
        """

class StageStarted:
    """
    A stage of a pipeline, or one long operation, began.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> StageStarted: ...
    @staticmethod
    def from_json(text: str) -> StageStarted: ...
    def __copy__(self) -> StageStarted: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> StageStarted: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def text(self) -> str: ...

class StageFinished:
    """
    The same stage ended.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> StageFinished: ...
    @staticmethod
    def from_json(text: str) -> StageFinished: ...
    def __copy__(self) -> StageFinished: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> StageFinished: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def duration(self) -> float:
        """
        Seconds.
        """
    @property
    def outcome(self) -> str:
        """
        'done', 'cached', 'failed' or 'interrupted'.
        """
    @property
    def stage(self) -> str: ...
    @property
    def text(self) -> str: ...

class Progress:
    """
    How far a stage is.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Progress: ...
    @staticmethod
    def from_json(text: str) -> Progress: ...
    def __copy__(self) -> Progress: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Progress: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def done(self) -> int: ...
    @property
    def eta(self) -> float:
        """
        Expected seconds left; negative: unknown.
        """
    @property
    def stage(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def total(self) -> int:
        """
        Expected; 0: unknown.
        """

class DiagnosticFound:
    """
    A compiler message as it appears.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DiagnosticFound: ...
    @staticmethod
    def from_json(text: str) -> DiagnosticFound: ...
    def __copy__(self) -> DiagnosticFound: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DiagnosticFound: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def diagnostic(self) -> Diagnostic: ...

class VmStateChanged:
    """
    A VM changed its state.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> VmStateChanged: ...
    @staticmethod
    def from_json(text: str) -> VmStateChanged: ...
    def __copy__(self) -> VmStateChanged: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> VmStateChanged: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def from_state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def to_state(self) -> str: ...
    @property
    def vm(self) -> str: ...

class ConsoleLine:
    """
    A whole line of the guest's console, without its line end.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ConsoleLine: ...
    @staticmethod
    def from_json(text: str) -> ConsoleLine: ...
    def __copy__(self) -> ConsoleLine: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ConsoleLine: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def vm(self) -> str: ...

class CrashFound:
    """
    A crash was recognised on a console.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CrashFound: ...
    @staticmethod
    def from_json(text: str) -> CrashFound: ...
    def __copy__(self) -> CrashFound: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CrashFound: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def vm(self) -> str: ...

class Notice:
    """
    Something a person should know: a fall-back taken, a resource reaped.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Notice: ...
    @staticmethod
    def from_json(text: str) -> Notice: ...
    def __copy__(self) -> Notice: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Notice: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def text(self) -> str: ...

class ExitStatus:
    """
    How a process ended: a code or a signal, never mixed up.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ExitStatus: ...
    @staticmethod
    def from_json(text: str) -> ExitStatus: ...
    def __copy__(self) -> ExitStatus: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ExitStatus: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def code(self) -> int | None: ...
    @property
    def ok(self) -> bool: ...
    @property
    def signal(self) -> int | None: ...

class ProcessResult:
    """
    What a program on the host did.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ProcessResult: ...
    @staticmethod
    def from_json(text: str) -> ProcessResult: ...
    def __copy__(self) -> ProcessResult: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ProcessResult: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def duration(self) -> float:
        """
        Seconds.
        """
    @property
    def ok(self) -> bool: ...
    @property
    def status(self) -> ExitStatus: ...
    @property
    def stderr(self) -> str: ...
    @property
    def stderr_bytes(self) -> bytes:
        """
        The same as bytes.
        """
    @property
    def stdout(self) -> str: ...
    @property
    def stdout_bytes(self) -> bytes:
        """
        The same as bytes.
        """
    @property
    def truncated(self) -> bool:
        """
        Not all output was kept.
        """

class Host:
    """
    A machine that runs commands. Thread-safe.
    """
    def __repr__(self) -> str: ...
    def run(
        self,
        argv: collections.abc.Sequence[str],
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: collections.abc.Mapping[str, str] = {},
        input: str | bytes = b"",
        timeout: float | None = None,
        on_stdout: collections.abc.Callable[[str], None] | None = None,
        on_stderr: collections.abc.Callable[[str], None] | None = None,
    ) -> ProcessResult:
        """
        Runs a program to its end; a non-zero exit is data. The whole process group ends with the call.
        """
    def which(self, program: str) -> pathlib.Path | None:
        """
        Full path of a program in PATH, or None.
        """
    @property
    def cpu_count(self) -> int: ...
    @property
    def is_local(self) -> bool: ...
    @property
    def memory_available(self) -> int:
        """
        Bytes available to new processes.
        """
    @property
    def name(self) -> str: ...

class SourceTree:
    """
    What a kernel source tree was recognised as.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> SourceTree: ...
    @staticmethod
    def from_json(text: str) -> SourceTree: ...
    def __copy__(self) -> SourceTree: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> SourceTree: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def os(self) -> typing.Literal["linux", "freebsd"]: ...
    @property
    def path(self) -> pathlib.Path:
        """
        Absolute.
        """
    @property
    def version(self) -> str: ...

class SymbolMatch:
    """
    A symbol that an address lies in.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> SymbolMatch: ...
    @staticmethod
    def from_json(text: str) -> SymbolMatch: ...
    def __copy__(self) -> SymbolMatch: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> SymbolMatch: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int:
        """
        Of the symbol's start.
        """
    @property
    def name(self) -> str: ...
    @property
    def offset(self) -> int:
        """
        Of the looked-up address into it.
        """
    @property
    def type(self) -> str:
        """
        As nm(1) prints it.
        """

class KernelArtifact:
    """
    One built kernel: everything from the same build.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> KernelArtifact: ...
    @staticmethod
    def from_json(text: str) -> KernelArtifact: ...
    def __copy__(self) -> KernelArtifact: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> KernelArtifact: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def _repr_html_(self) -> str: ...
    def lookup(self, address: str) -> list[SymbolMatch]:
        """
        Nearest symbols for a hex address; unknown digits are 'x' or left out at the end.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def arch(self) -> str: ...
    @property
    def build_id(self) -> str:
        """
        GNU build id of vmlinux, hex.
        """
    @property
    def bzimage(self) -> pathlib.Path | None:
        """
        Compressed image; None when not built.
        """
    @property
    def config(self) -> pathlib.Path: ...
    @property
    def dir(self) -> pathlib.Path:
        """
        Its folder in the store.
        """
    @property
    def from_store(self) -> bool:
        """
        This build ran no make.
        """
    @property
    def id(self) -> str:
        """
        Content key in the store.
        """
    @property
    def image(self) -> pathlib.Path:
        """
        What boots fastest directly.
        """
    @property
    def modules(self) -> pathlib.Path | None:
        """
        Folder that holds lib/modules/RELEASE; None when there are none.
        """
    @property
    def obj(self) -> pathlib.Path:
        """
        The output tree, for out-of-tree modules.
        """
    @property
    def os(self) -> typing.Literal["linux", "freebsd"]: ...
    @property
    def release(self) -> str:
        """
        uname -r.
        """
    @property
    def source(self) -> pathlib.Path:
        """
        The tree it was built from.
        """
    @property
    def system_map(self) -> pathlib.Path: ...
    @property
    def vmlinux(self) -> pathlib.Path:
        """
        With debug information.
        """

class InstalledKernel:
    """
    Where install_kernel() has put a kernel.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> InstalledKernel: ...
    @staticmethod
    def from_json(text: str) -> InstalledKernel: ...
    def __copy__(self) -> InstalledKernel: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> InstalledKernel: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def debug(self) -> pathlib.Path | None:
        """
        Folder of the debug information; None: there is none.
        """
    @property
    def kernel(self) -> pathlib.Path:
        """
        The file that is booted.
        """
    @property
    def metalog(self) -> pathlib.Path | None:
        """
        Owners and modes, in the form of mtree(5); None: all are root's.
        """
    @property
    def modules(self) -> pathlib.Path | None:
        """
        Folder of its modules; None: there are none.
        """
    @property
    def name(self) -> str:
        """
        What boot loaders know it by.
        """

class ModuleArtifact:
    """
    An out-of-tree module built for one kernel.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ModuleArtifact: ...
    @staticmethod
    def from_json(text: str) -> ModuleArtifact: ...
    def __copy__(self) -> ModuleArtifact: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ModuleArtifact: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def build_id(self) -> str: ...
    @property
    def from_store(self) -> bool: ...
    @property
    def kernel_id(self) -> str: ...
    @property
    def ko(self) -> pathlib.Path: ...
    @property
    def name(self) -> str:
        """
        As lsmod shows it.
        """
    @property
    def source(self) -> pathlib.Path:
        """
        Folder it was built from.
        """

class UserlandArtifact:
    """
    Programs for a guest, from the tree that its kernel comes from.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> UserlandArtifact: ...
    @staticmethod
    def from_json(text: str) -> UserlandArtifact: ...
    def __copy__(self) -> UserlandArtifact: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> UserlandArtifact: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def boot(self) -> pathlib.Path | None:
        """
        Boot loaders and their scripts, as the guest's /boot; None: the tree's are left out.
        """
    @property
    def dir(self) -> pathlib.Path:
        """
        Its folder in the store.
        """
    @property
    def from_store(self) -> bool:
        """
        Nothing was run.
        """
    @property
    def id(self) -> str:
        """
        Content key in the store.
        """
    @property
    def kind(self) -> str:
        """
        'rescue': one static program of many names; 'world': all the tree has.
        """
    @property
    def makefs(self) -> pathlib.Path | None:
        """
        Makes the guest's file systems on this host; None: not needed.
        """
    @property
    def metalog(self) -> pathlib.Path | None:
        """
        Owners and modes of the root's files, in the form of mtree(5); None: all are root's.
        """
    @property
    def mkimg(self) -> pathlib.Path | None:
        """
        Puts them, and the loaders, into a disk image on this host; None: not needed.
        """
    @property
    def os(self) -> typing.Literal["linux", "freebsd"]: ...
    @property
    def release(self) -> str:
        """
        The tree's version.
        """
    @property
    def root(self) -> pathlib.Path:
        """
        What a guest's root holds, kdev's agent as /init.
        """
    @property
    def sysroot(self) -> pathlib.Path:
        """
        Headers and libraries to build programs against.
        """

class ConfSetting:
    """
    One asked-for setting and who asked.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ConfSetting: ...
    @staticmethod
    def from_json(text: str) -> ConfSetting: ...
    def __copy__(self) -> ConfSetting: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ConfSetting: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def option(self) -> str:
        """
        Without the CONFIG_ prefix.
        """
    @property
    def origin(self) -> str:
        """
        'base tiny', 'preset debug', 'fragment FILE:LINE', 'user'.
        """
    @property
    def value(self) -> str:
        """
        As in .config; strings without quotes.
        """
    @property
    def wanted(self) -> bool:
        """
        False: dropped silently where the tree does not know it.
        """

class ConfDiff:
    """
    One difference between two configs.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ConfDiff: ...
    @staticmethod
    def from_json(text: str) -> ConfDiff: ...
    def __copy__(self) -> ConfDiff: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ConfDiff: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def left(self) -> str | None: ...
    @property
    def option(self) -> str: ...
    @property
    def right(self) -> str | None: ...

class LostOption:
    """
    An asked-for option that the tree's own olddefconfig did not keep.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> LostOption: ...
    @staticmethod
    def from_json(text: str) -> LostOption: ...
    def __copy__(self) -> LostOption: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> LostOption: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def asked(self) -> ConfSetting: ...
    @property
    def depends(self) -> str: ...
    @property
    def got(self) -> str | None:
        """
        None: the tree does not know the option.
        """
    @property
    def nearest(self) -> list[str]:
        """
        Known options with a similar name.
        """
    @property
    def type(self) -> str:
        """
        'bool', 'tristate', 'string', 'int' or 'hex'; empty: unknown.
        """
    @property
    def unmet(self) -> list[str]: ...

class ResolvedConf:
    """
    The outcome of merging and running the tree's own configuration tool.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ResolvedConf: ...
    @staticmethod
    def from_json(text: str) -> ResolvedConf: ...
    def __copy__(self) -> ResolvedConf: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ResolvedConf: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def lost(self) -> list[LostOption]: ...
    @property
    def overridden(self) -> list[ConfSetting]:
        """
        Settings that a later layer replaced, in merge order.
        """
    @property
    def text(self) -> str:
        """
        The full .config.
        """
    @property
    def values(self) -> dict[str, str]:
        """
        Set options only.
        """

class Workspace:
    """
    A folder of kdev's own beside an untouched source tree. Usable from several threads.
    """
    def __enter__(self) -> typing.Self: ...
    def __exit__(self, *args: object) -> None: ...
    def __init__(self, root: str | os.PathLike[str], source: str | os.PathLike[str] | None = None) -> None:
        """
        Opens or creates a workspace. `source`: the kernel tree, never written to; None: as when it was created.
        """
    def __repr__(self) -> str: ...
    def build(
        self,
        conf: KernConf,
        *,
        jobs: int = 0,
        targets: collections.abc.Sequence[str] = [],
        on_event: collections.abc.Callable[
            [
                StageStarted
                | StageFinished
                | Progress
                | DiagnosticFound
                | VmStateChanged
                | ConsoleLine
                | CrashFound
                | Notice
            ],
            None,
        ]
        | None = None,
        timeout: float | None = None,
    ) -> KernelArtifact:
        """
        Kernel from config: from the store when nothing changed, else by make. jobs 0: one per CPU.
        """
    def build_commands(
        self,
        conf: KernConf,
        *,
        jobs: int = 0,
        targets: collections.abc.Sequence[str] = [],
        on_event: collections.abc.Callable[
            [
                StageStarted
                | StageFinished
                | Progress
                | DiagnosticFound
                | VmStateChanged
                | ConsoleLine
                | CrashFound
                | Notice
            ],
            None,
        ]
        | None = None,
        timeout: float | None = None,
    ) -> list[str]:
        """
        The commands that build() would run, as a person would type them; nothing is built.
        """
    def build_module(
        self,
        dir: str | os.PathLike[str],
        kernel: KernelArtifact,
        *,
        jobs: int = 0,
        on_event: collections.abc.Callable[
            [
                StageStarted
                | StageFinished
                | Progress
                | DiagnosticFound
                | VmStateChanged
                | ConsoleLine
                | CrashFound
                | Notice
            ],
            None,
        ]
        | None = None,
        timeout: float | None = None,
    ) -> ModuleArtifact:
        """
        Kbuild module in `dir` (a Makefile with obj-m).
        """
    def build_userland(
        self,
        kind: str = "",
        *,
        jobs: int = 0,
        on_event: collections.abc.Callable[
            [
                StageStarted
                | StageFinished
                | Progress
                | DiagnosticFound
                | VmStateChanged
                | ConsoleLine
                | CrashFound
                | Notice
            ],
            None,
        ]
        | None = None,
        timeout: float | None = None,
    ) -> UserlandArtifact:
        """
        Programs for the guest from the same tree (FreeBSD: 'rescue', the usual one; 'world').
        """
    def install_kernel(
        self, kernel: KernelArtifact, dest: str | os.PathLike[str] | None = None, name: str = ""
    ) -> InstalledKernel:
        """
        Puts a kernel, its modules and debug information into a root's folder, default the sysroot, as the guest's own installation does, without root's rights.
        """
    def scaffold(self, kind: str, name: str, dir: str | os.PathLike[str] | None = None) -> pathlib.Path:
        """
        Writes a module and its Makefile to `dir`, default src/NAME; returns the folder.
        """
    def stored(self) -> list[StoredArtifact]: ...
    @property
    def artifacts(self) -> pathlib.Path:
        """
        The artifact store.
        """
    @property
    def obj(self) -> pathlib.Path:
        """
        Build output.
        """
    @property
    def os(self) -> typing.Literal["linux", "freebsd"]: ...
    @property
    def reaped(self) -> list[str]:
        """
        What a dead owner had left, one line each.
        """
    @property
    def root(self) -> pathlib.Path: ...
    @property
    def run_dir(self) -> pathlib.Path:
        """
        VM folders and leases.
        """
    @property
    def source(self) -> pathlib.Path: ...
    @property
    def src(self) -> pathlib.Path:
        """
        Out-of-tree modules and scaffolds.
        """
    @property
    def sysroot(self) -> pathlib.Path: ...
    @property
    def tree(self) -> SourceTree: ...
    @property
    def userlands(self) -> list[str]:
        """
        What build_userland() takes; empty where the tree holds the kernel alone.
        """

class KernConf:
    """
    What a kernel is to be configured as: immutable, every call returns a new value.
    """
    @staticmethod
    def defconfig(os: typing.Literal["linux", "freebsd"] = "linux") -> KernConf: ...
    @staticmethod
    def file(path: str | os.PathLike[str], os: typing.Literal["linux", "freebsd"] = "linux") -> KernConf:
        """
        A whole .config.
        """
    @staticmethod
    def from_json(text: str) -> KernConf: ...
    @staticmethod
    def preset_names(os: typing.Literal["linux", "freebsd"] = "linux") -> list[str]: ...
    @staticmethod
    def running(os: typing.Literal["linux", "freebsd"] | None = None) -> KernConf:
        """
        The running kernel's. ConfigError when this machine does not run an `os`; None: whatever it runs.
        """
    @staticmethod
    @typing.overload
    def tiny(ws: Workspace) -> KernConf:
        """
        Boots in a VM on little more than serial, virtio, proc, sysfs and modules.
        """
    @staticmethod
    @typing.overload
    def tiny(os: typing.Literal["linux", "freebsd"] = "linux") -> KernConf: ...
    def __copy__(self) -> KernConf: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> KernConf: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def describe(self) -> str:
        """
        The merge order as a table for people.
        """
    def diff(self, other: KernConf) -> list[ConfDiff]:
        """
        Settings of this one against another, without a tree.
        """
    def disable(self, option: str) -> KernConf: ...
    def enable(self, option: str) -> KernConf: ...
    def fragment(self, path: str | os.PathLike[str]) -> KernConf:
        """
        A file in merge_config.sh's format.
        """
    def initramfs_source(self, path: str | os.PathLike[str]) -> KernConf:
        """
        What the kernel holds its first file system from (Linux: CONFIG_INITRAMFS_SOURCE).
        """
    def make_variable(self, name: str, value: str) -> KernConf:
        """
        A Kbuild variable for make's command line, e.g. KCFLAGS.
        """
    def module(self, option: str) -> KernConf: ...
    def preset(self, name: str) -> KernConf: ...
    def resolve(self, ws: Workspace, *, timeout: float | None = None) -> ResolvedConf:
        """
        Merges, runs the tree's own olddefconfig, checks every wanted setting. ConfigError names each lost one.
        """
    @typing.overload
    def set(self, option: str, value: str) -> KernConf: ...
    @typing.overload
    def set(self, option: str, value: int) -> KernConf: ...
    def to_json(self) -> str: ...
    def try_resolve(self, ws: Workspace, *, timeout: float | None = None) -> ResolvedConf:
        """
        The same without raising for lost ones.
        """
    @property
    def base(self) -> str: ...
    @property
    def base_file(self) -> pathlib.Path | None: ...
    @property
    def make_variables(self) -> dict[str, str]: ...
    @property
    def os(self) -> typing.Literal["linux", "freebsd"]: ...
    @property
    def presets(self) -> list[str]: ...
    @property
    def settings(self) -> list[ConfSetting]:
        """
        In merge order: later ones win.
        """

class KernconfEntry:
    """
    One statement of a KERNCONF file; of `options A, B` each is one of its own.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> KernconfEntry: ...
    @staticmethod
    def from_json(text: str) -> KernconfEntry: ...
    def __copy__(self) -> KernconfEntry: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> KernconfEntry: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def append(self) -> bool:
        """
        makeoptions NAME+=VALUE.
        """
    @property
    def file(self) -> pathlib.Path: ...
    @property
    def keyword(self) -> str:
        """
        As config(5) spells it: 'options', 'nooptions', 'device' ...
        """
    @property
    def line(self) -> int:
        """
        1-based.
        """
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> str | None:
        """
        What follows '=', without quotes.
        """

class KernconfSummary:
    """
    What config(8) makes of a configuration and everything it includes.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> KernconfSummary: ...
    @staticmethod
    def from_json(text: str) -> KernconfSummary: ...
    def __copy__(self) -> KernconfSummary: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> KernconfSummary: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def entries(self) -> list[KernconfEntry]:
        """
        In effect, in order of their places.
        """
    @property
    def files(self) -> list[pathlib.Path]:
        """
        Read, in the order of their first line.
        """
    @property
    def ident(self) -> str:
        """
        What `uname -i` says.
        """
    @property
    def machine(self) -> str: ...
    @property
    def machine_arch(self) -> str: ...

class KernconfProblem:
    """
    What config(8), or the build after it, would stumble over.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> KernconfProblem: ...
    @staticmethod
    def from_json(text: str) -> KernconfProblem: ...
    def __copy__(self) -> KernconfProblem: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> KernconfProblem: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def entry(self) -> KernconfEntry: ...
    @property
    def nearest(self) -> list[str]:
        """
        Names that may have been meant.
        """
    @property
    def what(self) -> str:
        """
        'unknown option', 'obsolete option: now NAME', 'unknown device', 'missing'.
        """

class KernconfDiff:
    """
    One difference between two configurations in effect.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> KernconfDiff: ...
    @staticmethod
    def from_json(text: str) -> KernconfDiff: ...
    def __copy__(self) -> KernconfDiff: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> KernconfDiff: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def keyword(self) -> str: ...
    @property
    def left(self) -> str | None:
        """
        None: not there; '': there without a value.
        """
    @property
    def name(self) -> str: ...
    @property
    def right(self) -> str | None: ...

class KernconfFile:
    """
    A FreeBSD kernel configuration file as text that can be looked into and edited: immutable, every edit returns a new one and leaves the layout and comments of the rest alone.
    """
    @staticmethod
    def load(file: str | os.PathLike[str]) -> KernconfFile: ...
    @staticmethod
    def parse(text: str, file: str | os.PathLike[str] = ...) -> KernconfFile:
        """
        `file` is for messages and for finding includes.
        """
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def flatten(
        self, tree: str | os.PathLike[str] = ..., include_dirs: collections.abc.Sequence[str | os.PathLike[str]] = []
    ) -> KernconfFile:
        """
        One file without includes that config(8) makes the same kernel of.
        """
    def remove(self, keyword: str, name: str) -> KernconfFile: ...
    def set(self, keyword: str, name: str, value: str | None = None) -> KernconfFile:
        """
        Changed where it stands, else added after the last of its kind.
        """
    def summarize(
        self, tree: str | os.PathLike[str] = ..., include_dirs: collections.abc.Sequence[str | os.PathLike[str]] = []
    ) -> KernconfSummary:
        """
        Follows the includes and applies everything in order, DEFAULTS first, as config(8) does.
        """
    @property
    def entries(self) -> list[KernconfEntry]:
        """
        The statements in order, includes not followed.
        """
    @property
    def file(self) -> pathlib.Path: ...
    @property
    def text(self) -> str: ...

class TreeEdit:
    """
    One thing to change for another address space.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> TreeEdit: ...
    @staticmethod
    def from_json(text: str) -> TreeEdit: ...
    def __copy__(self) -> TreeEdit: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> TreeEdit: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def file(self) -> pathlib.Path:
        """
        Of the tree; KERNCONF stands for the configuration.
        """
    @property
    def setting(self) -> str:
        """
        '.' is the linker's location counter.
        """
    @property
    def value(self) -> str:
        """
        As it is written there.
        """

class KernelAddressSpace:
    """
    The part of an i386's 4 GB that is the kernel's.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> KernelAddressSpace: ...
    @staticmethod
    def from_json(text: str) -> KernelAddressSpace: ...
    def __copy__(self) -> KernelAddressSpace: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> KernelAddressSpace: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def edits(self) -> list[TreeEdit]:
        """
        What makes a tree's kernel so; empty: it is so.
        """
    @property
    def kernbase(self) -> int:
        """
        Virtual address where it begins.
        """
    @property
    def kva_pages(self) -> int:
        """
        Page directory entries of that size.
        """
    @property
    def load_address(self) -> int:
        """
        Virtual address that the kernel is linked to.
        """
    @property
    def nkpde(self) -> int:
        """
        Of those the ones for the kernel's own page tables.
        """
    @property
    def pae(self) -> bool: ...
    @property
    def pde_size(self) -> int:
        """
        Bytes that one page directory entry maps: 4 MB, with PAE 2 MB.
        """
    @property
    def size(self) -> int:
        """
        In bytes.
        """
    @property
    def smp(self) -> bool: ...

class I386Pmap:
    """
    How the kernels of one FreeBSD tree for i386 lay out their address space.
    """
    @staticmethod
    def of_tree(tree: str | os.PathLike[str]) -> I386Pmap:
        """
        What the tree's sys/i386/include says.
        """
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(self) -> None:
        """
        That of FreeBSD 3 and 4.
        """
    def default_size(self, pae: bool = False) -> int:
        """
        The usual size; 0 where the tree states none.
        """
    def space(self, size: int, *, smp: bool = False, pae: bool = False) -> KernelAddressSpace:
        """
        The space of that many bytes.
        """
    def space_of_nkpde(self, nkpde: int, *, smp: bool = False, pae: bool = False) -> KernelAddressSpace:
        """
        The one with that many page directory entries for the kernel's page tables.
        """
    @property
    def granularity(self) -> int:
        """
        A size must be a multiple of this many bytes.
        """
    @property
    def knob(self) -> typing.Literal["NKPDE", "KVA_PAGES", "none"]:
        """
        What the address space is set by.
        """

class DumpSettings:
    """
    How a guest's kernel is to dump when it crashes, and how much a crash may lose. What is not set stays as the guest has it.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DumpSettings: ...
    @staticmethod
    def from_json(text: str) -> DumpSettings: ...
    def __copy__(self) -> DumpSettings: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DumpSettings: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        *,
        device: str = "",
        directory: str = "",
        memory: str = "",
        enter_debugger: bool | None = None,
        full: bool | None = None,
        background_fsck: bool | None = None,
        file_delay: int | None = None,
        directory_delay: int | None = None,
        metadata_delay: int | None = None,
        compression: typing.Literal["none", "gzip", "zstd"] = "none",
    ) -> None: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def background_fsck(self) -> bool | None: ...
    @property
    def compression(self) -> typing.Literal["none", "gzip", "zstd"]:
        """
        Of the dump on `device`; the kernel needs `options GZIO` or `ZSTDIO`.
        """
    @property
    def device(self) -> str:
        """
        Where the dump goes; "AUTO": the swap of fstab.
        """
    @property
    def directory(self) -> str:
        """
        Where savecore puts it at the next boot.
        """
    @property
    def directory_delay(self) -> int | None: ...
    @property
    def enter_debugger(self) -> bool | None:
        """
        At a panic; False: it dumps and reboots unattended.
        """
    @property
    def file_delay(self) -> int | None:
        """
        Seconds until the syncer writes what was changed.
        """
    @property
    def full(self) -> bool | None:
        """
        All memory, not only the pages that the kernel uses.
        """
    @property
    def memory(self) -> str:
        """
        Like "256M": what the kernel uses of the machine's memory.
        """
    @property
    def metadata_delay(self) -> int | None: ...

class ImageEntry:
    """
    One entry of an initramfs.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> ImageEntry: ...
    @staticmethod
    def from_json(text: str) -> ImageEntry: ...
    def __copy__(self) -> ImageEntry: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> ImageEntry: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        type: typing.Literal["file", "dir", "nod", "slink", "pipe", "sock"],
        path: str,
        mode: int = 420,
        *,
        uid: int = 0,
        gid: int = 0,
        source: str | os.PathLike[str] | None = None,
        content: str | bytes = b"",
        target: str = "",
        device: str = "",
        major: int = 0,
        minor: int = 0,
    ) -> None: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def device(self) -> str: ...
    @property
    def gid(self) -> int: ...
    @property
    def major(self) -> int: ...
    @property
    def minor(self) -> int: ...
    @property
    def mode(self) -> int:
        """
        Permission bits.
        """
    @property
    def path(self) -> str:
        """
        In the guest, absolute.
        """
    @property
    def size(self) -> int:
        """
        Of a file in a listed archive, in bytes.
        """
    @property
    def source(self) -> pathlib.Path | None:
        """
        Of a file: where the content comes from.
        """
    @property
    def target(self) -> str:
        """
        Of a symbolic link.
        """
    @property
    def type(self) -> typing.Literal["file", "dir", "nod", "slink", "pipe", "sock"]: ...
    @property
    def uid(self) -> int: ...

class DiskFile:
    """
    A disk image on this host.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DiskFile: ...
    @staticmethod
    def from_json(text: str) -> DiskFile: ...
    def __copy__(self) -> DiskFile: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DiskFile: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def file(self) -> pathlib.Path: ...
    @property
    def real_size(self) -> int:
        """
        Bytes that it takes; holes take none.
        """
    @property
    def size(self) -> int:
        """
        Bytes: what a guest sees of a raw one.
        """

class SeedImage:
    """
    What a guest boots from: an immutable recipe, made into a file when a VM needs it.
    """
    @staticmethod
    def archive(file: str | os.PathLike[str]) -> SeedImage:
        """
        A ready cpio archive, used as it is.
        """
    @staticmethod
    def busybox() -> SeedImage:
        """
        Static busybox, its applets, kdev's agent as /init.
        """
    @staticmethod
    def directory(dir: str | os.PathLike[str], agent: bool = False) -> SeedImage:
        """
        A directory's content; entries are owned by root. With `agent`, kdev's agent becomes /init.
        """
    @staticmethod
    def disk(file: str | os.PathLike[str], os: typing.Literal["linux", "freebsd"], *, agent: bool = False) -> SeedImage:
        """
        A whole disk with a system and its loader: raw or NAME.qcow2, packed (NAME.raw.xz) or not. agent: kdev's agent is started on it.
        """
    @staticmethod
    def from_entries(entries: collections.abc.Sequence[ImageEntry]) -> SeedImage: ...
    @staticmethod
    def from_json(text: str) -> SeedImage: ...
    @staticmethod
    def from_url(
        url: str, os: typing.Literal["linux", "freebsd"], *, sha256: str = "", checksums: str = "", agent: bool = False
    ) -> SeedImage:
        """
        The same from a URL, fetched when it is first needed and kept; verified by sha256 or by the checksum file at the URL `checksums`.
        """
    @staticmethod
    def initramfs(path: str | os.PathLike[str]) -> SeedImage:
        """
        A folder, a list or an archive.
        """
    @staticmethod
    def list(file: str | os.PathLike[str]) -> SeedImage:
        """
        A gen_init_cpio list.
        """
    @staticmethod
    def userland(userland: UserlandArtifact) -> SeedImage:
        """
        A tree's own programs, kdev's agent as /init.
        """
    def __copy__(self) -> SeedImage: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> SeedImage: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def add_content(self, content: str | bytes, guest_path: str, mode: int = 420) -> SeedImage: ...
    def add_directory(self, guest_path: str, mode: int = 493) -> SeedImage: ...
    def add_file(self, source: str | os.PathLike[str], guest_path: str, mode: int = 0) -> SeedImage:
        """
        mode 0: the source's.
        """
    def add_module(self, module: ModuleArtifact) -> SeedImage:
        """
        As /m/NAME.ko.
        """
    def add_modules(self, kernel: KernelArtifact) -> SeedImage:
        """
        The kernel's own, where its build installs them (Linux: /lib/modules/RELEASE).
        """
    def compress(self, compression: typing.Literal["none", "gzip", "zstd"]) -> SeedImage: ...
    def dump_settings(self, settings: DumpSettings, os: typing.Literal["linux", "freebsd"] = "freebsd") -> SeedImage:
        """
        How guests that boot it dump when they crash.
        """
    def edit(
        self,
        file: str,
        *,
        set: collections.abc.Mapping[str, str] = {},
        append: collections.abc.Mapping[str, str] = {},
        subtract: collections.abc.Mapping[str, str] = {},
        remove: collections.abc.Sequence[str] = [],
        lines: collections.abc.Sequence[str] = [],
        directives: collections.abc.Mapping[str, str] = {},
    ) -> SeedImage:
        """
        Changes a configuration file as sysrc(8) does, what is not named stays: variables set, words appended to or taken out of their values, variables removed; whole lines added (fstab); "Keyword value" (sshd_config).
        """
    def entries(self) -> builtins.list[ImageEntry]:
        """
        In archive order.
        """
    def fetch(
        self,
        cache_dir: str | os.PathLike[str],
        *,
        on_event: collections.abc.Callable[
            [
                StageStarted
                | StageFinished
                | Progress
                | DiagnosticFound
                | VmStateChanged
                | ConsoleLine
                | CrashFound
                | Notice
            ],
            None,
        ]
        | None = None,
        timeout: float | None = None,
    ) -> DiskFile:
        """
        Of a disk: the image, fetched and unpacked if need be; its apparent and its real size.
        """
    def free_space(self, size: str) -> SeedImage:
        """
        Room in the root of a disk or file system that is made of it: "1G"; when not said 512 MiB on a disk, 32 MiB in memory.
        """
    def grow(self, size: str) -> SeedImage:
        """
        The disk that a guest gets of it is as large as this.
        """
    def own_init(self, os: typing.Literal["linux", "freebsd"] = "freebsd") -> SeedImage:
        """
        The system's own init starts it, with kdev's agent as one of its services.
        """
    def realize(self, cache_dir: str | os.PathLike[str], *, timeout: float | None = None) -> pathlib.Path:
        """
        The archive in a cache folder, named by content.
        """
    def swap(self, size: str) -> SeedImage:
        """
        A disk's partition for swap and crash dumps: 1 GiB when not said; "0": none.
        """
    def to_json(self) -> str: ...
    def write(self, file: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        """
        Writes the archive (newc). Same input, same bytes. Atomic.
        """
    def write_disk(
        self, file: str | os.PathLike[str], kernel: KernelArtifact, *, variables: str = "", timeout: float | None = None
    ) -> DiskFile:
        """
        A raw disk that BIOS and UEFI boot: the image's entries, its loaders, this kernel.
        """
    def write_list(self, file: str | os.PathLike[str]) -> None: ...
    @property
    def compression(self) -> typing.Literal["none", "gzip", "zstd"]: ...
    @property
    def has_agent(self) -> bool:
        """
        Then a VM can run commands.
        """
    @property
    def is_archive(self) -> bool: ...
    @property
    def is_disk(self) -> bool: ...

class Disk:
    """
    A disk of a VM, in the order in which the guest finds them.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def blank(size: str) -> Disk:
        """
        An empty disk that goes with its VM.
        """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Disk: ...
    @staticmethod
    def from_json(text: str) -> Disk: ...
    def __copy__(self) -> Disk: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Disk: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        file: str | os.PathLike[str] | None = None,
        *,
        size: str = "",
        keep: bool = False,
        read_only: bool = False,
        serial: str = "",
    ) -> None:
        """
        What the guest writes goes to the VM's own folder, and goes with it; keep: into the file, which is made when it is not there and size is given. NAME.qcow2 is one of QEMU's, every other raw.
        """
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def file(self) -> pathlib.Path | None: ...
    @property
    def keep(self) -> bool: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def serial(self) -> str: ...
    @property
    def size(self) -> str:
        """
        Like "2G": of a blank disk; what the file is grown to.
        """

class StoredArtifact:
    """
    What a store holds.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> StoredArtifact: ...
    @staticmethod
    def from_json(text: str) -> StoredArtifact: ...
    def __copy__(self) -> StoredArtifact: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> StoredArtifact: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def dir(self) -> pathlib.Path: ...
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str:
        """
        'kernel' or 'module'.
        """
    @property
    def title(self) -> str: ...

class Variable:
    """
    An argument or a local variable, as gdb prints it.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Variable: ...
    @staticmethod
    def from_json(text: str) -> Variable: ...
    def __copy__(self) -> Variable: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Variable: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int:
        """
        In the guest's memory; 0: it is not there, or not known.
        """
    @property
    def available(self) -> bool:
        """
        False: `value` says why there is none.
        """
    @property
    def name(self) -> str:
        """
        'val@entry': what an argument was when the function was called, where it is not known since.
        """
    @property
    def type(self) -> str:
        """
        As C writes it: 'struct file *'.
        """
    @property
    def value(self) -> str:
        """
        '5', '{a = 1, b = {...}}', '<optimized out>'.
        """

class FaultMember:
    """
    A member of a structure that an access may have meant.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> FaultMember: ...
    @staticmethod
    def from_json(text: str) -> FaultMember: ...
    def __copy__(self) -> FaultMember: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> FaultMember: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def expression(self) -> str:
        """
        'foo->bar.baz'; empty: only the type is known.
        """
    @property
    def member(self) -> str:
        """
        Path in it; empty: it has none there.
        """
    @property
    def offset(self) -> int:
        """
        Bytes into the type.
        """
    @property
    def type(self) -> str:
        """
        What that points to: 'struct foo'.
        """
    @property
    def variable(self) -> str:
        """
        The pointer that it begins with.
        """

class FaultInfo:
    """
    A memory access, or a jump, that faulted.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> FaultInfo: ...
    @staticmethod
    def from_json(text: str) -> FaultInfo: ...
    def __copy__(self) -> FaultInfo: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> FaultInfo: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def access(self) -> str:
        """
        'read', 'write', 'execute'; empty: unknown.
        """
    @property
    def address(self) -> int | None:
        """
        That could not be accessed; None: unknown.
        """
    @property
    def base_register(self) -> str:
        """
        Of its memory operand, as reports print it.
        """
    @property
    def base_value(self) -> int | None: ...
    @property
    def certain(self) -> bool:
        """
        The debug information says so; else members are those that fit.
        """
    @property
    def displacement(self) -> int:
        """
        Bytes, the index register's part in it.
        """
    @property
    def explanation(self) -> str:
        """
        One sentence of all that.
        """
    @property
    def instruction(self) -> str:
        """
        Of a jump, the call.
        """
    @property
    def members(self) -> list[FaultMember]:
        """
        The best first; at most one when it is certain.
        """
    @property
    def pc(self) -> int:
        """
        Of the instruction, as the report has it; 0: unknown.
        """
    @property
    def poison(self) -> str:
        """
        What the address, or the pointer, is a mark of.
        """

class PoisonedRegister:
    """
    A register that holds a mark.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> PoisonedRegister: ...
    @staticmethod
    def from_json(text: str) -> PoisonedRegister: ...
    def __copy__(self) -> PoisonedRegister: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> PoisonedRegister: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...

class SlabObject:
    """
    An allocator's object that was accessed out of bounds or after it was freed.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> SlabObject: ...
    @staticmethod
    def from_json(text: str) -> SlabObject: ...
    def __copy__(self) -> SlabObject: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> SlabObject: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def access(self) -> int:
        """
        The accessed address; 0: not printed.
        """
    @property
    def access_size(self) -> int:
        """
        Bytes; 0: not printed.
        """
    @property
    def address(self) -> int:
        """
        Of its first byte; 0: not printed.
        """
    @property
    def allocated_by(self) -> str:
        """
        Function; empty: not printed.
        """
    @property
    def allocated_pid(self) -> int:
        """
        -1: not printed.
        """
    @property
    def cache(self) -> str: ...
    @property
    def freed_by(self) -> str: ...
    @property
    def freed_pid(self) -> int: ...
    @property
    def last_user(self) -> str:
        """
        What the memory was last used for, as FreeBSD says it.
        """
    @property
    def offset(self) -> int | None:
        """
        Bytes from its first byte to the access; None: not printed.
        """
    @property
    def size(self) -> int:
        """
        Bytes; 0: not printed.
        """
    @property
    def state(self) -> str:
        """
        'freed', 'allocated'; empty: not printed.
        """

class StackFrame:
    """
    One line of a stack trace, or one inline function expanded from it.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> StackFrame: ...
    @staticmethod
    def from_json(text: str) -> StackFrame: ...
    def __copy__(self) -> StackFrame: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> StackFrame: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int:
        """
        0: not printed.
        """
    @property
    def args(self) -> list[Variable]:
        """
        Of a dump's frame, where they were asked for.
        """
    @property
    def file(self) -> str:
        """
        Relative to the tree where it lies below it.
        """
    @property
    def function(self) -> str: ...
    @property
    def inlined(self) -> bool:
        """
        Expanded from the debug information.
        """
    @property
    def line(self) -> int:
        """
        1-based; 0: unknown.
        """
    @property
    def locals(self) -> list[Variable]:
        """
        Likewise; those of the innermost block first.
        """
    @property
    def module(self) -> str:
        """
        Empty: the kernel itself.
        """
    @property
    def offset(self) -> int:
        """
        Into the function's symbol.
        """
    @property
    def reliable(self) -> bool:
        """
        False for entries marked '?'.
        """
    @property
    def size(self) -> int:
        """
        Of the symbol; 0: not printed.
        """
    @property
    def source(self) -> str:
        """
        That line's text, without indentation.
        """

class StackTrace:
    """
    A named trace of a report.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> StackTrace: ...
    @staticmethod
    def from_json(text: str) -> StackTrace: ...
    def __copy__(self) -> StackTrace: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> StackTrace: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __rich__(self) -> typing.Any: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def _repr_html_(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_html(self) -> str:
        """
        One self-contained fragment.
        """
    def to_json(self) -> str: ...
    @property
    def context(self) -> str:
        """
        'TASK', 'IRQ', 'NMI', ... of the first frame.
        """
    @property
    def frames(self) -> list[StackFrame]: ...
    @property
    def name(self) -> str: ...

class DebuggerAnswer:
    """
    What a guest's own debugger answered to one command.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebuggerAnswer: ...
    @staticmethod
    def from_json(text: str) -> DebuggerAnswer: ...
    def __copy__(self) -> DebuggerAnswer: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebuggerAnswer: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def complete(self) -> bool:
        """
        False: the prompt did not come back in time.
        """
    @property
    def text(self) -> str:
        """
        As printed, without the command's echo and the prompt.
        """
    @property
    def traces(self) -> list[StackTrace]:
        """
        The stack traces in the text, symbolized.
        """

class CrashReport:
    """
    Everything one crash on a console says.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CrashReport: ...
    @staticmethod
    def from_json(text: str) -> CrashReport: ...
    def __copy__(self) -> CrashReport: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CrashReport: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def save(
        self,
        path: str | os.PathLike[str],
        *,
        memory: bool = True,
        symbols: bool = True,
        recording: bool = True,
        timeout: float | None = None,
    ) -> None:
        """
        As one file, which kdev.Bundle opens: of a VM whose crashed kernel is still there with console, commands, memory and symbols; of a log the report alone. recording: of a VM with record=True also its run, for which its machine ends.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_html(self) -> str:
        """
        One self-contained fragment.
        """
    def to_json(self) -> str: ...
    def to_text(self) -> str:
        """
        For a terminal, without colours.
        """
    @property
    def alternative_titles(self) -> list[str]: ...
    @property
    def begin(self) -> int:
        """
        First byte in the scanned log.
        """
    @property
    def corrupted(self) -> bool:
        """
        Truncated, or mixed with another.
        """
    @property
    def cpu(self) -> int:
        """
        -1: unknown.
        """
    @property
    def debugger(self) -> list[DebuggerAnswer]:
        """
        What OnCrash.ask asked, in order.
        """
    @property
    def dmesg(self) -> str:
        """
        Console text before the report.
        """
    @property
    def dump(self) -> str:
        """
        How the kernel said that its dump ended; empty: none was made.
        """
    @property
    def end(self) -> int:
        """
        Past its last byte.
        """
    @property
    def fault(self) -> FaultInfo | None:
        """
        The access that faulted; its members are found by Symbolizer or Core. None: there was none.
        """
    @property
    def frames(self) -> list[StackFrame]:
        """
        The guilty trace's frames.
        """
    @property
    def function(self) -> str:
        """
        The guilty function.
        """
    @property
    def guilty(self) -> StackFrame | None:
        """
        The first frame that is the guilty function and has a source line, or None.
        """
    @property
    def kaslr_offset(self) -> int | None: ...
    @property
    def kind(self) -> str:
        """
        Family: 'oops', 'bug', 'warning', 'panic', 'kasan', 'hung-task', ...
        """
    @property
    def message(self) -> str:
        """
        The report's first line as printed.
        """
    @property
    def notes(self) -> list[str]: ...
    @property
    def object(self) -> SlabObject | None:
        """
        Of an allocator, that was misused, as the report says; or None.
        """
    @property
    def os(self) -> str:
        """
        Whose console it is: 'linux', 'freebsd', 'openbsd', 'netbsd'.
        """
    @property
    def panicked(self) -> bool:
        """
        The log also holds a panic that followed, before the next boot.
        """
    @property
    def pid(self) -> int:
        """
        -1: unknown.
        """
    @property
    def poisons(self) -> list[PoisonedRegister]:
        """
        Registers with marks in them, by name.
        """
    @property
    def process(self) -> str: ...
    @property
    def registers(self) -> dict[str, str]: ...
    @property
    def release(self) -> str: ...
    @property
    def suppressed(self) -> bool:
        """
        Known, and not worth a look.
        """
    @property
    def symbolized(self) -> bool:
        """
        File and line were filled in.
        """
    @property
    def taint(self) -> str: ...
    @property
    def text(self) -> str:
        """
        The report itself, as printed.
        """
    @property
    def title(self) -> str:
        """
        Stable, deduplicating, syzbot-compatible.
        """
    @property
    def traces(self) -> list[StackTrace]:
        """
        The guilty one first.
        """
    @property
    def type(self) -> str:
        """
        Class as syzbot uses it; empty: unknown.
        """

class ConsoleScanner:
    """
    Reports out of a log that arrives in pieces; it keeps a few megabytes.
    """
    def __init__(self, os: str | None = None) -> None: ...
    def feed(self, piece: str | bytes) -> list[CrashReport]:
        """
        The reports that are complete: some megabytes follow them.
        """
    def finish(self) -> list[CrashReport]:
        """
        All that are left. The scanner is as new then.
        """
    @property
    def system(self) -> str:
        """
        Whose console it is; empty while that is not known.
        """

class Symbolizer:
    """
    Turns frames into file:line with inline functions expanded. Thread-safe.
    """
    def __init__(
        self,
        kernel: KernelArtifact | None = None,
        *,
        vmlinux: str | os.PathLike[str] | None = None,
        modules: collections.abc.Sequence[str | os.PathLike[str]] = [],
        source: str | os.PathLike[str] | None = None,
        os: typing.Literal["linux", "freebsd"] = "linux",
        index: str | os.PathLike[str] | None = None,
        build_id: str = "",
        debuginfod: bool = True,
    ) -> None:
        """
        `vmlinux`: a kernel's file with debug information, of an `os`, when there is no artifact. `index`: folder of the indexes that build_index() writes; None: kdev/symbols in the user's cache. `debuginfod`: ask the servers of $DEBUGINFOD_URLS, if it is set, for debug information that the files lack, and for source. `build_id`: of the kernel, when there is no file at all.
        """
    def at_address(self, address: int, *, kaslr_offset: int = 0, return_address: bool = False) -> list[StackFrame]: ...
    def at_addresses(
        self,
        addresses: collections.abc.Sequence[int],
        *,
        kaslr_offset: int = 0,
        return_address: bool = False,
        source_text: bool = True,
    ) -> list[list[StackFrame]]:
        """
        Many at once, each as at_address() has it.
        """
    def at_symbol(
        self, symbol: str, offset: int = 0, size: int = 0, *, module: str = "", return_address: bool = False
    ) -> list[StackFrame]:
        """
        Inline frames first (innermost), then the real one.
        """
    def build_index(self) -> pathlib.Path | None:
        """
        Writes the index of the kernel, and of the modules that were asked for until now, unless they are there, and returns the kernel's file; from then on they are used. None: the kernel has no build id or no debug information, or, see `notes`, the folder cannot be written.
        """
    def decode(self, text: str | bytes, *, source_text: bool = False) -> str:
        """
        A console's text with file and line behind every function, inline functions on lines before it.
        """
    def symbolize(self, report: CrashReport) -> CrashReport:
        """
        The report with every trace filled in.
        """
    @property
    def build_id(self) -> str: ...
    @property
    def indexed(self) -> bool:
        """
        The kernel's index is in use.
        """
    @property
    def notes(self) -> list[str]:
        """
        What a user should know of the files: no debuginfod server has them, no index can be written.
        """

class Commit:
    """
    A commit of the tree's git repository.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Commit: ...
    @staticmethod
    def from_json(text: str) -> Commit: ...
    def __copy__(self) -> Commit: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Commit: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def time(self) -> int:
        """
        Committed: seconds since 1970.
        """

class SuspectLine:
    """
    A line that a report blames.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> SuspectLine: ...
    @staticmethod
    def from_json(text: str) -> SuspectLine: ...
    def __copy__(self) -> SuspectLine: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> SuspectLine: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def frame(self) -> StackFrame: ...
    @property
    def last(self) -> Commit | None:
        """
        The commit that last touched it; None: never committed as it is.
        """

class Suspects:
    """
    Who touched the lines that a report blames.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Suspects: ...
    @staticmethod
    def from_json(text: str) -> Suspects: ...
    def __copy__(self) -> Suspects: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Suspects: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def lines(self) -> list[SuspectLine]:
        """
        The guilty one first, then those that called it.
        """
    @property
    def notes(self) -> list[str]:
        """
        What could not be told, and why.
        """
    @property
    def recent(self) -> list[Commit]:
        """
        The latest commits to the guilty line's file, newest first.
        """

class Sighting:
    """
    One crash as a history knows it. Times are seconds since 1970.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Sighting: ...
    @staticmethod
    def from_json(text: str) -> Sighting: ...
    def __copy__(self) -> Sighting: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Sighting: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def first_release(self) -> str:
        """
        Of the kernel that printed it first.
        """
    @property
    def first_seen(self) -> int: ...
    @property
    def function(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def last_release(self) -> str: ...
    @property
    def last_seen(self) -> int: ...
    @property
    def os(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def type(self) -> str: ...

class SimilarCrash:
    """
    A crash that resembles another.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> SimilarCrash: ...
    @staticmethod
    def from_json(text: str) -> SimilarCrash: ...
    def __copy__(self) -> SimilarCrash: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> SimilarCrash: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def score(self) -> float:
        """
        Up to 1.
        """
    @property
    def sighting(self) -> Sighting: ...
    @property
    def why(self) -> str:
        """
        In words.
        """

class CrashHistory:
    """
    Crashes that were seen, in a file that any number of processes may use at once.
    """
    def __init__(self, file: str | os.PathLike[str]) -> None: ...
    def add(self, report: CrashReport, time: int = 0) -> Sighting:
        """
        Counts a report; with count 1 it is new. `time` 0: now.
        """
    def all(self) -> list[Sighting]:
        """
        Last seen first.
        """
    def find(self, key: str) -> Sighting | None: ...
    def report(self, key: str) -> CrashReport | None:
        """
        The first report of a crash, with its text.
        """
    def similar(self, report: CrashReport, limit: int = 10) -> list[SimilarCrash]:
        """
        Others that share a title, the guilty function, or much of the stack; most similar first.
        """

class DumpInfo:
    """
    A dump that a kernel left on a disk or a partition, as its headers tell.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DumpInfo: ...
    @staticmethod
    def from_json(text: str) -> DumpInfo: ...
    def __copy__(self) -> DumpInfo: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DumpInfo: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def arch(self) -> str:
        """
        As the kernel calls it.
        """
    @property
    def arch_version(self) -> int: ...
    @property
    def block_size(self) -> int:
        """
        Of the medium.
        """
    @property
    def compression(self) -> str:
        """
        'none', 'gzip', 'zstd'.
        """
    @property
    def encrypted(self) -> bool: ...
    @property
    def extent(self) -> int:
        """
        Bytes set aside for it.
        """
    @property
    def hostname(self) -> str: ...
    @property
    def key_size(self) -> int:
        """
        Bytes of its encrypted key; 0: it is not encrypted.
        """
    @property
    def kind(self) -> str:
        """
        'core': memory; 'text': a tar of texts.
        """
    @property
    def length(self) -> int:
        """
        Bytes, without headers, as stored.
        """
    @property
    def magic(self) -> str: ...
    @property
    def offset(self) -> int:
        """
        Of its first byte in the (raw) image.
        """
    @property
    def os(self) -> typing.Literal["linux", "freebsd"]: ...
    @property
    def panic(self) -> str:
        """
        Empty: there was none.
        """
    @property
    def parity(self) -> int: ...
    @property
    def partition(self) -> int:
        """
        1-based; 0: it lies on the medium itself.
        """
    @property
    def partition_name(self) -> str: ...
    @property
    def problem(self) -> str:
        """
        Why it cannot be lifted; empty: it is whole.
        """
    @property
    def time(self) -> int:
        """
        Seconds since 1970.
        """
    @property
    def version(self) -> int: ...
    @property
    def version_text(self) -> str:
        """
        The kernel's version string.
        """

class LiftedDump:
    """
    A dump in files, named and made as savecore(8) does.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> LiftedDump: ...
    @staticmethod
    def from_json(text: str) -> LiftedDump: ...
    def __copy__(self) -> LiftedDump: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> LiftedDump: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def file(self) -> pathlib.Path:
        """
        vmcore.N, vmcore.N.gz, vmcore.N.zst or textdump.tar.N.
        """
    @property
    def info(self) -> DumpInfo: ...
    @property
    def info_file(self) -> pathlib.Path:
        """
        info.N.
        """
    @property
    def number(self) -> int: ...

class TextDump:
    """
    What a text dump's tar holds.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> TextDump: ...
    @staticmethod
    def from_json(text: str) -> TextDump: ...
    def __copy__(self) -> TextDump: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> TextDump: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def config(self) -> str:
        """
        config.txt.
        """
    @property
    def debugger(self) -> str:
        """
        ddb.txt: what the debugger's scripts printed.
        """
    @property
    def messages(self) -> str:
        """
        msgbuf.txt.
        """
    @property
    def others(self) -> dict[str, str]:
        """
        Further members.
        """
    @property
    def panic(self) -> str:
        """
        panic.txt.
        """
    @property
    def version(self) -> str:
        """
        version.txt.
        """

class CoreModule:
    """
    A kernel module as it was loaded.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CoreModule: ...
    @staticmethod
    def from_json(text: str) -> CoreModule: ...
    def __copy__(self) -> CoreModule: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CoreModule: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int:
        """
        Of its first section.
        """
    @property
    def file(self) -> pathlib.Path | None:
        """
        With its symbols, on this host; None: none was found.
        """
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str:
        """
        In the guest.
        """
    @property
    def size(self) -> int:
        """
        Bytes.
        """

class CoreThread:
    """
    A thread when the kernel stopped.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CoreThread: ...
    @staticmethod
    def from_json(text: str) -> CoreThread: ...
    def __copy__(self) -> CoreThread: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CoreThread: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int:
        """
        Of the kernel's structure.
        """
    @property
    def cpu(self) -> int:
        """
        On which it ran; -1: it did not.
        """
    @property
    def name(self) -> str:
        """
        The thread's own.
        """
    @property
    def panicked(self) -> bool:
        """
        It called for the dump.
        """
    @property
    def pid(self) -> int: ...
    @property
    def process(self) -> str:
        """
        The process's name.
        """
    @property
    def state(self) -> str:
        """
        'running', 'runnable', 'sleeping', 'locked', ...
        """
    @property
    def tid(self) -> int: ...
    @property
    def wait_channel(self) -> str:
        """
        What it sleeps for.
        """

class CoreCpu:
    """
    A processor when the kernel stopped.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CoreCpu: ...
    @staticmethod
    def from_json(text: str) -> CoreCpu: ...
    def __copy__(self) -> CoreCpu: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CoreCpu: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def id(self) -> int: ...
    @property
    def tid(self) -> int:
        """
        Of the thread that ran there; -1: unknown.
        """

class CoreMessage:
    """
    A message of the kernel's.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CoreMessage: ...
    @staticmethod
    def from_json(text: str) -> CoreMessage: ...
    def __copy__(self) -> CoreMessage: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CoreMessage: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def caller(self) -> str:
        """
        'T31', the task, or 'C1', the CPU; empty: not kept.
        """
    @property
    def level(self) -> int:
        """
        0 (emergency) to 7 (debug); -1: not kept.
        """
    @property
    def text(self) -> str: ...
    @property
    def time(self) -> float | None:
        """
        Seconds since the boot; None: not kept.
        """

class CoreNote:
    """
    A note beside a dump's memory, as in an ELF core file.
    """
    @property
    def data(self) -> bytes: ...
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> int: ...

class CoreLock:
    """
    A lock that threads waited for, or are stuck with.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CoreLock: ...
    @staticmethod
    def from_json(text: str) -> CoreLock: ...
    def __copy__(self) -> CoreLock: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CoreLock: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int: ...
    @property
    def deadlock(self) -> bool:
        """
        Holders wait for it by way of other locks.
        """
    @property
    def holders(self) -> list[int]:
        """
        Tids; of a lock that is held shared, those that are known.
        """
    @property
    def kind(self) -> str:
        """
        'mutex', 'rwsem', 'spinlock'; 'sleep mutex', 'sx', 'rw', 'lockmgr'.
        """
    @property
    def name(self) -> str:
        """
        The variable that it is in, or what the kernel calls it.
        """
    @property
    def shared(self) -> bool:
        """
        It is held by readers.
        """
    @property
    def waiters(self) -> list[int]:
        """
        Tids.
        """

class WrittenDump:
    """
    A dump that was written.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> WrittenDump: ...
    @staticmethod
    def from_json(text: str) -> WrittenDump: ...
    def __copy__(self) -> WrittenDump: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> WrittenDump: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def command(self) -> list[str]:
        """
        Opens it: ['gdb', 'vmlinux', 'vmcore'].
        """
    @property
    def file(self) -> pathlib.Path: ...
    @property
    def memory(self) -> int:
        """
        Bytes of physical memory in it.
        """
    @property
    def notes(self) -> list[str]:
        """
        What a reader should know.
        """
    @property
    def script(self) -> str:
        """
        For gdb -x: it leads backtraces through traps. Empty: none is needed.
        """
    @property
    def size(self) -> int:
        """
        Bytes that the file takes on its disk; holes take none.
        """

class Core:
    """
    A memory dump of a kernel, read in place. Thread-safe.
    """
    def __init__(
        self,
        file: str | os.PathLike[str],
        kernel: KernelArtifact | None = None,
        *,
        vmlinux: str | os.PathLike[str] | None = None,
        modules: collections.abc.Sequence[str | os.PathLike[str]] = [],
        source: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
    ) -> None:
        """
        `kernel`, or `vmlinux`: of the kernel that crashed; without it only memory and messages can be read.
        """
    def __repr__(self) -> str: ...
    def __rich__(self) -> typing.Any: ...
    def _repr_html_(self) -> str: ...
    def cpus(self) -> kdev.tables.Table[CoreCpu]: ...
    def dmesg(self) -> kdev.kernel_log.KernelLog:
        """
        The kernel's message buffer, oldest first: a str, of which .messages are the parts.
        """
    def drgn(self) -> typing.Any:
        """
        A drgn.Program on this dump, of Linux. ConfigError where drgn is not installed.
        """
    def elf_notes(self) -> list[CoreNote]:
        """
        What the dump's maker wrote beside memory: registers of CPUs, VMCOREINFO, ...
        """
    def locks(self) -> kdev.tables.Table[CoreLock]:
        """
        The locks that threads waited for, by address: who holds each, who waits.
        """
    def lookup(self, address: int) -> SymbolMatch | None:
        """
        The symbol at an address, of code or data; None: there is none.
        """
    def memory(self, address: int, size: int = 256, *, physical: bool = False) -> kdev.memory.Memory:
        """
        Memory with what it points to, for people. FormatError as of read().
        """
    def messages(self) -> kdev.tables.Table[CoreMessage]: ...
    def modules(self) -> kdev.tables.Table[CoreModule]: ...
    def read(self, address: int, size: int) -> bytes: ...
    def read_physical(self, address: int, size: int) -> bytes: ...
    def registers(self, tid: int) -> dict[str, str]:
        """
        Where a thread's stack was left, in hex.
        """
    def report(self) -> CrashReport:
        """
        The crash as scan_console() reports it, its frames from the dump's stack, with their variables.
        """
    def stack(self, tid: int, *, variables: bool = False) -> StackTrace:
        """
        A thread's stack, through traps, with inline functions, file and line; `variables`: with arguments and local variables.
        """
    def threads(self) -> kdev.tables.Table[CoreThread]: ...
    def vmcoreinfo(self) -> str:
        """
        What a Linux kernel tells dump tools of itself: lines 'KEY=VALUE'. Of the dump's note, else of memory; empty: neither.
        """
    def write_elf(
        self,
        file: str | os.PathLike[str],
        *,
        leave_out: collections.abc.Sequence[typing.Literal["free", "user", "cache"]] = [],
        timeout: float | None = None,
    ) -> WrittenDump:
        """
        Writes an ELF core file for debuggers: the kernel's virtual addresses, one NT_PRSTATUS per thread.
        """
    def write_kdump(
        self,
        file: str | os.PathLike[str],
        *,
        compression: typing.Literal["none", "zlib", "zstd"] = "zlib",
        leave_out: collections.abc.Sequence[typing.Literal["free", "user", "cache"]] = [],
        timeout: float | None = None,
    ) -> WrittenDump:
        """
        Writes a kdump-compressed file, as makedumpfile does.
        """
    @property
    def arch(self) -> str: ...
    @property
    def complete(self) -> bool:
        """
        All of what the format promises is there.
        """
    @property
    def format(self) -> str:
        """
        'minidump 3', 'elf'.
        """
    @property
    def kernel_file(self) -> pathlib.Path | None:
        """
        The file with the kernel's symbols; None: none was given.
        """
    @property
    def notes(self) -> list[str]: ...
    @property
    def os(self) -> typing.Literal["linux", "freebsd"]: ...
    @property
    def panic(self) -> str:
        """
        The panic's message; empty: none.
        """
    @property
    def physical_end(self) -> int:
        """
        End of the physical memory; 0: not known.
        """
    @property
    def uptime(self) -> float | None:
        """
        Seconds; None: unknown.
        """
    @property
    def version(self) -> str: ...

class GuestCommand:
    """
    A command that was run in a guest.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> GuestCommand: ...
    @staticmethod
    def from_json(text: str) -> GuestCommand: ...
    def __copy__(self) -> GuestCommand: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> GuestCommand: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def duration(self) -> float:
        """
        Seconds, seen from the host.
        """
    @property
    def exit_code(self) -> int | None:
        """
        None: it did not exit.
        """

class Bundle:
    """
    A crash as one file, opened: report, console, configuration, commands, memory and symbols. Nothing in it is executed; its names lead nowhere, sizes are bounded, digests checked.
    """
    def __init__(self, file: str | os.PathLike[str], *, timeout: float | None = None) -> None: ...
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def core(
        self,
        kernel: KernelArtifact | None = None,
        *,
        vmlinux: str | os.PathLike[str] | None = None,
        modules: collections.abc.Sequence[str | os.PathLike[str]] = [],
        source: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
    ) -> Core:
        """
        Its memory, with its own symbols or those given. It outlives the Bundle.
        """
    def recording(self, *, timeout: float | None = None) -> Recording:
        """
        The run that was recorded, to be replayed by the QEMU that recorded it: that boots the kernel that is in the bundle, in a machine without disks and network.
        """
    @property
    def commands(self) -> list[GuestCommand]:
        """
        What was run in the guest, in order.
        """
    @property
    def config(self) -> str:
        """
        The kernel's configuration.
        """
    @property
    def console(self) -> typing.Any:
        """
        What the console showed from the guest's start on.
        """
    @property
    def environment(self) -> dict[str, str]:
        """
        What it ran on: 'release', 'build_id', 'command_line', 'memory', ...
        """
    @property
    def has_memory(self) -> bool: ...
    @property
    def has_recording(self) -> bool: ...
    @property
    def has_symbols(self) -> bool: ...
    @property
    def notes(self) -> list[str]:
        """
        What was left out when it was made.
        """
    @property
    def report(self) -> CrashReport: ...

class AccelProbe:
    """
    What an accelerator probe found.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> AccelProbe: ...
    @staticmethod
    def from_json(text: str) -> AccelProbe: ...
    def __copy__(self) -> AccelProbe: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> AccelProbe: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def accel(self) -> typing.Literal["auto", "kvm", "tcg"]: ...
    @property
    def reason(self) -> str: ...

class CommandResult:
    """
    What a guest command did. A crash, a non-zero exit and a time-out are data.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> CommandResult: ...
    @staticmethod
    def from_json(text: str) -> CommandResult: ...
    def __copy__(self) -> CommandResult: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> CommandResult: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def _repr_html_(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def console(self) -> str:
        """
        What the console showed meanwhile.
        """
    @property
    def console_bytes(self) -> bytes:
        """
        The same as bytes.
        """
    @property
    def crash(self) -> CrashReport | None:
        """
        None: the kernel did not crash.
        """
    @property
    def duration(self) -> float:
        """
        Seconds, seen from the host.
        """
    @property
    def exit_code(self) -> int | None:
        """
        None: it did not exit.
        """
    @property
    def guest_duration(self) -> float:
        """
        Seconds inside the guest.
        """
    @property
    def ok(self) -> bool:
        """
        Exit code 0, no crash, no time-out.
        """
    @property
    def signal(self) -> int | None:
        """
        That ended it; None: none did.
        """
    @property
    def stderr(self) -> str:
        """
        Decoded with errors='replace'.
        """
    @property
    def stderr_bytes(self) -> bytes:
        """
        The same as bytes.
        """
    @property
    def stderr_size(self) -> int:
        """
        Bytes produced, also when truncated.
        """
    @property
    def stdout(self) -> str:
        """
        Decoded with errors='replace'.
        """
    @property
    def stdout_bytes(self) -> bytes:
        """
        The same as bytes.
        """
    @property
    def stdout_size(self) -> int:
        """
        Bytes produced, also when truncated.
        """
    @property
    def timed_out(self) -> bool: ...
    @property
    def truncated(self) -> bool:
        """
        More output than output_limit: the rest was counted only.
        """

class RebootResult:
    """
    What reboot() came up with.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> RebootResult: ...
    @staticmethod
    def from_json(text: str) -> RebootResult: ...
    def __copy__(self) -> RebootResult: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> RebootResult: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def crash(self) -> CrashReport | None:
        """
        Of the failed boot.
        """
    @property
    def duration(self) -> float:
        """
        Seconds.
        """
    @property
    def fell_back(self) -> bool:
        """
        The installed one did not come up.
        """
    @property
    def kernel(self) -> KernelArtifact:
        """
        The one that runs now.
        """
    @property
    def name(self) -> str:
        """
        Under which it is installed.
        """
    @property
    def reason(self) -> str: ...

class OnCrash:
    """
    What kdev does when a guest's kernel crashes: asks its own debugger (ddb) at its prompt, then leaves it as `then` says.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> OnCrash: ...
    @staticmethod
    def from_json(text: str) -> OnCrash: ...
    def __copy__(self) -> OnCrash: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> OnCrash: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        ask: collections.abc.Sequence[str] = [],
        then: typing.Literal["pause", "leave", "dump", "textdump", "unattended"] = "pause",
        *,
        answer_timeout: float = 30.0,
        dump_timeout: float = 120.0,
    ) -> None:
        """
        then: 'pause' its CPUs; 'leave' it running; 'dump' or 'textdump' by its debugger, then end the machine; 'unattended': it dumps and reboots by itself, without its debugger. Timeouts are seconds.
        """
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def answer_timeout(self) -> float:
        """
        For the prompt to appear, and for each answer.
        """
    @property
    def ask(self) -> list[str]:
        """
        Commands, in order: 'bt', 'show pcpu', 'ps', 'alltrace', ...
        """
    @property
    def dump_timeout(self) -> float:
        """
        For a dump; 'unattended': from the panic to the reboot.
        """
    @property
    def then(self) -> typing.Literal["pause", "leave", "dump", "textdump", "unattended"]: ...

class Job:
    """
    A guest command in progress. Dropping it kills the command.
    """
    def __enter__(self) -> typing.Self: ...
    def __exit__(self, *args: object) -> None: ...
    def close_input(self) -> None: ...
    def kill(self) -> None: ...
    def read_stderr(self) -> bytes:
        """
        What came since the last call; does not block.
        """
    def read_stdout(self) -> bytes:
        """
        What came since the last call; does not block.
        """
    def signal(self, signo: int) -> None:
        """
        To its process group.
        """
    def wait(self, *, timeout: float | None = None) -> CommandResult:
        """
        Blocks until it ends; when the time passes it is killed and timed_out is set.
        """
    def wait_output(self, *, timeout: float | None = None) -> bool:
        """
        Blocks until there is output to read or the command has ended; False when the time passes.
        """
    def write(self, data: str | bytes) -> None:
        """
        str or bytes to its standard input.
        """
    @property
    def running(self) -> bool: ...

class VM:
    """
    A virtual machine: a context manager that boots on entry and leaves nothing behind on exit.

    run() and spawn() may be called from several threads at once.
    """
    def __enter__(self) -> typing.Self: ...
    def __exit__(self, *args: object) -> None: ...
    def __init__(
        self,
        kernel: KernelArtifact | None = None,
        image: SeedImage | None = None,
        *,
        memory: str = "512M",
        cpus: int = 1,
        name: str = "",
        cmdline: str = "",
        accel: typing.Literal["auto", "kvm", "tcg"] = "auto",
        boot: typing.Literal["auto", "direct", "bzimage", "bios", "uefi"] = "auto",
        disks: collections.abc.Sequence[Disk] = [],
        modules: collections.abc.Sequence[ModuleArtifact] = [],
        qemu_args: collections.abc.Sequence[str] = [],
        run_dir: str | os.PathLike[str] | None = None,
        symbolize: bool = True,
        on_crash: OnCrash | None = None,
        debug_port: bool = False,
        record: bool = False,
        boot_timeout: float | None = None,
        command_timeout: float | None = None,
        crash_timeout: float | None = None,
        probe_timeout: float | None = None,
        close_timeout: float | None = None,
        on_event: collections.abc.Callable[
            [
                StageStarted
                | StageFinished
                | Progress
                | DiagnosticFound
                | VmStateChanged
                | ConsoleLine
                | CrashFound
                | Notice
            ],
            None,
        ]
        | None = None,
    ) -> None:
        """
        image None: SeedImage.busybox(). Timeouts are seconds: boot 120, command 60, crash 10, probe 5, close 5.
        """
    def __repr__(self) -> str: ...
    def apply(self, settings: DumpSettings) -> None:
        """
        Has the running guest dump so when it crashes.
        """
    def ask_debugger(self, command: str, *, timeout: float | None = None) -> DebuggerAnswer:
        """
        Asks the debugger at whose prompt a crashed guest waits; a paused guest goes on for that long.
        """
    def close(self) -> None:
        """
        Ends everything, keeps the logs. Idempotent.
        """
    def command_line(self) -> list[str]:
        """
        QEMU's argument vector.
        """
    def core(self, *, live: bool = False) -> Core:
        """
        The guest's memory where it lies, with its kernel's symbols: nothing is dumped or copied. Of a crashed guest it is a dump; a running one's changes while it is read: take a new one for a new look. It outlives the VM. A running guest stands still for the moment in which its CPUs' registers are read; live: it does not, each CPU's are of a moment of its own.
        """
    def crashes(self) -> list[CrashReport]:
        """
        Crashes seen since start(), in order.
        """
    def ddb(
        self,
        *,
        enter: typing.Literal["automatic", "sysctl", "sysrq", "nmi", "panic"] = "automatic",
        timeout: float = 30.0,
    ) -> KernelDebugger:
        """
        Brings the guest to the prompt of the debugger in its kernel, or takes a crashed one that waits there. enter: 'sysctl' (FreeBSD), 'sysrq' (Linux), 'nmi', 'panic'.
        """
    def debug(self, *, stub: str | None = None, wait: bool = False, timeout: float = 60.0) -> DebugSession:
        """
        Stops the guest and connects gdb to it. stub: 'machine' ('gdbstub'), the hypervisor's; 'kernel' ('kgdb'), the kernel's own, over the second serial port (debug_port=True); none: the kernel's where there is that port. wait: starts a VM that was not started, before its first instruction; start() later waits until it is ready.
        """
    def debugger_backends(self) -> DebuggerBackends:
        """
        The debuggers that the kernel can hand a stop to.
        """
    def drgn(self) -> typing.Any:
        """
        A drgn.Program on the guest's memory where it lies; the guest runs on, and the program goes on seeing it change. Registers are those of now, modules those that are loaded now. ConfigError where drgn is not installed, or knows no such system.
        """
    def install(self, kernel: KernelArtifact, name: str = "") -> None:
        """
        A kernel beside those that are there, which the next reboot() boots. Its name: "dev" when not said.
        """
    def kdb(
        self,
        *,
        enter: typing.Literal["automatic", "sysctl", "sysrq", "nmi", "panic"] = "automatic",
        timeout: float = 30.0,
    ) -> KernelDebugger:
        """
        Brings the guest to the prompt of the debugger in its kernel, or takes a crashed one that waits there. enter: 'sysctl' (FreeBSD), 'sysrq' (Linux), 'nmi', 'panic'.
        """
    def kernel_debugger(
        self,
        *,
        enter: typing.Literal["automatic", "sysctl", "sysrq", "nmi", "panic"] = "automatic",
        timeout: float = 30.0,
    ) -> KernelDebugger:
        """
        Brings the guest to the prompt of the debugger in its kernel, or takes a crashed one that waits there. enter: 'sysctl' (FreeBSD), 'sysrq' (Linux), 'nmi', 'panic'.
        """
    def nmi(self) -> None:
        """
        On every CPU.
        """
    def pull(self, guest_path: str, destination: str | os.PathLike[str]) -> None: ...
    def push(self, source: str | os.PathLike[str], guest_path: str) -> None:
        """
        Host file or directory to a guest path.
        """
    def qmp(self, command: str, **arguments: typing.Any) -> typing.Any:
        """
        One QMP command; its "return" member.
        """
    def read_file(self, guest_path: str) -> bytes: ...
    def reboot(self, kernel: str = "", *, once: bool = False) -> RebootResult:
        """
        Into a kernel by name, the one installed last, or the usual one. once: the reboot after it takes the usual one again. The usual one comes back when another does not come up.
        """
    def recording(self) -> Recording:
        """
        What a VM with record=True recorded, from start() to now or to the crash. A machine that still runs ends with it.
        """
    @typing.overload
    def run(
        self,
        command: str,
        *,
        input: str | bytes = b"",
        env: collections.abc.Mapping[str, str] = {},
        cwd: str = "",
        timeout: float | None = None,
        check: bool = False,
        output_limit: int = 268435456,
    ) -> CommandResult:
        """
        Runs a shell command line. timeout None: the VM's command_timeout.
        """
    @typing.overload
    def run(
        self,
        argv: collections.abc.Sequence[str],
        *,
        input: str | bytes = b"",
        env: collections.abc.Mapping[str, str] = {},
        cwd: str = "",
        timeout: float | None = None,
        check: bool = False,
        output_limit: int = 268435456,
    ) -> CommandResult:
        """
        Runs a program without a shell.
        """
    def select_debugger(self, backend: str) -> None: ...
    def set_debugger_script(self, reason: str, commands: collections.abc.Sequence[str]) -> None:
        """
        What the kernel's own debugger does by itself when it is entered for a reason ('panic', 'break', 'sysctl', ..., 'default'). No commands: nothing.
        """
    @typing.overload
    def spawn(
        self,
        command: str,
        *,
        input: str | bytes = b"",
        env: collections.abc.Mapping[str, str] = {},
        cwd: str = "",
        timeout: float | None = None,
        check: bool = False,
        output_limit: int = 268435456,
    ) -> Job:
        """
        Starts a shell command line.
        """
    @typing.overload
    def spawn(
        self,
        argv: collections.abc.Sequence[str],
        *,
        input: str | bytes = b"",
        env: collections.abc.Mapping[str, str] = {},
        cwd: str = "",
        timeout: float | None = None,
        check: bool = False,
        output_limit: int = 268435456,
    ) -> Job:
        """
        Starts a program without a shell.
        """
    def start(self) -> None:
        """
        Boots and waits until the agent answers.
        """
    def stop(self) -> None:
        """
        Powers off cleanly, else hard.
        """
    def wait_console(self, pattern: str, *, timeout: float = 60.0, start: int = 0) -> str:
        """
        Blocks until the console shows the regular expression after byte `start`; returns the line.
        """
    def wait_crash(self, *, timeout: float = 10.0) -> CrashReport | None:
        """
        The first crash that no run() and no wait_crash() has returned; None when the time passes.
        """
    def write_console(self, text: str) -> None:
        """
        Types on the console: whoever reads there in the guest gets it.
        """
    def write_file(self, guest_path: str, content: str | bytes, mode: int = 420) -> None: ...
    @property
    def accel(self) -> typing.Literal["auto", "kvm", "tcg"]:
        """
        The one in use after start().
        """
    @property
    def console(self) -> str:
        """
        Everything the console has shown since start().
        """
    @property
    def console_bytes(self) -> bytes: ...
    @property
    def console_log(self) -> pathlib.Path: ...
    @property
    def cpus(self) -> int: ...
    @property
    def directory(self) -> pathlib.Path: ...
    @property
    def disks(self) -> list[pathlib.Path]:
        """
        The disks as files on this host; their content is whole when the guest does not run.
        """
    @property
    def facts(self) -> dict[str, str]:
        """
        What the running kernel says of itself: release, build_id, boot_id, machine; FreeBSD's also ident (uname -i) and bootfile (kern.bootfile).
        """
    @property
    def image(self) -> SeedImage: ...
    @property
    def kernel(self) -> KernelArtifact: ...
    @property
    def kernels(self) -> dict[str, KernelArtifact]:
        """
        The installed ones, by name.
        """
    @property
    def memory(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def pid(self) -> int | None:
        """
        QEMU's.
        """
    @property
    def state(self) -> typing.Literal["defined", "booting", "ready", "crashed", "hung", "stopped"]: ...
    @property
    def state_reason(self) -> str: ...

class DebugFrame:
    """
    One frame of a live backtrace; inline functions are frames of their own.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugFrame: ...
    @staticmethod
    def from_json(text: str) -> DebugFrame: ...
    def __copy__(self) -> DebugFrame: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugFrame: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __rich__(self) -> typing.Any: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def _repr_html_(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int: ...
    @property
    def args(self) -> list[Variable]: ...
    @property
    def context(self) -> list[str]:
        """
        The source around the line, as it is.
        """
    @property
    def context_begin(self) -> int:
        """
        The number of its first line; 0: there is none.
        """
    @property
    def file(self) -> str:
        """
        Relative to the tree where it lies below it.
        """
    @property
    def function(self) -> str:
        """
        Empty: no symbol.
        """
    @property
    def inlined(self) -> bool:
        """
        Into the next frame's function.
        """
    @property
    def level(self) -> int: ...
    @property
    def line(self) -> int:
        """
        1-based; 0: unknown.
        """
    @property
    def locals(self) -> list[Variable]:
        """
        Where backtrace() was asked for them.
        """
    @property
    def source(self) -> str:
        """
        That line's text, without indentation.
        """

class DebugStop:
    """
    Why the kernel stopped, and where.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugStop: ...
    @staticmethod
    def from_json(text: str) -> DebugStop: ...
    def __copy__(self) -> DebugStop: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugStop: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __rich__(self) -> typing.Any: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def _repr_html_(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def breakpoint(self) -> int:
        """
        Its number; 0: none.
        """
    @property
    def frame(self) -> DebugFrame: ...
    @property
    def new_value(self) -> str: ...
    @property
    def old_value(self) -> str:
        """
        Of a watchpoint's expression.
        """
    @property
    def reason(self) -> str:
        """
        gdb's: 'breakpoint-hit', 'signal-received', 'end-stepping-range', ...
        """
    @property
    def returned(self) -> str:
        """
        What a function that was finished gave back; empty: nothing.
        """
    @property
    def signal(self) -> str:
        """
        Empty: none.
        """
    @property
    def thread(self) -> str:
        """
        As the stub names it.
        """

class DebugBreakpoint:
    """
    A breakpoint that is set.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugBreakpoint: ...
    @staticmethod
    def from_json(text: str) -> DebugBreakpoint: ...
    def __copy__(self) -> DebugBreakpoint: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugBreakpoint: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int: ...
    @property
    def expression(self) -> str:
        """
        Of a watchpoint.
        """
    @property
    def file(self) -> str: ...
    @property
    def function(self) -> str: ...
    @property
    def hits(self) -> int: ...
    @property
    def kind(self) -> str:
        """
        gdb's: 'breakpoint', 'hw watchpoint', ...
        """
    @property
    def line(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def pending(self) -> bool:
        """
        Nothing has the place yet.
        """

class DebugStopped:
    """
    The kernel stopped.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugStopped: ...
    @staticmethod
    def from_json(text: str) -> DebugStopped: ...
    def __copy__(self) -> DebugStopped: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugStopped: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def stop(self) -> DebugStop: ...

class DebugResumed:
    """
    The kernel was let run.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugResumed: ...
    @staticmethod
    def from_json(text: str) -> DebugResumed: ...
    def __copy__(self) -> DebugResumed: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugResumed: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def how(self) -> str:
        """
        gdb's command.
        """

class DebugModule:
    """
    The kernel loaded or unloaded a module, and its symbols came or went.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugModule: ...
    @staticmethod
    def from_json(text: str) -> DebugModule: ...
    def __copy__(self) -> DebugModule: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugModule: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def loaded(self) -> bool: ...
    @property
    def name(self) -> str: ...

class DebugBreakpointChanged:
    """
    A breakpoint was hit, found its place, or went by itself.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugBreakpointChanged: ...
    @staticmethod
    def from_json(text: str) -> DebugBreakpointChanged: ...
    def __copy__(self) -> DebugBreakpointChanged: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugBreakpointChanged: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def breakpoint(self) -> DebugBreakpoint:
        """
        Of one that went the number alone.
        """
    @property
    def gone(self) -> bool: ...

class DebugOutput:
    """
    What the stub printed without having been asked.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugOutput: ...
    @staticmethod
    def from_json(text: str) -> DebugOutput: ...
    def __copy__(self) -> DebugOutput: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugOutput: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def text(self) -> str: ...

class DebugTargetLost:
    """
    The machine ended, or its stub went away.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugTargetLost: ...
    @staticmethod
    def from_json(text: str) -> DebugTargetLost: ...
    def __copy__(self) -> DebugTargetLost: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugTargetLost: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def reason(self) -> str: ...

class DebugInstruction:
    """
    One instruction.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugInstruction: ...
    @staticmethod
    def from_json(text: str) -> DebugInstruction: ...
    def __copy__(self) -> DebugInstruction: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugInstruction: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int: ...
    @property
    def bytes(self) -> str:
        """
        Hex.
        """
    @property
    def file(self) -> str: ...
    @property
    def function(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def offset(self) -> int:
        """
        From the function's begin.
        """
    @property
    def source(self) -> str:
        """
        That line's text.
        """
    @property
    def text(self) -> str: ...

class DebugThread:
    """
    A thread of the kernel.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugThread: ...
    @staticmethod
    def from_json(text: str) -> DebugThread: ...
    def __copy__(self) -> DebugThread: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugThread: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def frame(self) -> DebugFrame: ...
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int:
        """
        gdb's.
        """

class GdbCommand:
    """
    A gdb for people to type at.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> GdbCommand: ...
    @staticmethod
    def from_json(text: str) -> GdbCommand: ...
    def __copy__(self) -> GdbCommand: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> GdbCommand: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def argv(self) -> list[str]:
        """
        Starts it.
        """
    @property
    def script(self) -> pathlib.Path:
        """
        The commands that it begins with; another gdb can source them.
        """
    @property
    def symbols(self) -> pathlib.Path:
        """
        The kernel's file.
        """

class RunningVm:
    """
    A VM that runs, as its folder tells other processes of the same user.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> RunningVm: ...
    @staticmethod
    def from_json(text: str) -> RunningVm: ...
    def __copy__(self) -> RunningVm: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> RunningVm: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def directory(self) -> pathlib.Path: ...
    @property
    def kernel(self) -> KernelArtifact:
        """
        That it runs.
        """
    @property
    def modules(self) -> list[pathlib.Path]:
        """
        Files of those that were added.
        """
    @property
    def name(self) -> str: ...

class DebugWrite:
    """
    The last write to an object of a recorded guest.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebugWrite: ...
    @staticmethod
    def from_json(text: str) -> DebugWrite: ...
    def __copy__(self) -> DebugWrite: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebugWrite: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int: ...
    @property
    def after(self) -> str: ...
    @property
    def backtrace(self) -> list[DebugFrame]: ...
    @property
    def before(self) -> str:
        """
        Its bytes, hex.
        """
    @property
    def changed_since(self) -> bool:
        """
        Its bytes changed again without an instruction that wrote to its address.
        """
    @property
    def frame(self) -> DebugFrame:
        """
        Of the instruction that wrote.
        """
    @property
    def instruction(self) -> DebugInstruction: ...
    @property
    def pid(self) -> int:
        """
        Of the task that ran; -1: unknown.
        """
    @property
    def position(self) -> int:
        """
        Instructions executed before that one.
        """
    @property
    def size(self) -> int:
        """
        Bytes.
        """
    @property
    def task(self) -> str:
        """
        Its name.
        """
    @property
    def writes(self) -> int:
        """
        That there were in all.
        """

class DebuggerBackends:
    """
    The debuggers that a guest's kernel can hand a stop to.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebuggerBackends: ...
    @staticmethod
    def from_json(text: str) -> DebuggerBackends: ...
    def __copy__(self) -> DebuggerBackends: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebuggerBackends: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def available(self) -> list[str]: ...
    @property
    def current(self) -> str: ...

class DebugSession:
    """
    A kernel under gdb: a context manager. The kernel is stopped, or it runs: what needs it stopped stops it for as long as that takes.
    """
    @staticmethod
    def attach(
        stub: str,
        kernel: KernelArtifact | None = None,
        *,
        vmlinux: str | os.PathLike[str] | None = None,
        modules: collections.abc.Sequence[str | os.PathLike[str]] = [],
        source: str | os.PathLike[str] | None = None,
        os: typing.Literal["linux", "freebsd"] = "linux",
        baud: int = 115200,
        timeout: float = 60.0,
    ) -> DebugSession:
        """
        gdb on a stub: 'host:port', a serial device, a unix socket's path. Where KASLR has put the kernel is found.
        """
    @staticmethod
    @typing.overload
    def core(core: Core) -> DebugSession:
        """
        gdb on a dump that is open with its kernel (kdev.open, vm.core()); its threads are the kernel's.
        """
    @staticmethod
    @typing.overload
    def core(
        file: str | os.PathLike[str],
        kernel: KernelArtifact | None = None,
        *,
        vmlinux: str | os.PathLike[str] | None = None,
        modules: collections.abc.Sequence[str | os.PathLike[str]] = [],
        source: str | os.PathLike[str] | None = None,
        os: typing.Literal["linux", "freebsd"] = "linux",
    ) -> DebugSession:
        """
        gdb on a dump of any format that Core reads.
        """
    def __enter__(self) -> typing.Self: ...
    def __exit__(self, *args: object) -> None: ...
    def ask_debugger(self, command: str) -> DebuggerAnswer:
        """
        A command to the debugger in the kernel, which takes its turn at the kernel's stub: gdb lets go of it, and has it back.
        """
    def backtrace(self, *, limit: int = 64, thread: int = 0, variables: bool = False) -> kdev.debug_view.Backtrace:
        """
        Innermost first. thread: gdb's number; 0: the one that stopped. variables: with the local variables of each frame.
        """
    def break_at(
        self,
        location: str,
        *,
        condition: str = "",
        once: bool = False,
        hardware: bool = False,
        pending: bool = False,
        thread: int = 0,
        skip: int = 0,
    ) -> DebugBreakpoint:
        """
        'kern_openat', 'fs/open.c:1290', '*0xffffffff80533240'. condition: an expression in C. once: goes when it is hit. hardware: a debug register. pending: nothing has the place yet, in a module that will be loaded. thread: the only one that stops. skip: hits that do not count.
        """
    @typing.overload
    def clear(self, breakpoint: int) -> None:
        """
        By its number.
        """
    @typing.overload
    def clear(self, breakpoint: DebugBreakpoint) -> None: ...
    def close(self) -> None:
        """
        Takes all breakpoints out, lets the kernel run, ends gdb. Idempotent.
        """
    def ddb(self, command: str) -> DebuggerAnswer:
        """
        A command to the debugger in the kernel, which takes its turn at the kernel's stub: gdb lets go of it, and has it back.
        """
    def describe_type(self, type: str) -> str:
        """
        A type's definition, with offsets and sizes.
        """
    @typing.overload
    def disassemble(self, location: str = "") -> kdev.debug_view.Disassembly:
        """
        Of the function around a place; none: where the kernel stopped.
        """
    @typing.overload
    def disassemble(self, begin: int, end: int) -> kdev.debug_view.Disassembly:
        """
        What begins in a range of addresses.
        """
    def evaluate(self, expression: str, *, frame: int = 0, thread: int = 0) -> str:
        """
        A C expression's value, as gdb prints it. 'x = 5' changes it.
        """
    def events(
        self, *, timeout: float = 0.0
    ) -> list[DebugStopped | DebugResumed | DebugModule | DebugBreakpointChanged | DebugOutput | DebugTargetLost]:
        """
        What happened since the last call, in order; waits for something no longer than `timeout`. A stop that is among it is also what wait() returns next.
        """
    def execute(self, command: str) -> str:
        """
        One command of gdb's own command line; what it says.
        """
    def finish(self) -> DebugStop:
        """
        Out of the innermost frame.
        """
    def go_to(self, position: int, *, timeout: float = 300.0) -> DebugStop:
        """
        In a replay: to where so many instructions were executed.
        """
    def hand_over(self) -> GdbCommand:
        """
        Ends the session's own gdb and gives its place to another one, with all that it knew. What that needs stays until close().
        """
    def interact(self) -> int:
        """
        Gives the target to a gdb in this terminal until that ends; its exit code. The session is closed then.
        """
    def interrupt(self) -> DebugStop:
        """
        Stops a running kernel, wherever it is.
        """
    def kdb(self, command: str) -> DebuggerAnswer:
        """
        A command to the debugger in the kernel, which takes its turn at the kernel's stub: gdb lets go of it, and has it back.
        """
    @typing.overload
    def last_write(self, expression: str, *, timeout: float = 300.0) -> DebugWrite:
        """
        In a replay: which instruction wrote last, before now, to the object that a C expression names (a number: the address of eight bytes), and which task. The session stands before it afterwards.
        """
    @typing.overload
    def last_write(self, address: int, *, timeout: float = 300.0) -> DebugWrite: ...
    def load_modules(self) -> list[str]:
        """
        Symbols of the modules that were loaded since the last call; their names.
        """
    def locals(self, frame: int = 0, *, thread: int = 0) -> kdev.tables.Table[Variable]: ...
    def memory(self, address: int, size: int) -> bytes: ...
    def monitor(self, command: str) -> str:
        """
        A command to the stub itself: QEMU's monitor behind the machine's, kdb behind Linux's own.
        """
    def next(self) -> DebugStop:
        """
        A source line, over calls.
        """
    def registers(self, *, thread: int = 0) -> dict[str, int]: ...
    def resume(self) -> None:
        """
        Lets the kernel run.
        """
    def reverse_continue(self, *, timeout: float = 300.0) -> DebugStop:
        """
        In a replay: to the last breakpoint's or watchpoint's hit before now; 'no-history': there was none.
        """
    def reverse_finish(self, *, timeout: float = 300.0) -> DebugStop:
        """
        In a replay: to the call that the innermost frame is of.
        """
    def reverse_next(self, *, timeout: float = 300.0) -> DebugStop:
        """
        The same over calls and interrupts.
        """
    def reverse_step(self, *, timeout: float = 300.0) -> DebugStop:
        """
        In a replay: to the begin of the line that ran before, also one in a function that was called.
        """
    def reverse_step_instruction(self, *, timeout: float = 300.0) -> DebugStop: ...
    def run_to(self, location: str, *, timeout: float = 30.0) -> DebugStop:
        """
        Runs to there, or to another stop.
        """
    def source(self, location: str, *, lines: int = 10) -> str:
        """
        Source text around a location.
        """
    def step(self) -> DebugStop:
        """
        A source line, into calls.
        """
    def step_instruction(self, *, over_calls: bool = False) -> DebugStop: ...
    def threads(self) -> kdev.tables.Table[DebugThread]: ...
    def type_of(self, expression: str, *, frame: int = 0, thread: int = 0) -> str: ...
    def wait(self, *, timeout: float = 60.0) -> DebugStop:
        """
        Lets it run unless it has stopped meanwhile, and waits for a stop.
        """
    def watch(self, expression: str, what: str = "write", *, condition: str = "") -> DebugBreakpoint:
        """
        Stops when a C expression's value is written (changed), or its memory read: 'write', 'read', 'access'.
        """
    def write_memory(self, address: int, data: bytes) -> None: ...
    @property
    def breakpoints(self) -> kdev.tables.Table[DebugBreakpoint]:
        """
        Those that are set, watchpoints as well.
        """
    @property
    def notes(self) -> list[str]:
        """
        What a user should know.
        """
    @property
    def pid(self) -> int | None:
        """
        gdb's; None: closed.
        """
    @property
    def position(self) -> int:
        """
        Of a replay: instructions executed since the recording began.
        """
    @property
    def running(self) -> bool: ...
    @property
    def slide(self) -> int:
        """
        How far from where it was linked the kernel runs (KASLR).
        """
    @property
    def stopped(self) -> DebugStop | None:
        """
        The last stop; None while it runs.
        """

class Recording:
    """
    A guest's run, from its first instruction to its end: the same runs again in every replay.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Recording: ...
    @staticmethod
    def from_json(text: str) -> Recording: ...
    def __copy__(self) -> Recording: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Recording: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def replay(
        self, *, at_end: bool = True, timeout: float = 120.0, run_dir: str | os.PathLike[str] | None = None
    ) -> DebugSession:
        """
        The run again, under gdb, which goes back in time as well; it stands at the end, or before the first instruction.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def file(self) -> pathlib.Path:
        """
        What came into the machine from outside.
        """
    @property
    def hypervisor(self) -> str:
        """
        Its version: no other replays it.
        """
    @property
    def instructions(self) -> int:
        """
        Executed when it ended.
        """
    @property
    def kernel(self) -> KernelArtifact: ...
    @property
    def machine(self) -> str:
        """
        What it is made of (JSON).
        """
    @property
    def modules(self) -> list[pathlib.Path]:
        """
        Files of those that were added.
        """

class DebuggerTask:
    """
    A task in a kernel debugger's 'ps'.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> DebuggerTask: ...
    @staticmethod
    def from_json(text: str) -> DebuggerTask: ...
    def __copy__(self) -> DebuggerTask: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> DebuggerTask: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def address(self) -> int:
        """
        Of its structure; 0: not said.
        """
    @property
    def command(self) -> str: ...
    @property
    def cpu(self) -> int:
        """
        That it runs on, or ran on last; -1: not said.
        """
    @property
    def parent(self) -> int:
        """
        0: none.
        """
    @property
    def pid(self) -> int: ...
    @property
    def running(self) -> bool: ...
    @property
    def state(self) -> str: ...
    @property
    def tid(self) -> int:
        """
        Of the thread, where threads have numbers of another kind (FreeBSD); 0: not said.
        """
    @property
    def wait(self) -> str:
        """
        What it waits for, as the kernel names it.
        """

class KernelDebugger:
    """
    The debugger in a guest's kernel (ddb, kdb) at its prompt: the kernel stands still. A context manager: at its end the kernel goes on, unless it has crashed.
    """
    def __enter__(self) -> typing.Self: ...
    def __exit__(self, *args: object) -> None: ...
    def bt(self, task: int = 0) -> list[StackFrame]:
        """
        The frames of a task's stack, the debugger's own first; 0: of the one that runs where it was entered.
        """
    def close(self) -> None:
        """
        Lets the kernel go on; a crashed one stays at its prompt. Idempotent.
        """
    def ps(self) -> list[DebuggerTask]:
        """
        All tasks.
        """
    def run(self, command: str, *, timeout: float | None = None) -> DebuggerAnswer:
        """
        One command; all pages of its answer, stack traces in it symbolized.
        """
    @property
    def backend(self) -> str:
        """
        That the next stop goes to: this debugger, or its kernel's gdb stub.
        """
    @backend.setter
    def backend(self, arg1: str) -> None: ...
    @property
    def crashed(self) -> bool:
        """
        The kernel is not to go on.
        """
    @property
    def name(self) -> str:
        """
        'ddb', 'kdb'.
        """

class StageResult:
    """
    What one stage of a pipeline did.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> StageResult: ...
    @staticmethod
    def from_json(text: str) -> StageResult: ...
    def __copy__(self) -> StageResult: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> StageResult: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    @property
    def duration(self) -> float:
        """
        Seconds.
        """
    @property
    def error(self) -> str: ...
    @property
    def outcome(self) -> str:
        """
        'done', 'cached', 'failed', 'skipped' or 'interrupted'.
        """
    @property
    def stage(self) -> str: ...
    @property
    def text(self) -> str: ...

class PipelineResult:
    """
    What a pipeline's run came to.
    """

    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[typing.Any]]]
    """
    A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> PipelineResult: ...
    @staticmethod
    def from_json(text: str) -> PipelineResult: ...
    def __copy__(self) -> PipelineResult: ...
    def __deepcopy__(self, memo: dict[int, typing.Any]) -> PipelineResult: ...
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> typing.Any: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: typing.Any) -> None: ...
    def __str__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Plain data: str, numbers, list, dict, None.
        """
    def to_json(self) -> str: ...
    def to_text(self) -> str:
        """
        The stage table.
        """
    @property
    def commands(self) -> list[CommandResult]: ...
    @property
    def console_log(self) -> pathlib.Path | None:
        """
        None: no guest was started.
        """
    @property
    def crash(self) -> CrashReport | None:
        """
        The first crash, or None.
        """
    @property
    def crashes(self) -> list[CrashReport]: ...
    @property
    def duration(self) -> float:
        """
        Seconds.
        """
    @property
    def kernel(self) -> KernelArtifact | None: ...
    @property
    def name(self) -> str: ...
    @property
    def ok(self) -> bool: ...
    @property
    def stages(self) -> list[StageResult]: ...

class Pipeline:
    """
    A declared sequence of stages: a value built by chaining; nothing runs before run().
    """
    def __copy__(self) -> Pipeline: ...
    def __init__(self, name: str = "pipeline") -> None: ...
    def __repr__(self) -> str: ...
    def analyze(self) -> Pipeline:
        """
        Symbolizes every crash seen.
        """
    def boot(
        self,
        image: SeedImage | None = None,
        *,
        memory: str = "512M",
        cpus: int = 1,
        name: str = "",
        cmdline: str = "",
        accel: typing.Literal["auto", "kvm", "tcg"] = "auto",
        boot: typing.Literal["auto", "direct", "bzimage", "bios", "uefi"] = "auto",
        disks: collections.abc.Sequence[Disk] = [],
        modules: collections.abc.Sequence[ModuleArtifact] = [],
        qemu_args: collections.abc.Sequence[str] = [],
        run_dir: str | os.PathLike[str] | None = None,
        symbolize: bool = True,
        on_crash: OnCrash | None = None,
        debug_port: bool = False,
        record: bool = False,
        boot_timeout: float | None = None,
        command_timeout: float | None = None,
        crash_timeout: float | None = None,
        probe_timeout: float | None = None,
        close_timeout: float | None = None,
    ) -> Pipeline:
        """
        Arguments as for VM.
        """
    def build(self, ws: Workspace, conf: KernConf) -> Pipeline: ...
    def expect_crash(self, title: str = "*", *, timeout: float = 30.0) -> Pipeline:
        """
        The command before must have crashed the kernel; title is matched with fnmatch wildcards.
        """
    def kernel(self, kernel: KernelArtifact) -> Pipeline:
        """
        In place of build().
        """
    def module(self, dir: str | os.PathLike[str]) -> Pipeline:
        """
        Out-of-tree, into the image as /m/NAME.ko.
        """
    def pull(self, guest_path: str, destination: str | os.PathLike[str]) -> Pipeline: ...
    def push(self, source: str | os.PathLike[str], guest_path: str) -> Pipeline: ...
    def reboot(self, ws: Workspace, conf: KernConf) -> Pipeline:
        """
        Builds, installs, reboots into it.
        """
    @typing.overload
    def run(
        self,
        *,
        on_event: collections.abc.Callable[
            [
                StageStarted
                | StageFinished
                | Progress
                | DiagnosticFound
                | VmStateChanged
                | ConsoleLine
                | CrashFound
                | Notice
            ],
            None,
        ]
        | None = None,
    ) -> PipelineResult:
        """
        Runs all stages. A failing one ends the run and is told in the result.
        """
    @typing.overload
    def run(
        self,
        command: str,
        *,
        input: str | bytes = b"",
        env: collections.abc.Mapping[str, str] = {},
        cwd: str = "",
        timeout: float | None = None,
        check: bool = False,
        output_limit: int = 268435456,
    ) -> Pipeline:
        """
        A stage that runs a shell command line.
        """
    @property
    def name(self) -> str: ...
    @property
    def stage_names(self) -> list[str]: ...

def _close_all() -> None:
    """
    Closes every open VM of this process; for atexit.
    """

def _set_default_sink(
    sink: collections.abc.Callable[
        [
            StageStarted
            | StageFinished
            | Progress
            | DiagnosticFound
            | VmStateChanged
            | ConsoleLine
            | CrashFound
            | Notice
        ],
        None,
    ]
    | None,
) -> (
    collections.abc.Callable[
        [
            StageStarted
            | StageFinished
            | Progress
            | DiagnosticFound
            | VmStateChanged
            | ConsoleLine
            | CrashFound
            | Notice
        ],
        None,
    ]
    | None
):
    """
    Where events go when a call got no on_event of its own. Returns the one before.
    """

def agent_program() -> pathlib.Path:
    """
    kdev's static guest agent on this host.
    """

def check_kernconf(summary: KernconfSummary, tree: str | os.PathLike[str]) -> list[KernconfProblem]:
    """
    Options, CPU types and devices that the tree does not know, and what is missing.
    """

def console_systems() -> list[str]:
    """
    Those whose consoles can be read.
    """

def crash_key(report: CrashReport) -> str:
    """
    What two reports of the same crash share, however the kernel was built.
    """

def customize(
    disk: SeedImage,
    kernel: KernelArtifact,
    userland: UserlandArtifact,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    on_event: collections.abc.Callable[
        [
            StageStarted
            | StageFinished
            | Progress
            | DiagnosticFound
            | VmStateChanged
            | ConsoleLine
            | CrashFound
            | Notice
        ],
        None,
    ]
    | None = None,
    timeout: float | None = None,
) -> SeedImage:
    """
    A disk image with what was added to it and changed in it since, without root, by a guest of this kernel and userland that mounts it; with kdev's agent as a service. The original is not written to.
    """

def debug_running(vm: RunningVm, *, timeout: float = 60.0) -> DebugSession:
    """
    gdb on it, over its machine's stub, whatever process started it.
    """

def detect_console(log: str | bytes) -> str:
    """
    Whose console it seems to be; empty: nobody's.
    """

def detect_source(path: str | os.PathLike[str]) -> SourceTree:
    """
    Recognises the tree at `path`. ConfigError says what is missing when it is none.
    """

def diff_configs(left: str, right: str, os: typing.Literal["linux", "freebsd"] = "linux") -> list[ConfDiff]:
    """
    Differences between two complete configurations of one OS, in its own form (Linux: .config).
    """

def diff_kernconfs(left: KernconfSummary, right: KernconfSummary) -> list[KernconfDiff]:
    """
    Differences of what is in effect.
    """

def find_dumps(image: str | os.PathLike[str], *, timeout: float | None = None) -> list[DumpInfo]:
    """
    Dumps on a raw disk image, a partition's image or NAME.qcow2.
    """

def format_list(entries: collections.abc.Sequence[ImageEntry]) -> str: ...
def identify(
    file: str | os.PathLike[str],
) -> typing.Literal["console log", "report", "core", "disk", "text dump", "bundle"]:
    """
    What the file is, by its content: 'console log', 'report', 'core', 'disk', 'text dump', 'bundle'. FormatError, which says what it is, when it is none of these.
    """

def lift_dump(
    image: str | os.PathLike[str],
    dir: str | os.PathLike[str],
    *,
    partition: int | None = None,
    timeout: float | None = None,
) -> LiftedDump:
    """
    The image's dump as files in `dir`, as savecore(8) makes them.
    """

def list_archive(file: str | os.PathLike[str]) -> list[ImageEntry]:
    """
    The entries of a cpio archive, compressed or not, also several concatenated ones.
    """

def local_host() -> Host:
    """
    This machine.
    """

def lookup_symbol(elf_or_system_map: str | os.PathLike[str], address: str) -> list[SymbolMatch]:
    """
    Nearest symbols for a hex address; unknown digits are 'x' or left out at the end.
    """

def os_title(os: typing.Literal["linux", "freebsd"]) -> str:
    """
    For people: 'Linux', 'FreeBSD'.
    """

def parse_list(
    text: str, base_dir: str | os.PathLike[str], name: str | os.PathLike[str] = "list"
) -> list[ImageEntry]: ...
def probe_accel(use_cache: bool = True) -> AccelProbe:
    """
    Runs a tiny guest under KVM with a deadline; falls back to TCG.
    """

def read_build_id(elf: str | os.PathLike[str]) -> str:
    """
    GNU build id, hex; empty: none.
    """

def read_text_dump(tar: str | os.PathLike[str]) -> TextDump: ...
def running_os() -> typing.Literal["linux", "freebsd"]:
    """
    The OS of this machine's kernel. ConfigError when kdev does not know it.
    """

def running_vms(run_dir: str | os.PathLike[str]) -> list[RunningVm]:
    """
    VMs of any process of this user whose folders lie there, by name.
    """

def scan_console(log: str | bytes, os: str | None = None) -> list[CrashReport]:
    """
    All crash reports in a console log, in order. The log is str or bytes; `os` one of console_systems(), None: found out.
    """

def suspects(
    report: CrashReport,
    tree: str | os.PathLike[str],
    *,
    revision: str = "",
    lines: int = 5,
    recent: int = 10,
    timeout: float | None = None,
) -> Suspects:
    """
    Asks git about a symbolized report's lines: who touched them last, and what changed their file lately. `revision`: what the kernel was built from; empty: the tree as it lies there.
    """

def unpack_archive(file: str | os.PathLike[str], dir: str | os.PathLike[str]) -> list[str]:
    """
    Unpacks below `dir`; returns the entries that need root and were left out.
    """
