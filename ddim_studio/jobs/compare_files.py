"""Jobs that save a comparison: as one labelled figure, and as a table.

The imaging library and torch are imported by the jobs, so that the window need not wait for them.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.axes import spoken, written
from ddim_studio.jobs.events import Saved
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from ddim_studio.jobs.comparison import Comparison
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.matrix import CompareRun, Place
    from ddim_studio.jobs.runner import Job

FIGURE_SUFFIXES: Final = (".png", ".svg", ".pdf")
TABLE_SUFFIX: Final = ".csv"
ALWAYS: Final = ("mse", "psnr", "ssim")
"""The metrics that every table has a column for."""
MANY_COLUMNS: Final = 8
"""From so many columns on, captions hold numbers only; the note says of what."""


def save_figure(
    path: str | PathLike[str], comparison: Comparison, metric: str = "ssim", *, title: str = ""
) -> Job:
    """Save a comparison as a labelled figure: PNG, SVG or PDF by the suffix.

    Below each cell stand the mean of a metric against the reference and the time per image, and
    below the figure what all cells have in common. Cells without images are marked.

    Args:
        path: The file, replaced if it exists; a PNG carries the settings.
        comparison: What there is of the matrix.
        metric: Which metric the captions tell.
        title: A line above the figure.

    Yields:
        `Saved`, when the file is there.

    Raises:
        ImageError: The suffix is that of no figure.
        OSError: The file cannot be written; what was there before is kept.
    """
    import torch

    from ddim_studio.imaging.figures import matrix_figure
    from ddim_studio.imaging.pixels import to_pixels

    run = comparison.run
    cells: dict[tuple[int, int], Pixels] = {
        place: to_pixels(torch.from_numpy(x_0)) for place, x_0 in comparison.images.items()
    }
    captions: dict[tuple[int, int], tuple[str, ...]] = {
        place: _caption(comparison, place, metric) for place in run.places
    }
    matrix_figure(
        path,
        cells,
        [run.rows.label(index) for index in range(len(run.rows.values))],
        [run.columns.label(index) for index in range(len(run.columns.values))],
        captions,
        title=title,
        note=_note(comparison, metric),
        settings_json=run.to_json(),
    )
    yield Saved(str(path))


def save_table(path: str | PathLike[str], comparison: Comparison) -> Job:
    """Save a comparison as a table: a row for every image of the finished cells.

    Its columns are the settings of both axes, ``seed`` where that is none of them, the metrics,
    and ``seconds``, the time per image of the cell. A PSNR may be ``inf``; what has no value is
    left empty.

    Args:
        path: The file, replaced if it exists; its suffix is .csv.
        comparison: What there is of the matrix.

    Yields:
        `Saved`, when the file is there.

    Raises:
        OSError: The file cannot be written; what was there before is kept.
        SettingsError: The suffix is another.
    """
    if Path(path).suffix.lower() != TABLE_SUFFIX:
        raise SettingsError("out", f"A table must end in {TABLE_SUFFIX}, not {str(path)!r}.")
    with (
        atomic_path(Path(path)) as temporary,
        # Names of files need not be text.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(_columns(comparison))
        for place in comparison.run.places:
            if place in comparison.images:
                writer.writerows(_rows(comparison, place))
    yield Saved(str(path))


def _columns(comparison: Comparison) -> list[str]:
    run = comparison.run
    axes = [run.rows.field, run.columns.field]
    return [*axes, *_seed_column(run), *_metrics(comparison), "seconds"]


def _seed_column(run: CompareRun) -> list[str]:
    return [] if "seed" in run.fields else ["seed"]


def _metrics(comparison: Comparison) -> list[str]:
    scores = comparison.scored.scores.values() if comparison.scored else ()
    measured = {metric for score in scores for metric in score.values}
    return [*ALWAYS, *sorted(measured.difference(ALWAYS))]


def _rows(comparison: Comparison, place: Place) -> Iterator[list[str]]:
    """The rows of a cell, one a seed."""
    run, scored = comparison.run, comparison.scored
    axes = [written(run.rows.values[place.row]), written(run.columns.values[place.column])]
    score = scored.scores.get(place) if scored else None
    for index, seed in enumerate(run.cell_seeds(place)):
        values = [
            _number(score.values[metric][index]) if score and metric in score.values else ""
            for metric in _metrics(comparison)
        ]
        own_seed = [str(seed) for _ in _seed_column(run)]
        yield [*axes, *own_seed, *values, _number(comparison.seconds[place])]


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def _caption(comparison: Comparison, place: Place, metric: str) -> tuple[str, ...]:
    """What stands below a cell, in parts."""
    if place not in comparison.images:
        return ("failed",) if place in comparison.failures else ("not computed",)
    took = _duration(comparison.seconds[place])
    scored = comparison.scored
    if scored is None or place not in scored.scores:
        return (took,)
    if place == scored.reference:
        return ("reference", took)
    value = spoken_metric(metric, scored.scores[place].mean(metric))
    few = len(comparison.run.columns.values) < MANY_COLUMNS
    return (f"{metric.upper()} {value}" if few else value, took)


def spoken_metric(metric: str, value: float) -> str:
    """A value of a metric as it is printed, such as "0.912", "27.1 dB" or "1.2e−03"."""
    if math.isnan(value):
        return "–"
    if metric == "psnr":
        return "∞ dB" if math.isinf(value) else f"{value:.1f} dB"
    if metric == "mse" and 0 < value < 0.001:
        return f"{value:.1e}".replace("-", "−")
    return f"{value:.3f}".replace("-", "−")


def _duration(seconds: float) -> str:
    """A time in two or three digits."""
    if seconds < 0.0995:
        return f"{1000 * seconds:.1f} ms"
    return f"{1000 * seconds:.0f} ms" if seconds < 0.9995 else f"{seconds:.2f} s"


def _note(comparison: Comparison, metric: str) -> str:
    """What all cells have in common, and what their captions say."""
    run, scored = comparison.run, comparison.scored
    shared = [
        spoken(name, getattr(run.base, name))
        for name in ("model", "eta", "steps", "spacing", "clip")
        if name not in run.fields and (name, getattr(run.base, name)) != ("clip", "none")
    ]
    if run.base.timesteps is not None:
        shared = [part for part in shared if not part.endswith(" τ")] + ["a list for τ"]
    if run.base.class_label is not None:
        shared.append(f"class {run.base.class_label}")
    if "seed" not in run.fields:
        shared.append(_spoken_seeds(run.seeds))
    sentence = f"{', '.join(shared)}. Below each cell: "
    if scored is None:
        return f"{sentence}the time per image."
    mean = "mean " if len(run.cell_seeds(scored.reference)) > 1 else ""
    against = f"against the reference ({run.label(scored.reference)})"
    return f"{sentence}{mean}{metric.upper()} {against}, and the time per image."


def _spoken_seeds(seeds: tuple[int, ...]) -> str:
    """Seeds in short: "seed 3", "seeds 0–7", "seeds 0, 5, 9"."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if len(seeds) > 2 and seeds == tuple(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]}–{seeds[-1]}"
    return f"seeds {', '.join(map(str, seeds))}"
