"""Values: ==, hash, repr, JSON, pickle, copy."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
from pathlib import Path
from typing import Any

import kdev
import pytest
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
U64 = st.integers(0, 2**64 - 1)
SECONDS = st.floats(0, 1e6)

VARIABLE = st.fixed_dictionaries(
    {"name": TEXT, "value": TEXT, "type": TEXT, "address": U64, "available": st.booleans()},
)
FRAME = st.fixed_dictionaries(
    {
        "function": TEXT,
        "offset": U64,
        "size": U64,
        "module": TEXT,
        "address": U64,
        "reliable": st.booleans(),
        "inlined": st.booleans(),
        "file": TEXT,
        "line": st.integers(0, 2**31 - 1),
        "source": TEXT,
        "args": st.lists(VARIABLE, max_size=2),
        "locals": st.lists(VARIABLE, max_size=2),
    }
)
DIAGNOSTIC = st.fixed_dictionaries(
    {
        "file": st.text("abc/._-", max_size=20),
        "line": st.integers(0, 10**6),
        "column": st.integers(0, 500),
        "severity": st.sampled_from(["error", "fatal error", "warning", "note"]),
        "message": TEXT,
    }
)
COMMAND = st.fixed_dictionaries(
    {
        "command": TEXT,
        "stdout": TEXT,
        "stderr": TEXT,
        "exit_code": st.none() | st.integers(0, 255),
        "signal": st.none() | st.integers(1, 64),
        "timed_out": st.booleans(),
        "truncated": st.booleans(),
        "stdout_bytes": U64.filter(lambda n: n < 2**63),
        "stderr_bytes": U64.filter(lambda n: n < 2**63),
        "duration": SECONDS,
        "guest_duration": SECONDS,
        "console": TEXT,
        "crash": st.none(),
    }
)
SETTING = st.fixed_dictionaries({"option": TEXT, "value": TEXT, "origin": TEXT, "wanted": st.booleans()})
LOST = st.fixed_dictionaries(
    {
        "asked": SETTING,
        "got": st.none() | TEXT,
        "type": st.sampled_from(["", "bool", "tristate", "string", "int", "hex"]),
        "depends": TEXT,
        "unmet": st.lists(TEXT, max_size=3),
        "nearest": st.lists(TEXT, max_size=3),
    }
)
STAGE = st.fixed_dictionaries(
    {"stage": TEXT, "text": TEXT, "outcome": TEXT, "duration": SECONDS, "error": TEXT},
)


def check_value(value: Any) -> None:
    """What holds for every value."""
    cls = type(value)
    assert value == value
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert type(twin) is cls
        assert twin == value
        assert hash(twin) == hash(value)
        assert repr(twin) == repr(value)
    again = cls.from_json(value.to_json())
    assert again == value
    assert again.to_json() == value.to_json()
    assert isinstance(json.loads(value.to_json()), dict)
    assert value != object() and value != None  # noqa: E711 - __eq__ is what is tested


def check_fields(cls: Any, fields: dict[str, Any]) -> Any:
    """from_dict gives what went in, and check_value holds."""
    value = cls.from_dict(fields)
    assert value.to_dict() == fields
    check_value(value)
    return value


@given(VARIABLE)
def test_variable(fields: dict[str, Any]) -> None:
    variable = check_fields(kdev.Variable, fields)
    assert (variable.name, variable.value, variable.available) == (
        fields["name"],
        fields["value"],
        fields["available"],
    )


@given(FRAME)
def test_stack_frame(fields: dict[str, Any]) -> None:
    frame = check_fields(kdev.StackFrame, fields)
    assert (frame.function, frame.offset, frame.line) == (fields["function"], fields["offset"], fields["line"])


@given(st.lists(FRAME, max_size=4), TEXT, TEXT)
def test_stack_trace(frames: list[dict[str, Any]], name: str, context: str) -> None:
    trace = check_fields(kdev.StackTrace, {"name": name, "context": context, "frames": frames})
    assert [frame.function for frame in trace.frames] == [frame["function"] for frame in frames]


@given(DIAGNOSTIC)
def test_diagnostic(fields: dict[str, Any]) -> None:
    assert check_fields(kdev.Diagnostic, fields).message == fields["message"]


@given(COMMAND)
def test_command_result(fields: dict[str, Any]) -> None:
    result = check_fields(kdev.CommandResult, fields)
    assert result.stdout_bytes == fields["stdout"].encode()
    assert result.stdout_size == fields["stdout_bytes"]
    assert result.ok == (fields["exit_code"] == 0 and not fields["timed_out"])


@given(LOST)
def test_lost_option(fields: dict[str, Any]) -> None:
    lost = check_fields(kdev.LostOption, fields)
    assert (lost.asked.option, lost.got, lost.type) == (fields["asked"]["option"], fields["got"], fields["type"])


@given(
    st.fixed_dictionaries(
        {
            "text": TEXT,
            "values": st.dictionaries(TEXT, TEXT, max_size=4),
            "lost": st.lists(LOST, max_size=2),
            "overridden": st.lists(SETTING, max_size=2),
        }
    )
)
def test_resolved_conf(fields: dict[str, Any]) -> None:
    resolved = check_fields(kdev.ResolvedConf, fields)
    assert resolved.values == fields["values"] and len(resolved.lost) == len(fields["lost"])


@given(STAGE)
def test_stage_result(fields: dict[str, Any]) -> None:
    assert math.isclose(check_fields(kdev.StageResult, fields).duration, fields["duration"])


@given(st.lists(STAGE, max_size=3), st.lists(COMMAND, max_size=2), SECONDS)
def test_pipeline_result(stages: list[Any], commands: list[Any], seconds: float) -> None:
    fields = {"name": "p", "ok": True, "stages": stages, "commands": commands, "duration": seconds}
    result = kdev.PipelineResult.from_dict(fields)
    assert [stage.to_dict() for stage in result.stages] == stages
    assert result.kernel is None and result.crash is None
    check_value(result)


@given(st.text("0123456789abcdef", min_size=1, max_size=16), TEXT, st.booleans())
def test_kernel_artifact(ident: str, release: str, from_store: bool) -> None:
    kernel = kdev.KernelArtifact.from_json(
        json.dumps(
            {
                "id": ident,
                "os": "linux",
                "arch": "x86_64",
                "release": release,
                "image": "/a/b",
                "from_store": from_store,
            }
        )
    )
    assert (kernel.id, kernel.release, kernel.image) == (ident, release, Path("/a/b"))
    check_value(kernel)


def test_paths_are_paths() -> None:
    module = kdev.ModuleArtifact.from_dict({"name": "hello", "ko": "/x/hello.ko"})
    assert module.ko == Path("/x/hello.ko")
    check_value(module)


OPTION = st.text("ABCXYZ_0189", min_size=1, max_size=12)
STEPS = st.lists(
    st.tuples(st.sampled_from(["enable", "disable", "module"]), OPTION)
    | st.tuples(st.just("set"), OPTION, st.integers(0, 1000) | st.text("abc/ .", max_size=8)),
    max_size=8,
)


@given(STEPS)
def test_kern_conf(steps: list[tuple[Any, ...]]) -> None:
    conf = kdev.KernConf.tiny()
    for name, *arguments in steps:
        before = conf.to_json()
        after = getattr(conf, name)(*arguments)
        assert conf.to_json() == before, "a KernConf is immutable"
        conf = after
    check_value(conf)
    asked = [(s.option, s.value) for s in conf.settings if s.origin == "user"]
    values = {"enable": "y", "disable": "n", "module": "m"}
    assert asked == [(option, str(value[0]) if value else values[name]) for name, option, *value in steps]


def test_kern_conf_presets_and_diff() -> None:
    assert "debug" in kdev.KernConf.preset_names()
    plain = kdev.KernConf.tiny()
    debug = plain.preset("debug")
    assert debug.presets == ["debug"] and plain.presets == []
    assert plain != debug and hash(plain) != hash(debug)
    assert "KGDB" in {d.option for d in plain.diff(debug)}
    assert "preset debug" in debug.describe()
    with pytest.raises(kdev.ConfigError) as caught:
        plain.preset("debgu")
    assert "debug" in str(caught.value)


def test_configs_are_compared_by_their_own_rules() -> None:
    left, right = "CONFIG_A=y\nCONFIG_B=m\n", "CONFIG_B=y\n"
    differences = [(d.option, d.left, d.right) for d in kdev.diff_configs(left, right)]
    assert differences == [("A", "y", None), ("B", "m", "y")]
    assert kdev.diff_configs(left, right, "linux") == kdev.diff_configs(left, right, os="linux")
    with pytest.raises(ValueError, match="'beos'"):
        kdev.diff_configs(left, right, os="beos")  # type: ignore[arg-type]


def test_the_running_kernel_is_of_this_machines_os() -> None:
    ours = kdev.running_os()
    assert kdev.os_title(ours) == os.uname().sysname
    with pytest.raises(kdev.ConfigError, match=kdev.os_title(ours)):
        kdev.KernConf.running("freebsd" if ours == "linux" else "linux")


def test_kernels_are_shown_by_their_os() -> None:
    for name, title in (("linux", "Linux"), ("freebsd", "FreeBSD")):
        kernel = kdev.KernelArtifact.from_dict({"id": "a", "os": name, "release": "<1>"})
        assert f"<b>{title} &lt;1&gt;</b>" in kernel._repr_html_()


@given(st.binary(max_size=200), st.sampled_from(["none", "gzip", "zstd"]))
def test_seed_image(content: bytes, compression: Any) -> None:
    image = kdev.SeedImage.busybox().add_content(content, "/etc/x").add_directory("/d").compress(compression)
    check_value(image)
    assert image.compression == compression and image.has_agent


@given(
    st.binary(max_size=50),
    st.sampled_from(["file", "dir", "nod", "slink", "pipe", "sock"]),
    st.integers(0, 0o7777),
)
def test_image_entry_survives_pickle(content: bytes, kind: Any, mode: int) -> None:
    entry = kdev.ImageEntry(kind, "/a", mode, content=content, device="c" if kind == "nod" else "")
    twin = pickle.loads(pickle.dumps(entry))
    assert twin == entry == copy.deepcopy(entry)
    assert (twin.type, twin.mode, twin.content) == (kind, mode, content)


def test_events() -> None:
    events: list[tuple[kdev.Event, str]] = [
        (kdev.StageStarted.from_dict({"stage": "build", "text": "x"}), "stage_started"),
        (kdev.StageFinished.from_dict({"stage": "build", "outcome": "done", "seconds": 1.5}), "stage_finished"),
        (kdev.Progress.from_dict({"stage": "build", "done": 3, "total": 9, "eta": 2.0}), "progress"),
        (kdev.VmStateChanged.from_dict({"vm": "v", "from": "booting", "to": "ready"}), "vm_state"),
        (kdev.ConsoleLine.from_dict({"vm": "v", "text": "hi"}), "console"),
        (kdev.CrashFound.from_dict({"vm": "v", "title": "BUG"}), "crash"),
        (kdev.Notice.from_dict({"text": "reaped"}), "notice"),
        (kdev.DiagnosticFound.from_dict({"diagnostic": {"file": "a.c", "line": 3, "message": "no"}}), "diagnostic"),
    ]
    for event, name in events:
        assert json.loads(event.to_json())["event"] == name
        check_value(event)
        assert type(event).from_dict(event.to_dict()) == event
        assert str(event)
    assert "3/9" in str(events[2][0])


def test_enumerations_are_checked() -> None:
    with pytest.raises(ValueError, match="'beos'"):
        kdev.KernConf.tiny(os="beos")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="zstd"):
        kdev.SeedImage.busybox().compress("lzma")  # type: ignore[arg-type]


def test_bad_json_is_a_format_error() -> None:
    for cls in (kdev.KernConf, kdev.SeedImage, kdev.KernelArtifact, kdev.CrashReport):
        for text in ("", "[]", "{", '"x"'):
            with pytest.raises(kdev.FormatError):
                cls.from_json(text)
    with pytest.raises(ValueError):
        kdev.StackFrame.from_json("[]")


def test_types_are_checked() -> None:
    with pytest.raises(TypeError):
        kdev.KernConf.tiny().enable(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        kdev.Workspace(object())  # type: ignore[arg-type]
