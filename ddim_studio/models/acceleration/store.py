"""Graphs on the disk, between one start and the next: found whole and unharmed, or not at all.

A graph is a folder with ``network.xml`` (what is computed), ``network.bin`` (the weights) and
``about.json`` with the checksums of both. It is data: nothing in it is executed. It is read into
memory once, and what was checked is what is used. A folder that is not in order is removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.storage import atomic_folder, user_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_BYTES: Final = 2 << 30
"""What all graphs may take together; those used last stay."""
LONGEST: Final = 1800.0
"""Seconds after which a conversion that has not ended is taken for dead."""
GRAPH, WEIGHTS, ABOUT = "network.xml", "network.bin", "about.json"


@dataclass(frozen=True)
class Graph:
    """A network as the engine reads it.

    Attributes:
        description: What is computed, as XML.
        weights: The numbers.
    """

    description: bytes
    weights: bytes


@dataclass(frozen=True)
class Refusal:
    """A network that could not be converted.

    Attributes:
        reason: What was said of it.
    """

    reason: str


def cache_folder() -> Path:
    """Where graphs are kept."""
    return user_folder("cache") / "engines"


def find(key: str) -> Graph | Refusal | None:
    """What is known of a network: its graph, that there is none, or nothing.

    A graph that was changed or cut off is removed, and nothing is said of it.
    """
    folder = cache_folder() / key
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        if "refused" in about:
            return Refusal(str(about["refused"]))
        graph = Graph((folder / GRAPH).read_bytes(), (folder / WEIGHTS).read_bytes())
        sound = about["sums"] == _sums(graph)
    except FileNotFoundError:  # another process may be putting it there just now
        return None
    except (OSError, ValueError, TypeError, KeyError):
        sound = False
    if not sound:
        discard(key)
        return None
    with suppress(OSError):
        os.utime(folder / ABOUT)  # used last
    return graph


def busy_mark(key: str) -> Path:
    """The file that says that somebody converts this network."""
    return cache_folder() / f".{key}.busy"


def keep(key: str, write: Callable[[Path], None]) -> None:
    """Keep a graph, whole or not at all, and remove old ones that take too much room.

    Args:
        key: What to find it by.
        write: Writes the two files of a graph into the folder that it is given.

    Raises:
        OSError: The disk is full, or not to be written to.
    """
    with atomic_folder(cache_folder() / key) as folder:
        write(folder)
        graph = Graph((folder / GRAPH).read_bytes(), (folder / WEIGHTS).read_bytes())
        _describe(folder, {"sums": _sums(graph)})
    _bound(key)


def refuse(key: str, reason: str) -> None:
    """Remember that a network cannot be converted, so that nobody tries again."""
    with atomic_folder(cache_folder() / key) as folder:
        _describe(folder, {"refused": reason})


def discard(key: str) -> None:
    """Forget what is known of a network."""
    shutil.rmtree(cache_folder() / key, ignore_errors=True)


def _describe(folder: Path, about: dict[str, Any]) -> None:
    (folder / ABOUT).write_text(json.dumps(about), "utf-8")


def _sums(graph: Graph) -> dict[str, str]:
    parts = {GRAPH: graph.description, WEIGHTS: graph.weights}
    return {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()}


def _bound(newest: str) -> None:
    """Remove the graphs used longest ago, as long as all take more than they may.

    What killed processes left half written goes as well.
    """
    for left in cache_folder().glob(".*-*"):
        if time.time() - left.stat().st_mtime > LONGEST:
            shutil.rmtree(left, ignore_errors=True)
    folders = [folder for folder in cache_folder().iterdir() if (folder / ABOUT).is_file()]
    folders.sort(key=lambda folder: (folder / ABOUT).stat().st_mtime)
    sizes = {folder: sum(f.stat().st_size for f in folder.iterdir()) for folder in folders}
    total = sum(sizes.values())
    for folder in folders:
        if total <= MOST_BYTES:
            return
        if folder.name != newest:
            total -= sizes[folder]
            discard(folder.name)
