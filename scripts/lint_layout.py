#!/usr/bin/env python3
"""Checks what the layout promises; prints one line a finding, ends 1 when there is an error.

usage: lint_layout.py [CHECKOUT]

- includes of libkdev/src point downward: pipeline -> {vm, debug, crash, image, build, net} -> workspace ->
  {guest, hypervisor} -> host -> common; inside one level only along the arrows of libkdev/CMakeLists.txt
- guests never name hypervisors, nor the reverse; they meet in guest/boot_plan.hpp
- outside guest/, nothing includes one guest's or one hypervisor's own files
- outside guest/, nothing names a guest or asks which one it is, but a public default ("Os os = Os::x") and host/, whose
  machine runs one; nothing in build/ knows Kbuild's words
- each public header compiles alone, and includes only its like, the standard library and Boost.Filesystem
- no file names a package registry's host
- a file of more than 400 lines is named (a warning)
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
LIBKDEV = ROOT / "libkdev"

LEVELS = [
    {"common"},
    {"host"},
    {"guest", "hypervisor"},
    {"workspace"},
    {"vm", "debug", "crash", "image", "build", "net"},
    {"pipeline"},
]
LEVEL = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
MEETING_POINT = "guest/boot_plan.hpp"
MAX_LINES = 400

# Also as a part of a name (linux_banner, FreebsdGuest); linuxrc is busybox's.
GUEST_WORDS = re.compile(r"(?<![a-z])(?:linux(?!rc)|freebsd)", re.IGNORECASE)
# What host/ does, it does on a machine that runs one of the guests.
NAMES_GUESTS = {"guest", "host"}
# Values that an Os begins with, and the list of them.
OS_DEFAULT = re.compile(r"\bOs \w+ = Os::\w+|\benum class Os \{[^}]*\}")
OS_QUESTION = re.compile(r"(?:[=!]=|\bcase)\s*(?:kdev::)?Os::\w+|\bOs::\w+\s*[=!]=")
HYPERVISOR_WORDS = re.compile(r"\b(qemu|bhyve)\b", re.IGNORECASE)

# How Linux builds is for guest/linux to know. By folder: the words, and what they are.
KBUILD_WORDS = re.compile(
    r"\bobj-m\b|\bmodules\.order\b|\.symvers\b|\bKCFLAGS\b|\bKBUILD_|\bKbuild\b|\bKconfig\b|\bCONFIG_"
    r"|\bolddefconfig\b|\bINITRAMFS_SOURCE\b|\bSystem\.map\b|\bbzImage\b|\.tmp_|\.cmd\b|\.mod\b"
)
FOREIGN_WORDS = {"build": ("Kbuild's", KBUILD_WORDS)}

# Written in two halves, so that this file does not name them either.
REGISTRY_HOSTS = re.compile(
    r"(?<![\w-])("
    + "|".join(
        rf"{name}\.{end}"
        for name, end in [
            (r"(?:test\.)?pypi", "org"),
            ("pythonhosted", "org"),
            (r"(?:deb|ftp[\w.]*|security|snapshot|httpredir|archive|http\.[\w.]*)\.debian", "(?:org|net)"),
            (r"archive\.ubuntu", "com"),
            (r"(?:static\.|index\.)?crates", "io"),
            (r"npmjs", "(?:org|com)"),
            (r"proxy\.golang", "org"),
            (r"(?:repo1?|central)\.maven(?:\.apache)?", "org"),
            (r"(?:ana)?conda", "(?:org|com)"),
            (r"(?:docker|ghcr|quay)", "io"),
        ]
    )
    + r")(?![\w-])",
    re.IGNORECASE,
)

errors: list[str] = []
warnings: list[str] = []


def relative(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


def project_files() -> list[pathlib.Path]:
    """Every file that is, or could be, committed."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = set(subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"))
    return [ROOT / name for name in sorted(names) if name and (ROOT / name).is_file()]


