"""Read a saved console log: find the reports, symbolize them, keep them as JSON; the whole as one pipeline."""

import os

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
reports = kdev.scan_console(result.console_log.read_bytes())
report = kdev.Symbolizer(result.kernel).symbolize(reports[0])
print(report.guilty)
assert report.guilty == result.crash.guilty
assert kdev.CrashReport.from_json(report.to_json()) == report
