"""Every figure and table in docs/ that a bundled model has a part in, made anew by one command.

    nice python benchmarks/figures.py [--only NAME…] [--again] [--data NAME=PATH…] [--list]

Each part runs in a process of its own, one after another; --list names them. A part whose models
are the same as when it was made last is left out, unless --again is given, so that the command goes
on after it was stopped; what a part had drawn of its samples is kept as well. Some hours in all.
--data tells where the images of a model are that are not Fashion-MNIST.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ddim_studio.models.catalog import bundled_models

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".bench" / "figures.json"


class Part(NamedTuple):
    """One of the scripts.

    Attributes:
        command: Script and options.
        models: The bundled models that it shows; none stands for all of them.
        makes: What it writes, in words.
    """

    command: tuple[str, ...]
    models: tuple[str, ...]
    makes: str


FASHION = ("fashion-28",)
WITH_DATA = ("bundled", "restoration")
"""The parts that are told where the images of models are."""
PARTS = {
    "bundled": Part(
        ("bundled.py", "--write"), (), "docs/bundled.md, bundled.csv and the sheets of samples"
    ),
    "table1": Part(
        ("table1.py", "--write"),
        FASHION,
        "Table 1 in docs/quality.md, table1.csv, its figure",
    ),
    "consistency": Part(
        ("consistency.py", "--write"), FASHION, "consistency in docs/quality.md, its csv and figure"
    ),
    "inversion": Part(("inversion.py", "--write"), FASHION, "the table in docs/inversion.md"),
    "bound": Part(
        ("bound.py", "--write"), FASHION, "the tables in docs/forward.md, bound.csv, its figure"
    ),
    "restoration": Part(
        ("restoration.py", "--write"),
        ("toonheads-32", "fashion-28"),
        "the table in docs/restoration.md, restoration.csv, its figure",
    ),
    "screenshots": Part(("screenshots.py",), (), "pictures of the window in docs/images"),
}


def digest_of(part: Part) -> str:
    """A hash of the part's command and of the weights and schedules of its models."""
    found = hashlib.sha256(repr(part.command).encode())
    models = bundled_models()
    for name in part.models or sorted(models):
        for path in sorted(models[name].rglob("*")):
            if path.is_file() and path.suffix != ".md":
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


def made_before() -> dict[str, str]:
    """The hashes of the parts when they were made last, by name."""
    try:
        values: dict[str, str] = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values


def make(name: str, extra: list[str]) -> bool:
    """Run a part; returns whether it succeeded."""
    part, digest, begun = PARTS[name], digest_of(PARTS[name]), time.monotonic()
    script, *options = part.command
    print(f"{name}: {part.makes}", flush=True)
    command = [sys.executable, str(ROOT / "benchmarks" / script), *options, *extra]
    done = subprocess.run(command, cwd=ROOT, check=False)
    minutes = (time.monotonic() - begun) / 60
    if done.returncode:
        print(f"{name}: failed after {minutes:.1f} minutes", flush=True)
        return False
    print(f"{name}: made in {minutes:.1f} minutes", flush=True)
    STATE.parent.mkdir(parents=True, exist_ok=True)
    STATE.write_text(json.dumps(made_before() | {name: digest}, indent=2), encoding="utf-8")
    return True


def main() -> None:
    """Make what is asked for, or tell what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS, metavar="NAME")
    parser.add_argument("--data", nargs="+", default=[], metavar="NAME=PATH")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    before, failed = made_before(), []
    for name in options.only:
        fresh = before.get(name) == digest_of(PARTS[name])
        if options.list:
            print(f"{name:12s} {'as it is ' if fresh else 'to make  '} {PARTS[name].makes}")
        elif fresh and not options.again:
            print(f"{name}: as it is, of the same models")
        else:
            extra = ["--data", *options.data] if name in WITH_DATA and options.data else []
            failed += [] if make(name, extra) else [name]
    if failed:
        raise SystemExit(f"Failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