def without_comments(text: str) -> str:
    """C++ text with comments blanked; line numbers and string literals stay."""
    comment, raw = r"//[^\n]*|/\*.*?\*/", r'R"(\w*)\(.*?\)\1"'
    string, character = r'"(?:\\.|[^"\\\n])*"', r"'(?:\\.|[^'\\\n])+'"
    token = re.compile(f"{comment}|{raw}|{string}|{character}", re.DOTALL)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0], text)


def cmake_arrows() -> dict[str, set[str]]:
    """Direct dependencies between folders, from the kdev_folder() lines."""
    text = (LIBKDEV / "CMakeLists.txt").read_text()
    arrows: dict[str, set[str]] = {}
    for name, rest in re.findall(r"^kdev_folder\((\w+)([^)]*)\)", text, re.MULTILINE):
        depends = re.search(r"DEPENDS((?:\s+(?!LIBS\b)[\w]+)*)", rest)
        arrows[name] = set(depends[1].split()) if depends else set()
    return arrows


def closure(arrows: dict[str, set[str]], start: str, trail: tuple[str, ...] = ()) -> set[str]:
    if start in trail:
        errors.append(f"libkdev/CMakeLists.txt: a cycle of folders: {' -> '.join([*trail, start])}")
        return set()
    reached: set[str] = set()
    for folder in arrows.get(start, ()):
        reached |= {folder} | closure(arrows, folder, (*trail, start))
    return reached


def check_cmake(arrows: dict[str, set[str]]) -> None:
    for folder, targets in arrows.items():
        if folder not in LEVEL:
            errors.append(f"libkdev/CMakeLists.txt: folder {folder} has no level in scripts/lint_layout.py")
            continue
        for target in targets:
            if LEVEL.get(target, 99) > LEVEL[folder]:
                errors.append(f"libkdev/CMakeLists.txt: {folder} -> {target} points upward")
            if {folder, target} == {"guest", "hypervisor"}:
                errors.append(f"libkdev/CMakeLists.txt: {folder} -> {target}: they must not know each other")


def check_include(where: str, folder: str, target: str, reachable: set[str]) -> None:
    other = target.split("/")[0]
    if other == folder or other not in LEVEL:
        return
    if {folder, other} == {"guest", "hypervisor"}:
        if target != MEETING_POINT:
            errors.append(f"{where}: {folder}/ includes {target}: they meet only in {MEETING_POINT}")
        return
    if LEVEL[other] > LEVEL[folder]:
        errors.append(f"{where}: {folder}/ includes {target}: upward")
    elif LEVEL[other] == LEVEL[folder] and other not in reachable:
        errors.append(f"{where}: {folder}/ includes {target}: no such arrow in libkdev/CMakeLists.txt")
    if other in ("guest", "hypervisor") and target.count("/") > 1:
        errors.append(f"{where}: {folder}/ includes {target}: a file of one {other}, not its contract")


def check_sources(arrows: dict[str, set[str]]) -> None:
    for path in sorted((LIBKDEV / "src").rglob("*.[ch]pp")):
        folder = path.relative_to(LIBKDEV / "src").parts[0]
        if folder not in LEVEL:
            errors.append(f"{relative(path)}: folder {folder} has no level in scripts/lint_layout.py")
            continue
        reachable = closure(arrows, folder)
        forbidden = {"guest": HYPERVISOR_WORDS, "hypervisor": GUEST_WORDS}.get(folder)
        for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
            where = f"{relative(path)}:{number}"
            if include := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
                check_include(where, folder, include[1], reachable)
            elif re.match(r"\s*#\s*include", line):
                continue  # <linux/...> is the host's
            elif forbidden and (word := forbidden.search(line)):
                errors.append(f"{where}: {folder}/ names {word[0]!r}")


