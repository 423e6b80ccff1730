"""The log of a run: one JSON object a line, each line written out at once.

Every line has an ``event`` and a ``step``; `docs/training.md` lists what else it has. Torch-free,
since the window follows a run by its log.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RunLog:
    """The end of a log, to write on.

    Args:
        path: The file; it is made if missing, and written on at its end.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def write(self, event: str, step: int, **values: object) -> None:
        """Add a line.

        Raises:
            OSError: It cannot be written, as where the disk is full.
        """
        self._file.write(json.dumps({"event": event, "step": step, **values}) + "\n")
        self._file.flush()

    def synchronise(self) -> None:
        """Wait until all lines are on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log. One that was cut short, as by a kill, is left out."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                values = json.loads(line)
            except ValueError:
                continue
            if isinstance(values, dict) and isinstance(values.get("step"), int):
                yield values


def cut_back(path: Path, step: int) -> None:
    """Remove from a log what came after ``step`` steps, and lines that were cut short."""
    if not path.exists():
        return
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for values in read_log(path):
            if values["step"] <= step:
                file.write(json.dumps(values) + "\n")
