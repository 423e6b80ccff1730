"""What the cells of a comparison look like at a time of their denoising. No widgets here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddim_studio.gui.compare_words import captions
from ddim_studio.gui.comparison_record import CLEAN
from ddim_studio.gui.matrix_painting import CellLook
from ddim_studio.jobs.compare_files import spoken_metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.comparison_record import CellRecord, ComparisonRecord
    from ddim_studio.jobs.events import Pixels, View
    from ddim_studio.jobs.matrix import Place

_NO_PREDICTION = (
    "Nothing to show here",
    "x_T is where the run starts: there is no prediction before the first step.",
)


@dataclass(frozen=True, eq=False)
class CellPicture:
    """What is shown of a cell at a time.

    Attributes:
        title: Which cell, and where its trajectory is.
        pixels: Its pictures, (N, H, W, C), or None where there are none.
        captions: Under each picture.
        absence: Why there are none, as a title and a hint.
    """

    title: str
    pixels: Pixels | None
    captions: Sequence[str] = ()
    absence: tuple[str, str] = ("", "")


NO_SECOND = CellPicture(
    "",
    None,
    absence=(
        "No second cell",
        "Ctrl+click a second cell in the matrix to see the two side by side or flickering.",
    ),
)


def pictures(cell: CellRecord, t: int, view: View) -> Pixels | None:
    """The pictures of a cell as near to timestep ``t`` as its τ has them; None without any."""
    return cell.shown(cell.near(t), view)[1] if len(cell.frames) else None


def cell_look(record: ComparisonRecord, place: Place, t: int, metric: str) -> CellLook:
    """What a cell of the matrix says at timestep ``t``."""
    cell, at = record.cells[place], ""
    if len(cell.frames):
        shown = cell.times[cell.near(t)]
        at = "" if cell.state == "done" and shown == CLEAN else f"t = {shown}"
    words = captions(cell, record.score(place), metric, at)
    return CellLook(cell.state, words, cell.progress)


def cell_picture(
    record: ComparisonRecord, place: Place, t: int, view: View, metric: str
) -> CellPicture:
    """A cell large, at timestep ``t``, with each image's likeness to the reference."""
    cell, label = record.cells[place], record.label(place)
    if not len(cell.frames):
        words = cell.failure.message if cell.failure else "Its turn has not come yet."
        return CellPicture(label, None, absence=(label, words))
    kept, pixels = cell.shown(cell.near(t), view)
    at_end = cell.times[kept] == CLEAN
    under = _image_captions(record, place, metric if at_end else "")
    title = f"{label} · {_spoken(cell.times[kept])}"
    return CellPicture(title, pixels, under, _NO_PREDICTION)


def time_words(record: ComparisonRecord, places: Sequence[Place], t: int) -> str:
    """Where the timeline is, in a line.

    Args:
        record: What is on show.
        places: The one or two cells on show, or none for the matrix.
        t: The timestep.
    """
    if not places:
        if t == CLEAN:
            done = all(cell.state == "done" for cell in record.cells.values())
            return "the clean images x₀" if done else "every cell at its newest frame"
        return f"every cell at t = {t}, as near as its τ has it"
    cells = [record.cells[place] for place in places]
    times = [_spoken(cell.times[cell.near(t)]) for cell in cells if len(cell.frames)]
    if len(times) == 2 and times[0] != times[1]:
        return f"{times[0]} beside {times[1]}, the nearest that its τ has"
    return times[0] if times else ""


def _spoken(t: int) -> str:
    return "the clean image x₀" if t == CLEAN else f"t = {t}"


def _image_captions(record: ComparisonRecord, place: Place, metric: str) -> list[str]:
    """The seed of every image, and its value of a metric if that is known."""
    score, seeds = record.score(place), record.cells[place].seeds
    values = score.values.get(metric, ()) if score is not None else ()
    words = [f" · {spoken_metric(metric, value)}" for value in values]
    return [
        f"seed {seed}{words[image] if image < len(words) else ''}"
        for image, seed in enumerate(seeds)
    ]
