"""What a comparison says in words: captions, the cost, what is shared, and what it shows.

No Qt and no torch here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ddim_studio.gui.comparison_record import labels, plain
from ddim_studio.gui.words import short_seconds
from ddim_studio.jobs.axes import spoken
from ddim_studio.jobs.compare_files import spoken_metric
from ddim_studio.jobs.matrix import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddim_studio.gui.comparison_record import CellRecord, ComparisonRecord
    from ddim_studio.jobs.comparison_events import CellScore
    from ddim_studio.jobs.matrix import CompareRun

METRIC_NAMES: Final[dict[str, str]] = {
    "mse": "MSE",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "lpips": "LPIPS",
}
METRIC_TIPS: Final[dict[str, str]] = {
    "mse": "Mean square error, on pixels from 0 to 1; 0 for equal pictures.",
    "psnr": "Peak signal-to-noise ratio, −10 log₁₀ MSE, in decibels.",
    "ssim": "Structural similarity, 1 for equal pictures.",
    "lpips": "Distance in the features of a trained network, 0 for equal pictures.",
}
IDENTITY: Final = 0.8
"""Mean SSIM from which on pictures are said to be the same."""


def captions(cell: CellRecord, score: CellScore | None, metric: str, at: str) -> tuple[str, ...]:
    """What stands under a cell, from long to short.

    Args:
        cell: The cell.
        score: Its likeness to the reference; None for the reference itself and before it is known.
        metric: Which metric to say.
        at: Where a trajectory is while it is not at its end, such as "t = 400"; or nothing.
    """
    if cell.state == "failed":
        return ("failed",)
    if at:
        return (at,)
    if cell.state != "done":
        return ("stopped",) if cell.state == "stopped" else ()
    took = short_seconds(cell.seconds)
    if score is None or not score.values.get(metric):
        return (took,)
    value = spoken_metric(metric, score.mean(metric))
    return f"{METRIC_NAMES[metric]} {value} · {took}", f"{value} · {took}", value


def describe(record: ComparisonRecord, place: Place) -> str:
    """A cell in a few lines: its settings, how far it is, and how like the reference."""
    cell, score = record.cells[place], record.scores.get(place)
    lines = [record.label(place)]
    if cell.failure is not None:
        lines += [cell.failure.message, cell.failure.advice]
    elif cell.state == "done":
        lines.append(f"{short_seconds(cell.seconds)} an image, {cell.run.steps} network calls")
    else:
        lines.append({"running": "Under way", "stopped": "Stopped"}.get(cell.state, "Waiting"))
    if place == record.reference:
        lines.append("The reference: the other cells are measured against it")
    elif score is not None:
        known = [metric for metric in METRIC_NAMES if score.values.get(metric)]
        words = [f"{METRIC_NAMES[m]} {spoken_metric(m, score.mean(m))}" for m in known]
        lines.append(score.remark or ", ".join(words))
    return "\n".join(line for line in lines if line)


def cost(run: CompareRun) -> str:
    """What a matrix takes, such as "20 cells · 900 network calls × 8 images"."""
    images = len(run.cell_seeds(Place(0, 0)))
    calls, cells = run.network_calls(), len(run.places)
    return (
        f"{cells} {'cell' if cells == 1 else 'cells'} · {calls:,} network calls × "
        f"{images} {'image' if images == 1 else 'images'}"
    ).replace(",", " ")


def sharing(run: CompareRun) -> str:
    """Which cells start from the same noise."""
    if "seed" in run.fields:
        along = "row" if run.rows.field == "seed" else "column"
        text = (
            f"All cells of a {along} have one seed, so they start from the same x_T: what differs "
            "between them is what the other setting did."
        )
    else:
        text = (
            "Image n of every cell starts from the same x_T, drawn from its seed: what differs "
            "between cells is what the settings did."
        )
    if "model" in run.fields:
        text += " Models of another image size cannot share it: there x_T has another shape."
    return text


def reading(record: ComparisonRecord) -> str:
    """What the numbers say, in a sentence or two."""
    run, reference = record.run, record.reference
    if record.cells[reference].state != "done":
        return (
            f"Numbers appear when the reference, {record.label(reference)}, is complete. Any other "
            "complete cell can be made the reference."
        )
    measured = {
        place: score.mean("ssim")
        for place, score in record.scores.items()
        if place != reference and math.isfinite(score.mean("ssim"))
    }
    if not measured:
        return "Nothing is measured against the reference yet."
    parts = [_along_steps(record, measured), _along_eta(record, measured)]
    if "seed" in run.fields:
        parts.append(
            "Cells of another seed start from another x_T: that they differ from the reference is "
            "no work of the other setting."
        )
    return " ".join(part for part in parts if part) or _extremes(record, measured)


def _line(record: ComparisonRecord, field: str, measured: Mapping[Place, float]) -> list[Place]:
    """The measured cells that differ from the reference in one setting only."""
    run, reference = record.run, record.reference
    if run.columns.field == field:
        return [place for place in measured if place.row == reference.row]
    if run.rows.field == field:
        return [place for place in measured if place.column == reference.column]
    return []


def _along_steps(record: ComparisonRecord, measured: Mapping[Place, float]) -> str:
    steps = {place: record.cells[place].run.steps for place in _line(record, "steps", measured)}
    if not steps:
        return ""
    own = record.cells[record.reference].run
    finest_first = sorted(steps, key=lambda place: -steps[place])
    alike: list[Place] = []
    for place in finest_first:
        if measured[place] < IDENTITY:
            break
        alike.append(place)
    at = f" at {plain(spoken('eta', own.eta))}" if own.eta != 0 else ""
    if not alike:
        values = [measured[place] for place in finest_first]
        reason = (
            ": every step adds new noise, so x_T alone does not decide the image"
            if own.eta != 0
            else ""
        )
        return (
            f"Other numbers of steps give other images than S = {own.steps}{at}: SSIM at most "
            f"{max(values):.2f}{reason}."
        )
    least = min(measured[place] for place in alike)
    return (
        f"From S = {steps[alike[-1]]} on, the images keep their identity{at}: SSIM at least "
        f"{least:.2f} against S = {own.steps}."
    )


def _along_eta(record: ComparisonRecord, measured: Mapping[Place, float]) -> str:
    line = _line(record, "eta", measured)
    if not line:
        return ""
    furthest = min(line, key=lambda place: measured[place])
    own, other = (record.cells[place].run.eta for place in (record.reference, furthest))
    on_rows = record.run.rows.field == "eta"
    rest = record.run.columns if on_rows else record.run.rows
    here = labels(rest)[record.reference.column if on_rows else record.reference.row]
    text = (
        f"With {here}, {plain(spoken('eta', other))} is furthest from "
        f"{plain(spoken('eta', own))}: SSIM {measured[furthest]:.2f}."
    )
    if own == 0 and measured[furthest] < IDENTITY:
        text += " The noise that every step adds leads away from what x_T alone decides."
    return text


def _extremes(record: ComparisonRecord, measured: Mapping[Place, float]) -> str:
    nearest = max(measured, key=lambda place: measured[place])
    furthest = min(measured, key=lambda place: measured[place])
    return (
        f"Nearest to the reference: {record.label(nearest)} (SSIM {measured[nearest]:.2f}); "
        f"furthest: {record.label(furthest)} (SSIM {measured[furthest]:.2f})."
    )
