"""A job that writes a table of numbers. Torch-free."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Saved
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from ddim_studio.jobs.runner import Job


def save_rows(path: str | PathLike[str], rows: Sequence[Mapping[str, object]]) -> Job:
    """Save rows as CSV, under the names of the first one's entries.

    Args:
        path: The file, replaced if it exists.
        rows: At least one; every one has the entries of the first. None is left empty.

    Yields:
        `Saved`, when the file is there.

    Raises:
        OSError: The file cannot be written; what was there before is kept.
    """
    with (
        atomic_path(Path(path)) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    yield Saved(str(path))
