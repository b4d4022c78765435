"""Read what a crash left: a saved console log, a report kept as JSON; the whole as one pipeline."""

import os
import tempfile
from pathlib import Path

import kdev

ws = kdev.Workspace(
    os.environ.get("KDEV_WORKSPACE", "~/.cache/kdev/workspace"), source=os.environ.get("KDEV_LINUX_SOURCE")
)
conf = kdev.KernConf.tiny(ws).preset("debug")

result = (
    kdev.Pipeline("stack exhaustion")
    .build(ws, conf)
    .boot(memory="512M", cpus=2)
    .run("echo EXHAUST_STACK > /sys/kernel/debug/provoke-crash/DIRECT")
    .expect_crash(title="*recursive_loop")
    .analyze()
    .run()
)
print(result)
assert result.ok and result.kernel and result.crash and result.console_log

# The same from the log alone, as if it had come from another machine.
log = kdev.open(result.console_log, kernel=result.kernel)
assert isinstance(log, kdev.ConsoleLog)
report = log.reports[0]
print(report.guilty)
assert report.guilty == result.crash.guilty

# A report is kept as JSON; it opens as any other file does: so would a dump, or the disk that it lies on.
with tempfile.TemporaryDirectory() as folder:
    saved = Path(folder) / "report.json"
    saved.write_text(report.to_json())
    assert kdev.open(saved) == report
