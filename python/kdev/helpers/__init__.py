"""Questions to a Linux kernel by way of drgn, on a running guest and on dumps alike:

    from kdev.helpers import for_each_task, gdt, idt, kernel_stack, page_walk, per_cpu

    prog = vm.drgn()                     # the guest runs on; core.drgn() of a dump
    [task.comm for task in for_each_task(prog)]
    per_cpu(prog["runqueues"], 1).nr_running
    page_walk(prog, 0xffffffff81000000)

What drgn has is drgn's own (drgn.helpers.linux has many more); descriptor tables, page tables with each level's entry,
and a task's kernel stack with its bounds are made here, of x86_64. A running kernel changes while it is read: what is
torn is drgn's FaultError, or a value that makes no sense; ask again. ConfigError when this is imported without drgn.
"""

from __future__ import annotations

from ..drgn_program import need_drgn

need_drgn("use kdev.helpers")

from drgn.helpers.linux.cpumask import for_each_online_cpu  # noqa: E402
from drgn.helpers.linux.list import hlist_for_each_entry, list_for_each_entry  # noqa: E402
from drgn.helpers.linux.mm import follow_page, follow_phys, virt_to_phys  # noqa: E402
from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr  # noqa: E402
from drgn.helpers.linux.pid import find_task, for_each_task  # noqa: E402
from drgn.helpers.linux.printk import get_dmesg  # noqa: E402
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each_entry  # noqa: E402
from drgn.helpers.linux.sched import cpu_curr, idle_task  # noqa: E402

from .descriptors import GateDescriptor, SegmentDescriptor, gdt, idt  # noqa: E402
from .page_tables import PageTableEntry, PageWalk, page_walk  # noqa: E402
from .stacks import KernelStack, kernel_stack  # noqa: E402

__all__ = [
    "GateDescriptor",
    "KernelStack",
    "PageTableEntry",
    "PageWalk",
    "SegmentDescriptor",
    "cpu_curr",
    "find_task",
    "follow_page",
    "follow_phys",
    "for_each_online_cpu",
    "for_each_task",
    "gdt",
    "get_dmesg",
    "hlist_for_each_entry",
    "idle_task",
    "idt",
    "kernel_stack",
    "list_for_each_entry",
    "page_walk",
    "per_cpu",
    "per_cpu_ptr",
    "rbtree_inorder_for_each_entry",
    "virt_to_phys",
]
