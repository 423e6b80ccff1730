"""What the program says to files and folders that are no models, and what each costs it.

    python benchmarks/malformed.py [--write]

Every entry of the tests' catalogue goes through ``models info``, one after another in one process.
Prints the slowest ones; ``--write`` puts the list into docs/malformed.md.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
import tempfile
from pathlib import Path

from documents import replace_part

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from malformed.sweep import swept

from malformed import CATALOGUE, built

DOCUMENT = ROOT / "docs" / "malformed.md"


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        numbers = itertools.count()

        def new_folder(name: str) -> Path:
            folder = Path(root) / f"{name}-{next(numbers)}"
            folder.mkdir()
            return folder

        sources = {name: built(name, new_folder)[1] for name in CATALOGUE}
        found = swept(sources)
    figures = summary(found)
    print(figures)
    for one in sorted(found["findings"], key=lambda one: -one["processor"])[:8]:
        print(
            f"  {one['processor']:5.2f} s of the processor, {one['seconds']:5.2f} s: {one['name']}"
        )
    if options.write:
        replace_part(DOCUMENT, "malformed.py", f"{figures}\n{table(found, root)}")


def summary(found: dict) -> str:
    """The number of inputs, and the most that any takes."""
    slowest = max(found["findings"], key=lambda one: one["processor"])
    answers = {"\n".join(one["err"]) for one in found["findings"]}
    return (
        f"{len(found['findings'])} inputs in one process: {len(answers)} different answers, all of "
        f"one line with exit code 1. The slowest took {slowest['processor']:.2f} s of the "
        f"processor ({slowest['name']}); memory rose by "
        f"{found['peak'] - found['start']:.0f} MB at most."
    )


def table(found: dict, root: str) -> str:
    """One row an input, by groups."""
    rows, group = [], ""
    for one in found["findings"]:
        item = CATALOGUE[one["name"]]
        if item.group != group:
            group = item.group
            rows += [
                "",
                f"## {group.capitalize()}",
                "",
                "| what it is | what is said |",
                "|---|---|",
            ]
        rows.append(f"| {cell(item.about)} | {cell(answer(one['err'], root))} |")
    return "\n".join(rows)


def answer(lines: list[str], root: str) -> str:
    """The line without the program's name, and without the folder of this measurement."""
    text = " ".join(lines).removeprefix("ddim-studio models: ")
    return re.sub(rf"{re.escape(root)}/malformed-\d+", "…", text).replace("malformed-", "folder-")


def cell(text: str) -> str:
    """The text as it may stand in a table."""
    return re.sub(r"folder-\d+", "folder", text).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    main()
