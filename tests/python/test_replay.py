"""Back in time: a guest that was recorded runs again, and says who wrote what."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import kdev
import pytest
from conftest import MakeVm, assert_nothing_left, processes_naming

pytestmark = pytest.mark.boot

MODULE = r"""
#include <linux/module.h>
#include <linux/slab.h>

struct widget {
	unsigned long id;
	unsigned long (*get)(struct widget *w);
	char label[32];
};

static struct widget *widget;
static unsigned long uses;
static unsigned long *stale;

static noinline unsigned long widget_id(struct widget *w)
{
	return w->id;
}

static noinline void widget_rename(const char *to)
{
	strscpy(widget->label, to, sizeof(widget->label));
}

static noinline void forget(void)
{
	unsigned long *was = stale;

	*was = 0xdead0bad;	/* the bug: what it points to is somebody else's by now */
}

static int set(const char *value, const struct kernel_param *param)
{
	if (value[0] == 'f')
		forget();
	else if (value[0] == 'r')
		widget_rename(value);
	else
		uses += widget->get(widget);
	return 0;
}

static const struct kernel_param_ops ops = { .set = set };
module_param_cb(poke, &ops, NULL, 0200);

static int __init replayed_init(void)
{
	widget = kzalloc(sizeof(*widget), GFP_KERNEL);
	if (!widget)
		return -ENOMEM;
	widget->id = 42;
	widget->get = widget_id;
	stale = (unsigned long *)&widget->get;
	return 0;
}

