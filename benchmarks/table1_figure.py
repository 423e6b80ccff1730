"""The figure of benchmarks/table1.py: ours beside the paper's, by S, one line per η."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

PAPER_STEPS = (10, 20, 50, 100, 1000)
CIFAR = {
    "0": (13.36, 6.84, 4.67, 4.16, 4.04),
    "0.2": (14.04, 7.11, 4.77, 4.25, 4.09),
    "0.5": (16.66, 8.35, 5.25, 4.46, 4.29),
    "1": (41.07, 18.36, 8.01, 5.78, 4.73),
    "hat": (367.43, 133.37, 32.72, 9.99, 3.17),
}
CELEBA = {
    "0": (17.33, 13.73, 9.17, 6.53, 3.51),
    "0.2": (17.66, 14.11, 9.51, 6.79, 3.64),
    "0.5": (19.86, 16.06, 11.01, 8.09, 4.28),
    "1": (33.12, 26.03, 18.48, 13.93, 5.98),
    "hat": (299.71, 183.83, 71.71, 45.20, 3.26),
}
COLOURS = {"0": "#0072b2", "0.2": "#56b4e9", "0.5": "#009e73", "1": "#e69f00", "hat": "#d55e00"}
MARKS = {"0": "o", "0.2": "s", "0.5": "^", "1": "D", "hat": "v"}
NAMES = {"0": "η = 0 (DDIM)", "0.2": "η = 0.2", "0.5": "η = 0.5", "1": "η = 1 (DDPM)", "hat": "σ̂"}


def draw_figure(rows: list[dict[str, str]], path: Path) -> None:
    """Draw ours (rows of docs/table1.csv) and the paper's Table 1 into a PNG."""
    with mpl.rc_context({"font.size": 9, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(10.5, 3.6), layout="constrained")
        axes = figure.subplots(1, 4)
        for axis, spacing in zip(axes[:2], ("linear", "quadratic"), strict=True):
            _ours(axis, [row for row in rows if row["spacing"] == spacing])
            axis.set_title(f"fashion-28, {spacing} τ")
        axes[0].set_ylabel("Fréchet distance\n(fashion classifier)")
        for axis, title, values in (
            (axes[2], "paper: CIFAR-10, quadratic τ", CIFAR),
            (axes[3], "paper: CelebA, linear τ", CELEBA),
        ):
            for eta, line in values.items():
                axis.plot(PAPER_STEPS, line, color=COLOURS[eta], marker=MARKS[eta], markersize=4)
            axis.set_title(title)
        axes[2].set_ylabel("FID")
        for pair, ticks in ((axes[:2], (1.5, 3, 6, 12, 25)), (axes[2:], (3, 10, 30, 100, 300))):
            for axis in pair:
                _dress(axis, ticks)
            low, high = (
                min(axis.get_ylim()[0] for axis in pair),
                max(axis.get_ylim()[1] for axis in pair),
            )
            for axis in pair:
                axis.set_ylim(low, high)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
        figure.savefig(path, dpi=200)


def _ours(axis: Axes, rows: list[dict[str, str]]) -> None:
    for eta, clip, name in [
        *((eta, "none", NAMES[eta]) for eta in COLOURS),
        ("hat", "clamp", "σ̂, x̂₀ clamped"),
    ]:
        chosen = [row for row in rows if (row["eta"], row["clip"]) == (eta, clip)]
        steps = [int(row["steps"]) for row in chosen]
        values = [float(row["Fréchet distance (fashion classifier)"]) for row in chosen]
        errors = [1.96 * float(row["standard_error"]) for row in chosen]
        axis.errorbar(
            steps,
            values,
            errors,
            label=name,
            color=COLOURS[eta],
            marker=MARKS[eta] if clip == "none" else "v",
            linestyle="-" if clip == "none" else "--",
            markerfacecolor=COLOURS[eta] if clip == "none" else "white",
            markersize=4,
            linewidth=1.2,
            capsize=2,
        )


def _dress(axis: Axes, values: tuple[float, ...]) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    ticks = [tick for tick in PAPER_STEPS if tick <= axis.dataLim.x1 * 1.01]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.set_yticks(values, [str(value) for value in values])
    axis.minorticks_off()
    axis.set_xlabel("S")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25, linewidth=0.6)
