"""The table of an evaluation, written anew after every cell."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING

from ddim_studio.evaluation.blocks import cell_in_words
from ddim_studio.jobs.evaluation_order import CellMeasured
from ddim_studio.jobs.events import Notice, Progress, Saved
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ddim_studio.jobs.evaluation_order import EvaluateOrder, Measured
    from ddim_studio.jobs.runner import Job

DISTANCE = "Fréchet distance"
SETTINGS = ("model", "eta", "steps", "spacing", "clip", "class", "samples", "seed")
FIGURES = ("precision", "recall", "reconstruction_mse", "seconds_per_image", "hours_per_50k")


def write_results(job: Job, order: EvaluateOrder, path: Path) -> Job:
    """Follow an evaluation, and keep its table up to date.

    Yields:
        The job's events; after each `CellMeasured` a `Notice` with its figures, and at the end
        `Saved`. On a process that measures nothing no file is written.
    """
    rows: list[CellMeasured] = []
    left = ""
    for event in job:
        yield event
        if isinstance(event, Progress):
            left = f" ({_long(event.remaining)} left)" if event.done < event.total else ""
        elif isinstance(event, CellMeasured):
            rows.append(event)
            write_table(path, order, rows)
            yield Notice(f"Cell {len(rows)} of {len(order.cells)}{left}: {in_words(event)}")
    if rows:
        yield Saved(str(path))


def write_table(path: Path, order: EvaluateOrder, rows: Sequence[CellMeasured]) -> None:
    """Write the cells measured so far as CSV, one a row; what was not measured stays empty."""
    name = next((row.distance_name for row in rows if row.distance_name), DISTANCE)
    kernel = ("KID",) if name == "FID" else ()
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        distance = (name, "standard_error", "low_95", "high_95", *kernel)
        table.writerow((*SETTINGS, *distance, *FIGURES))
        for row in rows:
            table.writerow(_row(order, row.measured, kernel=bool(kernel)))


def in_words(event: CellMeasured) -> str:
    """A cell and its figures as one line."""
    m = event.measured
    parts = [cell_in_words(m.settings)]
    if not math.isnan(m.distance):
        parts.append(f"{event.distance_name} {m.distance:.2f} ± {m.error:.2f}")
        parts.append(f"precision {m.precision:.2f}, recall {m.recall:.2f}")
    if not math.isnan(m.reconstruction):
        parts.append(f"reconstruction error {m.reconstruction:.2g}")
    parts.append(f"50k images would take {_long(m.headline_seconds)}")
    return "; ".join(parts)


def _long(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _row(order: EvaluateOrder, m: Measured, *, kernel: bool) -> list[object]:
    s = m.settings
    figures = [m.distance, m.error, m.low, m.high]
    if kernel:
        figures.append(m.kernel_distance)
    figures += [m.precision, m.recall, m.reconstruction, m.seconds, m.headline_seconds / 3600]
    eta = s.eta if s.eta == "hat" else f"{s.eta:g}"
    label = "" if s.class_label is None else s.class_label
    settings = [order.model, eta, s.steps, s.spacing, s.clip, label, m.samples, order.seed]
    return settings + ["" if math.isnan(value) else f"{value:.9g}" for value in figures]