module_init(replayed_init);
MODULE_LICENSE("GPL");
"""
BUG = "*was = 0xdead0bad;"
POKE = "/sys/module/replayed/parameters/poke"


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(MODULE.split("\n"), 1) if text in line)


@dataclass
class Recorded:
    module: kdev.ModuleArtifact
    recording: kdev.Recording
    crash: kdev.CrashReport
    console: str
    run_dir: Path
    name: str


@pytest.fixture(scope="module")
def recorded(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recorded]:
    """A field is overwritten; long after it the kernel calls what it held."""
    source = tmp_path_factory.mktemp("replayed")
    (source / "Makefile").write_text("obj-m := replayed.o\n")
    (source / "replayed.c").write_text(MODULE)
    module = ws.build_module(source, kernel=kernel)
    run_dir = tmp_path_factory.mktemp("replay-run")
    with kdev.VM(
        kernel=kernel,
        modules=[module],
        memory="128M",
        cmdline="oops=panic",
        record=True,
        run_dir=run_dir,
        name="recorded",
    ) as vm:
        vm.run(f"insmod /m/replayed.ko; echo use > {POKE}", check=True)
        assert vm.run(f"echo forget > {POKE}; for i in 1 2 3 4 5; do echo rename$i > {POKE}; done").ok
        crash = vm.run(f"echo use > {POKE}").crash
        assert crash is not None
        console = vm.console
        recording = vm.recording()
        assert vm.state == "stopped"
        assert vm.recording() == recording
    yield Recorded(module, recording, crash, console, run_dir, "recorded")


@pytest.fixture(scope="module")
def replay(recorded: Recorded) -> Iterator[kdev.DebugSession]:
    """One session: each way back in it is a replay from the start."""
    with recorded.recording.replay(run_dir=recorded.run_dir) as session:
        yield session
    assert_nothing_left(recorded.run_dir, recorded.name)


def test_a_replay_stands_where_the_guest_ended(recorded: Recorded, replay: kdev.DebugSession) -> None:
    assert replay.position == recorded.recording.instructions > 10_000_000
    assert recorded.crash.kind == "oops"
    functions = [f.function for f in replay.backtrace()]
    assert "panic" in functions and "set" in functions
    assert replay.evaluate("widget->get").startswith("0xdead0bad")
    assert replay.evaluate("widget->label").startswith('"rename5')
    # What it says is what was said when it was recorded.
    log = max((recorded.run_dir / "logs").glob("replay-*.console.log"), key=lambda p: p.stat().st_mtime)
    said = log.read_bytes().decode(errors="replace")
    assert len(said) > 1000
    assert recorded.console.startswith(said)


def test_last_write_names_the_guilty_line(replay: kdev.DebugSession) -> None:
    replay.go_to(replay.position)
    end = replay.position
    write = replay.last_write("widget->get")
    assert (Path(write.frame.file).name, write.frame.line) == ("replayed.c", line_of(BUG))
    assert write.frame.source.startswith(BUG)
    assert write.frame.function == "forget"
    assert [f.function for f in write.backtrace[:2]] == ["forget", "set"]
    assert write.instruction.text.startswith("mov")
    assert (write.size, write.after) == (8, "ad0badde00000000")
    assert write.before != write.after
    assert not write.changed_since
    assert write.task == "sh" and write.pid > 1
    assert write.position < end
    # It stands there, before the instruction; the next one is after it.
    assert replay.position == write.position
    assert replay.evaluate("widget->get").endswith("<widget_id>")
    replay.step_instruction()
    assert replay.evaluate("(unsigned long)widget->get") == str(0xDEAD0BAD)
    # gdb's own watchpoint, run backwards from the end, agrees: it stops behind the instruction.
    replay.go_to(end)
    watch = replay.watch(f"*(unsigned long *){write.address:#x}")
    stop = replay.reverse_continue()
    replay.clear(watch)
    assert stop.reason == "watchpoint-trigger" and stop.new_value == str(0xDEAD0BAD)
    assert replay.position == write.position + 1


def test_steps_back(replay: kdev.DebugSession) -> None:
    bug = replay.break_at("forget")
    replay.go_to(replay.position)
    stop = replay.reverse_continue()
    while stop.reason != "breakpoint-hit":
        stop = replay.wait(timeout=60)
    replay.clear(bug)
    entered = replay.position
    assert stop.frame.function == "forget"
    replay.step_instruction()
    assert replay.reverse_step_instruction().frame.function == "forget"
    assert replay.position == entered
    caller = replay.reverse_finish()
    assert caller.frame.function == "set"
    assert caller.frame.source == "forget();"
    assert replay.disassemble()[0].function == "set"
    assert replay.step().frame.function == "forget"
    back = replay.reverse_step()
    assert back.frame.function == "set" and back.frame.source == "forget();"
    replay.next()
    assert replay.reverse_next().frame.source == "forget();"


def test_a_breakpoint_without_a_hit_ends_at_the_begin(replay: kdev.DebugSession) -> None:
    stop = replay.reverse_continue()
    assert stop.reason == "no-history"
    assert replay.position == 0
    with pytest.raises(kdev.DebugError, match="the recording begins here"):
        replay.last_write("jiffies_64")
    with pytest.raises(kdev.DebugError, match="the recording ends at"):
        replay.go_to(1 << 60)


def test_a_session_goes_on_after_the_end_and_after_a_way_that_failed(replay: kdev.DebugSession) -> None:
    replay.go_to(1000)
    end = replay.wait(timeout=60)  # nothing stops it before
    assert end.reason != "exited" and replay.position > 10_000_000
    with pytest.raises(kdev.TimeoutError):
        replay.go_to(5000, timeout=0.01)
    assert replay.go_to(2000).frame.address and replay.position == 2000
    assert not [e for e in replay.events() if isinstance(e, kdev.DebugTargetLost)]
    with pytest.raises(kdev.DebugError):
        replay.last_write("(char) 1")  # no object, and no address


def test_a_recording_is_a_value(recorded: Recorded) -> None:
    again = kdev.Recording.from_json(recorded.recording.to_json())
    assert again == recorded.recording
    other = recorded.recording.to_dict()
    other["hypervisor"] = "QEMU emulator version 1.0"
    with pytest.raises(kdev.ConfigError, match=r"1\.0 recorded it"):
        kdev.Recording.from_dict(other).replay()


def test_a_damaged_recording_ends_within_its_time(recorded: Recorded, tmp_path: Path) -> None:
    """Half of it: the replay waits for what does not come, and nothing stays behind."""
    whole = Path(recorded.recording.file).read_bytes()
    (tmp_path / "half.tape").write_bytes(whole[: len(whole) // 2])
    half = recorded.recording.to_dict()
    half["file"] = str(tmp_path / "half.tape")
    began = time.monotonic()
    with pytest.raises((kdev.TimeoutError, kdev.DebugError)):
        kdev.Recording.from_dict(half).replay(timeout=15, run_dir=tmp_path / "run")
    assert time.monotonic() - began < 25
    assert not processes_naming(str(tmp_path))
    (tmp_path / "half.tape").unlink()
    with pytest.raises(kdev.ConfigError, match="does not exist"):
        kdev.Recording.from_dict(half).replay()


def crash_recorded(vm: kdev.VM) -> kdev.CrashReport:
    vm.run(f"insmod /m/replayed.ko; echo forget > {POKE}", check=True)
    crash = vm.run(f"echo use > {POKE}").crash
    assert crash is not None
    return crash


def altered(bundle: Path, member: str, content: bytes) -> Path:
    """A bundle whose member was exchanged by somebody who knows about digests."""
    other = bundle.with_name("altered.kdev")
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(other, "w") as new:
        manifest = json.loads(old.read("bundle.json"))
        for name in old.namelist():
            if name == member:
                new.writestr(name, content)
            elif name != "bundle.json":
                new.writestr(name, old.read(name))
        for entry in manifest["members"]:
            if entry["name"] == member:
                entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        new.writestr("bundle.json", json.dumps(manifest))
    return other


def test_a_bundle_takes_the_recording_along(recorded: Recorded, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    """Saved, the machine ends; elsewhere, without any file of here, it is replayed and names the guilty line."""
    bundle_file = tmp_path / "crash.kdev"
    options = {"kernel": kernel, "modules": [recorded.module], "memory": "128M", "record": True}
    run_dir = tmp_path / "there"
    with kdev.VM(cmdline="oops=panic", run_dir=run_dir, **options) as vm:
        crash = crash_recorded(vm)
        crash.save(tmp_path / "without.kdev", recording=False, memory=False, symbols=False)
        assert vm.state == "crashed"
        crash.save(bundle_file)
        assert vm.state == "stopped"
        expected = vm.recording()
    shutil.rmtree(run_dir)
    assert not kdev.open(tmp_path / "without.kdev").has_recording
    bundle = kdev.open(bundle_file)
    assert isinstance(bundle, kdev.Bundle)
    assert bundle.has_recording and bundle.has_memory and bundle.notes == []
    assert "recording" in repr(bundle) and "a recording" in bundle._repr_html_()
    recording = bundle.recording()
    assert (recording.instructions, recording.hypervisor) == (expected.instructions, expected.hypervisor)
    assert str(run_dir) not in recording.machine and recording.kernel.build_id == kernel.build_id
    del bundle
    with recording.replay(run_dir=tmp_path / "here") as replay:
        write = replay.last_write("widget->get")
        assert (Path(write.frame.file).name, write.frame.line) == ("replayed.c", line_of(BUG))
        assert write.frame.source.startswith(BUG)
    assert not processes_naming(str(tmp_path))
    assert not [p for p in (tmp_path / "here").iterdir() if p.name != "logs"]

    # The hypervisor's arguments reach all of the host: a bundle may not bring any.
    with zipfile.ZipFile(bundle_file) as archive:
        said = json.loads(archive.read("recording/recording.json"))
    machine = json.loads(said["machine"]) | {"extra_args": ["-drive", "file=/etc/passwd"]}
    hostile = altered(
        bundle_file, "recording/recording.json", json.dumps(said | {"machine": json.dumps(machine)}).encode()
    )
    with pytest.raises(kdev.FormatError, match="arguments of its own"):
        kdev.open(hostile).recording()
    nameless = altered(bundle_file, "recording/recording.json", b"{}")
    with pytest.raises(kdev.FormatError):
        kdev.open(nameless).recording()


def test_a_guest_that_goes_on_keeps_its_machine(recorded: Recorded, make_vm: MakeVm, tmp_path: Path) -> None:
    vm = make_vm(modules=[recorded.module], record=True)
    vm.start()
    crash = crash_recorded(vm)
    assert vm.run("echo it goes on").stdout == "it goes on\n"
    crash.save(tmp_path / "crash.kdev", memory=False, symbols=False)
    bundle = kdev.open(tmp_path / "crash.kdev")
    assert not bundle.has_recording
    assert any("the guest goes on" in note for note in bundle.notes)
    assert vm.run("echo still").stdout == "still\n"
    with pytest.raises(kdev.ConfigError, match="no recording has an NMI"):
        vm.nmi()
    # Each boot has a tape of its own, and a crash that of its boot.
    first = vm.recording()
    vm.start()
    with pytest.raises(kdev.GuestError, match="guest-shutdown"):
        vm.run("poweroff -f", timeout=20)
    with pytest.raises(kdev.GuestError, match="ended by itself"):
        vm.recording()
    assert Path(first.file).exists() and Path(first.file).stat().st_size > 10_000
    crash.save(tmp_path / "later.kdev", memory=False, symbols=False)
    assert any("there is none of that boot" in note for note in kdev.open(tmp_path / "later.kdev").notes)
    with pytest.raises(kdev.FormatError, match="it has no recording"):
        bundle.recording()


def test_what_cannot_be_recorded(make_vm: MakeVm, tmp_path: Path) -> None:
    for options, why in (
        ({"cpus": 2}, "2 CPUs"),
        ({"accel": "kvm"}, "KVM does not record"),
        ({"disks": [kdev.Disk(size="1M")]}, "it has disks"),
        ({"debug_port": True}, "it has a debug port"),
    ):
        with pytest.raises(kdev.ConfigError, match=re.escape(why)):
            make_vm(record=True, **options).start()
    vm = make_vm()
    with pytest.raises(kdev.ConfigError, match="it was not recorded"):
        vm.recording()
    with pytest.raises(kdev.GuestError, match="it was not started"):
        make_vm(record=True).recording()
