"""What crashes of Linux guests say beyond their stacks: members, marks, locks. Real crashes of a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import kdev
import pytest

pytestmark = pytest.mark.boot

CRASHER = """
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>

struct inner { long pad; int value; };
struct outer {
	char name[32];
	struct inner in;
	struct outer *peer;
	int (*call)(struct outer *);
	struct list_head list;
};

static __attribute__((noipa)) int read_member(struct outer *foo) { return foo->in.value; }
static __attribute__((noipa)) int read_peer(struct outer *foo) { int v = foo->peer->in.value; return v + foo->name[0]; }
static __attribute__((noipa)) int call_member(struct outer *foo) { int v = foo->call(foo); return v + foo->name[0]; }
static __attribute__((noipa)) void take_out(struct outer *foo) { list_del(&foo->list); }
static __attribute__((noipa)) long after_removal(struct outer *foo) { return (long)foo->list.next->prev; }

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DECLARE_RWSEM(third);

static int one_way(void *unused) { mutex_lock(&first); msleep(300); mutex_lock(&second); return 0; }
static int other_way(void *unused) { mutex_lock(&second); msleep(300); mutex_lock(&first); return 0; }
static int writer(void *unused) { down_write(&third); mutex_lock(&first); return 0; }
static int reader(void *unused) { msleep(300); down_read(&third); return 0; }

static int set(const char *val, const struct kernel_param *p)
{
	static struct outer foo;
	static LIST_HEAD(head);

	switch (val[0]) {
	case 'm': return read_member(NULL) & 1;
	case 'p': return read_peer(&foo) & 1;
	case 'c': return call_member(&foo) & 1;
	case 'l': list_add(&foo.list, &head); take_out(&foo); return after_removal(&foo) & 1;
	case 'd':
		kthread_run(one_way, NULL, "one-way");
		kthread_run(other_way, NULL, "other-way");
		msleep(100);
		kthread_run(writer, NULL, "writer");
		kthread_run(reader, NULL, "reader");
		msleep(1000);
	}
	return 0;
}
static const struct kernel_param_ops ops = { .set = set };
module_param_cb(hit, &ops, NULL, 0200);
static int __init init(void) { return 0; }
static void __exit done(void) {}
module_init(init); module_exit(done); MODULE_LICENSE("GPL");
"""


@dataclass
class Lab:
    kernel: kdev.KernelArtifact
    module: kdev.ModuleArtifact
    image: kdev.SeedImage
    folder: Path

    def crash(self, how: str, dump: Path) -> kdev.CrashReport:
        """What the module does; the kernel panics, and is dumped."""
        with kdev.VM(
            kernel=self.kernel, image=self.image, cpus=2, memory="256M", modules=[self.module], run_dir=dump / "run"
        ) as vm:
            vm.run("insmod /m/facts.ko; echo 1 > /proc/sys/kernel/panic_on_oops", check=True)
            result = vm.run(f"echo {how} > /sys/module/facts/parameters/hit")
            if result.crash is None:
                result = vm.run("echo c > /proc/sysrq-trigger")
            assert result.crash is not None
            vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{dump / 'vmcore'}")
            return result.crash

    def core(self, dump: Path) -> kdev.Core:
        return kdev.Core(dump / "vmcore", self.kernel, modules=[self.module.ko], source=self.folder)


@pytest.fixture(scope="module")
def lab(ws: kdev.Workspace, kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("linux-facts") / "facts"
    ws.scaffold("hello", "facts", folder)
    (folder / "facts.c").write_text(CRASHER)
    module = ws.build_module(folder, kernel)
    yield Lab(kernel, module, kdev.SeedImage.busybox().add_module(module), folder)


@pytest.mark.parametrize(
    ("how", "address", "access", "expression", "pointer", "member", "offset"),
    [
        ("m", 0x28, "read", "foo->in.value", "foo", "in.value", 0x28),
        ("p", 0x28, "read", "foo->peer->in.value", "foo->peer", "in.value", 0x28),
        ("c", 0, "execute", "foo->call", "foo", "call", 0x38),
        ("l", 0xDEAD000000000108, "", "foo->list.next->prev", "foo->list.next", "prev", 8),
    ],
)
def test_the_member_that_was_meant(
    lab: Lab,
    tmp_path: Path,
    how: str,
    address: int,
    access: str,
    expression: str,
    pointer: str,
    member: str,
    offset: int,
) -> None:
    printed = lab.crash(how, tmp_path)
    symbolizer = kdev.Symbolizer(lab.kernel, modules=[lab.module.ko], source=lab.folder)
    (again,) = [r for r in kdev.scan_console(printed.text, "linux") if r.fault is not None]
    for report in (printed, symbolizer.symbolize(again), lab.core(tmp_path).report()):
        fault = report.fault
        assert fault is not None
        assert (fault.address, fault.access) == (address, access)
        assert fault.certain, fault
        (found,) = fault.members
        assert (found.expression, found.variable, found.member, found.offset) == (expression, pointer, member, offset)
        assert found.type == ("struct list_head" if how == "l" else "struct outer")
        assert fault.explanation in report.to_text()
        if how in "mp":
            assert fault.base_value == 0
            assert fault.explanation.endswith("a NULL pointer")
        if how == "l":
            assert fault.base_value == 0xDEAD000000000100
            assert "LIST_POISON1" in fault.poison
            assert any("LIST_POISON1" in p.meaning for p in report.poisons)


def test_who_holds_what_others_wait_for(lab: Lab, tmp_path: Path) -> None:
    lab.crash("d", tmp_path)
    core = lab.core(tmp_path)
    threads = {t.tid: t for t in core.threads()}
    names = {tid: t.name for tid, t in threads.items()}
    locks = {lock.name: lock for lock in core.locks()}
    first, second, third = (locks[f"{name} [facts]"] for name in ("first", "second", "third"))

    def who(tids: list[int]) -> list[str]:
        return [names[tid] for tid in tids]

    assert (first.kind, who(first.holders), who(first.waiters)) == ("mutex", ["one-way"], ["writer", "other-way"])
    assert (second.kind, who(second.holders), who(second.waiters)) == ("mutex", ["other-way"], ["one-way"])
    assert (third.kind, who(third.holders), who(third.waiters)) == ("rwsem", ["writer"], ["reader"])
    assert {lock.name for lock in locks.values() if lock.deadlock} == {first.name, second.name}
    channels = {t.name: t.wait_channel for t in threads.values()}
    assert channels["one-way"] == "one_way"
    assert channels["reader"] == "reader"
    assert channels["kthreadd"] == "kthreadd"
