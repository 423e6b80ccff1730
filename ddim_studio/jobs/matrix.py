"""What the Compare page and ``compare`` order: a matrix of runs over two settings. Torch-free.

Every cell of the matrix is a run of the sampler. All cells draw x_T from the same seeds, so what
differs between two cells is what the settings did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self

from ddim_studio.diffusion.settings import MAX_SEED, Settings, SettingsError, check_whole
from ddim_studio.jobs.axes import (
    AXIS_FIELDS,
    CHOICES,
    MAX_SEEDS,
    MAX_VALUES,
    SPOKEN_CLIPS,
    SYMBOLS,
    Axis,
    AxisField,
    parse_seeds,
    spoken,
)
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "AXIS_FIELDS",
    "CHOICES",
    "MAX_CELLS",
    "MAX_SEEDS",
    "MAX_VALUES",
    "PRESETS",
    "SPOKEN_CLIPS",
    "SYMBOLS",
    "Axis",
    "AxisField",
    "CompareRun",
    "Place",
    "dearest",
    "parse_seeds",
    "spoken",
]

MAX_CELLS = 1024


class Place(NamedTuple):
    """Where a cell stands in the matrix, from 0."""

    row: int
    column: int


@dataclass(frozen=True, kw_only=True)
class CompareRun(Settings):
    """A matrix of runs, all that is needed to repeat it.

    Attributes:
        base: The settings that no axis changes. Its ``seed`` and ``count`` follow ``seeds``.
        rows: The setting that changes from row to row.
        columns: The setting that changes from column to column; another one.
        seeds: The images of each cell, by the seed of their x_T. Where an axis is "seed", a cell
            has the one image of its seed, and this is not used.
    """

    kind: ClassVar[str] = "compare"

    base: SampleRun
    rows: Axis
    columns: Axis
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if self.rows.field == self.columns.field:
            raise SettingsError("columns", f"Rows and columns are both {self.rows.field}.")
        for seed in self.seeds:
            check_whole("seeds", seed, 0, MAX_SEED)
        if not 1 <= len(self.seeds) <= MAX_SEEDS or len(set(self.seeds)) < len(self.seeds):
            raise SettingsError("seeds", f"Give from 1 to {MAX_SEEDS} seeds, each once.")
        if len(self.rows.values) * len(self.columns.values) > MAX_CELLS:
            raise SettingsError("rows", f"A matrix has at most {MAX_CELLS} cells.")
        if self.base.timesteps is not None and {"steps", "spacing"} & self.fields:
            raise SettingsError("timesteps", "A list for τ leaves no steps or spacing to compare.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The order that `to_dict` gave.

        Raises:
            SettingsError: A field is unknown, missing or out of range, or ``kind`` is another.
        """
        given = dict(values)
        try:
            base = SampleRun.from_dict(given.get("base", {}))
            axes = {
                side: Axis(given[side]["field"], tuple(given[side]["values"]))
                for side in ("rows", "columns")
            }
            seeds = tuple(given.get("seeds", cls.seeds))
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, SettingsError):
                raise
            raise SettingsError("settings", "These are not the settings of a matrix.") from error
        return super().from_dict(given | axes | {"base": base, "seeds": seeds})

    @property
    def fields(self) -> set[str]:
        """The two settings on the axes."""
        return {self.rows.field, self.columns.field}

    @property
    def places(self) -> list[Place]:
        """All cells, row by row."""
        columns = range(len(self.columns.values))
        return [Place(row, column) for row in range(len(self.rows.values)) for column in columns]

    def settings(self, place: Place) -> SampleRun:
        """The run of a cell: images with `cell_seeds`, the first of which is its seed."""
        seeds = self.cell_seeds(place)
        values = self.base.to_dict() | self._values(place)
        return SampleRun.from_dict(values | {"seed": seeds[0], "count": len(seeds)})

    def cell_seeds(self, place: Place) -> tuple[int, ...]:
        """The seeds of a cell's images."""
        own = self._values(place).get("seed")
        return self.seeds if own is None else (own,)

    def label(self, place: Place) -> str:
        """Both settings of a cell, such as ``η = 0, S = 20``."""
        return f"{self.rows.label(place.row)}, {self.columns.label(place.column)}"

    def cheapest_first(self) -> Iterator[Place]:
        """All cells, those with the fewest network calls first, else row by row.

        Where an axis is the model, cells of one model follow each other, and the models come in
        turn forwards and backwards, so that few are opened again.
        """

        def steps(place: Place) -> int:
            return self.settings(place).steps

        for turn, (_, level) in enumerate(groupby(sorted(self.places, key=steps), steps)):
            yield from sorted(level, key=self._model_number, reverse=turn % 2 == 1)

    def network_calls(self) -> int:
        """Network calls of the whole matrix, one a step and cell."""
        return sum(self.settings(place).steps for place in self.places)

    def _model_number(self, place: Place) -> int:
        if self.rows.field == "model":
            return place.row
        return place.column if self.columns.field == "model" else 0

    def _values(self, place: Place) -> dict[str, Any]:
        return {
            self.rows.field: self.rows.values[place.row],
            self.columns.field: self.columns.values[place.column],
        }


def dearest(run: CompareRun, among: Iterable[Place] | None = None) -> Place:
    """The reference that suggests itself: the cell with the most steps and the least noise.

    Args:
        run: The matrix.
        among: Which of its cells, at least one; all by default.
    """

    def rank(place: Place) -> tuple[int, float]:
        settings = run.settings(place)
        return settings.steps, -(math.inf if settings.eta == "hat" else settings.eta)

    return max(run.places if among is None else among, key=rank)


PRESETS: Final[dict[str, tuple[Axis, Axis]]] = {
    "Consistency (η = 0, one x_T, more and more steps)": (
        Axis("eta", (0.0,)),
        Axis("steps", (10, 20, 50, 100, 1000)),
    ),
    "The paper's Table 1 (η and σ̂ by S)": (
        Axis("eta", (0.0, 0.2, 0.5, 1.0, "hat")),
        Axis("steps", (10, 20, 50, 100)),
    ),
    "Seeds by η": (
        Axis("seed", tuple(range(8))),
        Axis("eta", (0.0, 0.2, 0.5, 1.0)),
    ),
}
"""Matrices that people start from: rows and columns by what they show."""
