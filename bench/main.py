"""bench/run: lists the figures, or measures the named ones and prints a table."""

from __future__ import annotations

import argparse
import importlib
import pathlib
import sys

import frame

HERE = pathlib.Path(__file__).resolve().parent
NO_FIGURES = {"main", "frame", "subject"}


def load_figures() -> None:
    for path in sorted(HERE.glob("*.py")):
        if path.stem not in NO_FIGURES:
            importlib.import_module(path.stem)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="figure, the part before its slash, or all")
    parser.add_argument("--json", action="store_true", help="one object a figure, one a line")
    return parser.parse_args()


def choose(names: list[str]) -> list[frame.Figure]:
    chosen: dict[str, frame.Figure] = {}
    for name in names:
        found = {k: f for k, f in frame.FIGURES.items() if name in ("all", k, k.partition("/")[0])}
        if not found:
            sys.exit(f"no figure is named {name!r}; there are: {', '.join(frame.FIGURES)}")
        chosen |= found
    return list(chosen.values())


def main() -> int:
    arguments = parse()
    load_figures()
    if not arguments.names:
        print(frame.list_table())
        return 0
    outcomes: list[frame.Outcome] = []
    for figure in choose(arguments.names):
        print(f"{figure.name}: {figure.what}, against {figure.against}", file=sys.stderr, flush=True)
        outcome = frame.measure(figure)
        for note in outcome.measured.notes if outcome.measured else []:
            print(f"  {note}", file=sys.stderr)
        if arguments.json:
            print(outcome.to_json(), flush=True)
        outcomes.append(outcome)
    if not arguments.json:
        print(frame.result_table(outcomes))
    if any(outcome.holds is False for outcome in outcomes):
        return 1
    return 3 if any(outcome.holds is None for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
