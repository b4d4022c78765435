"""What a guest boots from: the busybox image, files of one's own, gen_init_cpio lists; reproducible, without root."""

import tempfile
from pathlib import Path

import kdev

image = (
    kdev.SeedImage.busybox()
    .add_content("hello from the host\n", "/etc/motd")
    .add_directory("/data", 0o1777)
    .compress("zstd")
)

with tempfile.TemporaryDirectory() as folder:
    first, second = Path(folder, "a.cpio.zst"), Path(folder, "b.cpio.zst")
    image.write(first)
    image.write(second)
    assert first.read_bytes() == second.read_bytes(), "same input, same bytes"
    entries = kdev.list_archive(first)
    print(f"{first.stat().st_size >> 10} KiB, {len(entries)} entries")
    for entry in entries:
        if entry.path in ("/init", "/etc/motd", "/data"):
            print(f"  {entry.type:<5} {entry.mode:04o} {entry.path} {entry.size}")

# The kernel's own list format.
listed = kdev.parse_list("dir /dev 755 0 0\nnod /dev/console 600 0 0 c 5 1\nslink /bin/sh busybox 777 0 0\n", "/")
print(kdev.format_list(listed), end="")