def check_guests_are_alike() -> None:
    """Who calls a guest must not care which one it is."""
    for path in sorted([*(LIBKDEV / "src").rglob("*.[ch]pp"), *(LIBKDEV / "include").rglob("*.hpp")]):
        name = relative(path)
        folder = path.relative_to(LIBKDEV / "src").parts[0] if path.is_relative_to(LIBKDEV / "src") else "include"
        whose, foreign = FOREIGN_WORDS.get(folder, ("", None))
        for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
            if re.match(r"\s*#", line):
                continue  # <linux/...> is the host's, and so is what the compiler defines
            # guest/ has a check of its own against hypervisors, hypervisor/ one against guests.
            if folder not in NAMES_GUESTS | {"hypervisor"}:
                if question := OS_QUESTION.search(line):
                    errors.append(f"{name}:{number}: asks which guest it is: {question[0]!r}")
                elif word := GUEST_WORDS.search(OS_DEFAULT.sub("", line)):
                    errors.append(f"{name}:{number}: names a guest outside guest/: {word[0]!r}")
            if foreign and (word := foreign.search(line)):
                errors.append(f"{name}:{number}: a word of {whose} in {folder}/: {word[0]!r}")
    for path in sorted((ROOT / "python" / "bind").glob("*.[ch]pp")):
        for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
            if question := OS_QUESTION.search(line):
                errors.append(f"{relative(path)}:{number}: asks which guest it is: {question[0]!r}")


def check_public_includes(headers: list[pathlib.Path]) -> None:
    for header in headers:
        for number, line in enumerate(header.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not include:
                continue
            kind, name = include.groups()
            standard = kind == "<" and re.fullmatch(r"[a-z_]+", name)
            if kind == '"' or not (standard or name.startswith(("kdev/", "boost/filesystem"))):
                errors.append(f"{relative(header)}:{number}: a public header includes {name}")


def compile_alone(header: pathlib.Path) -> str:
    compiler = os.environ.get("CXX", "g++")
    # GNU mode has more macros in the way ("linux"), and it is what users get by default.
    command = [compiler, "-std=gnu++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-pragma-once-outside-header"]
    command += ["-I", str(LIBKDEV / "include"), "-x", "c++", str(header)]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.stderr if result.returncode else ""


def check_self_contained(headers: list[pathlib.Path]) -> None:
    """Compiles each header alone; remembered by content, as it takes seconds."""
    content = hashlib.sha256(b"".join(h.name.encode() + h.read_bytes() for h in headers)).hexdigest()
    stamp = ROOT / "build" / "stamps" / "headers"
    if stamp.is_file() and stamp.read_text() == content:
        return
    before = len(errors)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, message in zip(headers, pool.map(compile_alone, headers), strict=True):
            if message:
                first = next((line for line in message.splitlines() if "error" in line), message.strip())
                errors.append(f"{relative(header)}: does not compile alone: {first}")
    if len(errors) == before:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(content)


def check_text(files: list[pathlib.Path]) -> None:
    for path in files:
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        lines = data.decode(errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            if host := REGISTRY_HOSTS.search(line):
                errors.append(f"{relative(path)}:{number}: names a registry's host: {host[0]}")
        if path.suffix in {".cpp", ".hpp", ".c", ".h", ".py", ".sh"} and len(lines) > MAX_LINES:
            warnings.append(f"{relative(path)}: {len(lines)} lines; is there a concept hiding in it?")


def main() -> int:
    arrows = cmake_arrows()
    headers = sorted((LIBKDEV / "include" / "kdev").glob("*.hpp"))
    files = project_files()
    if not arrows or not headers or not files:
        sys.exit("found nothing to check: is this the whole checkout?")
    check_cmake(arrows)
    check_sources(arrows)
    check_guests_are_alike()
    check_public_includes(headers)
    check_self_contained(headers)
    check_text(files)
    for warning in warnings:
        print(f"warning: {warning}")
    for error in dict.fromkeys(errors):
        print(f"error: {error}")
    found = f"{len(set(errors))} errors, {len(warnings)} warnings"
    print(f"{len(files)} files, {len(arrows)} folders, {len(headers)} public headers: {found}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
