"""Prints what pyproject.toml asks for, a requirement a line: build, package, and the extras named."""

import pathlib
import sys
import tomllib

root = pathlib.Path(__file__).resolve().parents[2]
project = tomllib.loads((root / "pyproject.toml").read_text())
wanted: list[str] = [*project["build-system"]["requires"], *project["project"].get("dependencies", [])]
extras: dict[str, list[str]] = project["project"].get("optional-dependencies", {})
for name in sys.argv[1:]:
    if name not in extras:
        sys.exit(f"pyproject.toml has no extra named {name!r}, only {', '.join(sorted(extras))}")
    # "kdev[notebook]" in an extra names other extras of the same project.
    for requirement in extras[name]:
        if requirement.startswith("kdev["):
            for inner in requirement[len("kdev[") : -1].split(","):
                wanted += extras[inner.strip()]
        else:
            wanted.append(requirement)
print("\n".join(dict.fromkeys(wanted)))
