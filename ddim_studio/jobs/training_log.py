"""Reading the log of a run while another process writes on it. Torch-free."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ddim_studio.jobs.training_events import LogRead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOST_BYTES: Final = 1 << 18
"""How much of a log is read at a time, some 1,500 steps."""
BEGINNINGS: Final = ("begun", "resumed")


class LogReader:
    """Reads what was added to a log since the last time.

    A line that is not complete yet waits for the next time. Where a run goes on, the log is cut
    back to its checkpoint, as a new file; it is then read from its beginning.

    Args:
        path: The log; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._offset = 0

    def parts(self) -> Iterator[LogRead]:
        """Everything that was added, in parts of a size that is read in a moment."""
        while (data := self._next()) is not None:
            afresh, text = data
            part = digested(_lines(text), afresh=afresh)
            if part.afresh or part.last:
                yield part

    def _next(self) -> tuple[bool, bytes] | None:
        """The next whole lines, and whether they are of another file; None at the end."""
        try:
            with self._path.open("rb") as file:
                about = os.fstat(file.fileno())
                identity = (about.st_dev, about.st_ino)
                afresh = identity != self._file or about.st_size < self._offset
                if afresh:
                    self._file, self._offset = identity, 0
                file.seek(self._offset)
                data = file.read(MOST_BYTES)
        except OSError:  # not there yet, or being replaced
            return None
        end = data.rfind(b"\n") + 1
        if end == 0 and len(data) == MOST_BYTES:
            end = MOST_BYTES  # no line is as long: the file is damaged
        self._offset += end
        return (afresh, data[:end]) if end or afresh else None


def _lines(text: bytes) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and isinstance(values.get("step"), int):
            yield values


def digested(lines: Iterable[dict[str, Any]], *, afresh: bool = False) -> LogRead:
    """What lines of a log say, taken together; those of an unknown kind or form are passed over."""
    steps: list[int] = []
    losses: list[float] = []
    validations: list[tuple[int, float]] = []
    remarks: list[str] = []
    newest = begun = None
    last = ""
    for values in lines:
        event, step = str(values.get("event", "")), values["step"]
        last = event or last
        if event == "step" and isinstance(values.get("loss"), int | float):
            steps.append(step)
            losses.append(float(values["loss"]))
            newest = values
        elif event == "assessed" and isinstance(values.get("validation"), int | float):
            validations.append((step, float(values["validation"])))
        elif event in BEGINNINGS:
            begun = values
        elif event == "remark":
            remarks.append(str(values.get("text", "")))
    return LogRead(
        afresh=afresh,
        steps=np.array(steps, np.int64),
        losses=np.array(losses, np.float64),
        validations=tuple(validations),
        newest=newest,
        begun=begun,
        remarks=tuple(remarks),
        last=last,
    )


def last_event(path: Path) -> tuple[str, int]:
    """The last event of a log and its step, from its end alone; ("", 0) where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 4096))
            found = list(_lines(file.read(4096)))
    except OSError:
        return "", 0
    return (str(found[-1].get("event", "")), found[-1]["step"]) if found else ("", 0)
