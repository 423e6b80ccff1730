"""Tables and figures of the Forward page. No torch here; figures are drawn by matplotlib."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ddim_studio.diffusion.bound_estimate import VARIANCES
from ddim_studio.jobs.events import Saved
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ddim_studio.diffusion.bound_estimate import Bound
    from ddim_studio.jobs.runner import Job

    Array = NDArray[np.float64]

_NAMES = {"beta": "σ² = β", "posterior": "σ² = β̃"}


@dataclass(frozen=True)
class Panel:
    """One set of axes of a figure.

    Attributes:
        title: Over it.
        x: Shared by all lines, (n,).
        x_label: Name of x.
        lines: Values by name, (n,) each; NaN leaves a gap.
        log: Whether y is logarithmic.
        ticks: Names of the places of x, or None for numbers.
    """

    title: str
    x: Array
    x_label: str
    lines: Mapping[str, Array]
    log: bool = False
    ticks: Sequence[str] | None = None


def save_curves(path: str | PathLike[str], panels: Sequence[Panel], note: str = "") -> Job:
    """Save plots as one figure, two in a row: PNG, SVG or PDF by the suffix.

    Args:
        path: The file, replaced if it exists.
        panels: At least one.
        note: A line below.

    Yields:
        `Saved`, when the file is there.

    Raises:
        OSError: The file cannot be written; what was there before is kept.
    """
    from matplotlib.figure import Figure

    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(4.4 * columns, 2.8 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, panel in zip(axes, panels, strict=False):
        _draw(axis, panel)
    for axis in axes[len(panels) :]:
        axis.axis("off")
    if note:
        figure.supxlabel(note, fontsize=7, color="#666666")
    target = Path(path)
    with atomic_path(target) as temporary:
        figure.savefig(temporary, dpi=200, format=target.suffix.lstrip(".") or "png")
    yield Saved(str(path))


def _draw(axis: Any, panel: Panel) -> None:  # noqa: ANN401 (matplotlib's axes)
    for name, values in panel.lines.items():
        axis.plot(panel.x, values, label=name, linewidth=1, marker="." if panel.ticks else None)
    axis.set_title(panel.title, fontsize=9)
    axis.set_xlabel(panel.x_label, fontsize=8)
    axis.tick_params(labelsize=7)
    if panel.log:
        axis.set_yscale("log")
    if panel.ticks is not None:
        axis.set_xticks(panel.x, panel.ticks)
    if len(panel.lines) > 1:
        axis.legend(fontsize=7, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)


def bound_panels(bound: Bound) -> list[Panel]:
    """The terms of the bound and the simple loss by t."""
    middles = np.floor(bound.places()).astype(int)
    ticks = [str(t) for t in middles]
    x = np.arange(len(ticks), dtype=np.float64)
    terms = {_NAMES[v]: bound.curve(bound.terms[v])[0] for v in VARIANCES}
    simple = {"(ε − ε_θ)²": bound.curve(bound.simple)[0]}
    return [
        Panel("Terms of the bound, bits/dim per t", x, "t (t = 0 is L_0)", terms, True, ticks),
        Panel("Simple loss", x, "t", simple, True, ticks),
    ]


def bound_rows(bound: Bound) -> list[dict[str, object]]:
    """The estimate as a table: a row for each stratum of t, then L_T and the sums."""
    ends = np.cumsum(bound.sizes)
    curves = {v: bound.curve(bound.terms[v]) for v in VARIANCES}
    simple = bound.curve(bound.simple)
    rows = []
    for row, size in enumerate(bound.sizes):
        first, last = int(ends[row] - size), int(ends[row]) - 1
        values = [*(curves[v][part][row] for v in VARIANCES for part in (0, 1))]
        term = "L_0" if row == 0 else "L_{t-1}, mean per t"
        rows.append(_row(term, first, last, [*values, simple[0][row], simple[1][row]]))
    sums = (
        ("sum of L_{t-1}", 1, [bound.transitions(v) for v in VARIANCES], None),
        ("L_T", bound.T - 1, [bound.last(), bound.last()], None),
        ("total", 0, [bound.total(v) for v in VARIANCES], bound.simple_loss()),
    )
    for term, first, found, loss in sums:
        values = [number for one in found for number in one]
        rows.append(_row(term, first, bound.T - 1, [*values, *(loss or (None, None))]))
    return rows


def _row(term: str, first: int, last: int, values: Sequence[float | None]) -> dict[str, object]:
    names = ("beta", "beta_error", "posterior", "posterior_error", "simple", "simple_error")
    return {"term": term, "first_t": first, "last_t": last, **dict(zip(names, values, strict=True))}


def panel_rows(panels: Sequence[Panel]) -> list[dict[str, object]]:
    """Plots as one long table: a row for every point."""
    return [
        {"plot": panel.title, "line": name, "x": float(x), "y": None if math.isnan(y) else float(y)}
        for panel in panels
        for name, values in panel.lines.items()
        for x, y in zip(panel.x, values, strict=False)
    ]
