"""What crashes of FreeBSD guests say beyond their stacks: the member that was meant, locks. Skipped without a tree (see
conftest.py)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import kdev
import pytest

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]

CRASHER = """
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sx.h>
#include <sys/sysctl.h>

struct inner { long pad; int value; };
struct outer { char name[32]; struct inner in; struct outer *peer; };

static struct outer foo, *volatile given = &foo; /* the compiler does not know */
static struct mtx third;
static struct sx first, second;

static __noinline int
read_peer(struct outer *foo)
{
	return (foo->peer->in.value);
}

static void one_way(void *arg) { sx_xlock(&first); pause("taken", hz / 2); sx_xlock(&second); kthread_exit(); }
static void other_way(void *arg) { sx_xlock(&second); pause("taken", hz / 2); sx_xlock(&first); kthread_exit(); }
/* Programs come first: a holder that does not run is what its waiter sleeps for, and gets the waiter's priority. */
static void
busy(void *arg)
{
	mtx_lock(&third);
	for (;;) {
		DELAY(100);
		kern_yield(PRI_MAX_TIMESHARE);
	}
}
static void
blocked(void *arg)
{
	kern_yield(PRI_MAX_TIMESHARE);
	mtx_lock(&third);
	kthread_exit();
}

static int
go(SYSCTL_HANDLER_ARGS)
{
	int error, how = 0;

	error = sysctl_handle_int(oidp, &how, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (how == 1)
		return (read_peer(given) & 1);
	kthread_add(one_way, NULL, NULL, NULL, 0, 0, "one-way");
	kthread_add(other_way, NULL, NULL, NULL, 0, 0, "other-way");
	kthread_add(busy, NULL, NULL, NULL, 0, 0, "busy");
	pause("settle", hz / 2);
	kthread_add(blocked, NULL, NULL, NULL, 0, 0, "blocked");
	pause("settle", hz);
	return (0);
}
SYSCTL_PROC(_debug, OID_AUTO, facts, CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, go, "I", "crash");

static int
modevent(module_t mod __unused, int what, void *arg __unused)
{
	if (what == MOD_LOAD) {
		sx_init_flags(&first, "the first", SX_NOWITNESS); /* which would tell, and is a report */
		sx_init_flags(&second, "the second", SX_NOWITNESS);
		mtx_init(&third, "the third", NULL, MTX_DEF);
	}
	return (what == MOD_LOAD ? 0 : EOPNOTSUPP);
}
static moduledata_t facts_mod = { "facts", modevent, NULL };
DECLARE_MODULE(facts, facts_mod, SI_SUB_DRIVERS, SI_ORDER_MIDDLE);
MODULE_VERSION(facts, 1);
"""


@pytest.fixture(scope="module")
def module(freebsd_ws: kdev.Workspace, freebsd_kernel: kdev.KernelArtifact) -> Iterator[kdev.ModuleArtifact]:
    folder = freebsd_ws.src / f"facts{os.getpid()}"
    freebsd_ws.scaffold("hello", "facts", folder)
    (folder / "facts.c").write_text(CRASHER)
    yield freebsd_ws.build_module(folder, freebsd_kernel)
    shutil.rmtree(folder)


Crashed = tuple[kdev.CrashReport, kdev.Core]


@pytest.fixture
def crashed(
    request: pytest.FixtureRequest,
    freebsd_ws: kdev.Workspace,
    freebsd_kernel: kdev.KernelArtifact,
    module: kdev.ModuleArtifact,
    tmp_path: Path,
) -> Iterator[Crashed]:
    """After the commands of the test's parameter, the last of which panics: the console's report and the dump."""
    *before, last = request.param
    disk = tmp_path / "dump.raw"
    with kdev.VM(
        kernel=freebsd_kernel,
        image=kdev.SeedImage.userland(freebsd_ws.build_userland()).add_module(module),
        memory="256M",
        cpus=1,  # who waits for a mutex spins while its holder runs
        modules=[module],
        run_dir=tmp_path / "run",
        cmdline="dumpdev=vtbd0",
        disks=[kdev.Disk(file=disk, size="512M", keep=True)],
        on_crash=kdev.OnCrash(then="unattended"),
    ) as vm:
        for command in before:
            vm.run(command, check=True)
        crash = vm.run(last).crash
        assert crash is not None
    lifted = kdev.lift_dump(disk, tmp_path / "crash")
    yield crash, kdev.Core(lifted.file, freebsd_kernel, modules=[module.ko])
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.parametrize("crashed", [("kldload /m/facts.ko", "sysctl debug.facts=1")], indirect=True)
def test_the_member_that_was_meant(crashed: Crashed) -> None:
    console, core = crashed
    for report in (console, core.report()):
        fault = report.fault
        assert fault is not None
        assert (fault.address, fault.access, fault.base_value) == (0x28, "read", 0)
        assert fault.certain, str(fault)
        (member,) = fault.members
        assert (member.expression, member.type, member.offset) == ("foo->peer->in.value", "struct outer", 0x28)


@pytest.mark.parametrize(
    "crashed", [("kldload /m/facts.ko", "sysctl debug.facts=2", "sysctl debug.kdb.panic=1")], indirect=True
)
def test_who_holds_what_others_wait_for(crashed: Crashed) -> None:
    core = crashed[1]
    names = {t.tid: t.name for t in core.threads()}
    locks = {lock.name.split(" ")[0]: lock for lock in core.locks()}
    found = {
        name: (lock.kind, [names[t] for t in lock.holders], [names[t] for t in lock.waiters], lock.deadlock)
        for name, lock in locks.items()
    }
    assert found == {
        "first": ("sx", ["one-way"], ["other-way"], True),
        "second": ("sx", ["other-way"], ["one-way"], True),
        "third": ("sleep mutex", ["busy"], ["blocked"], False),
    }
