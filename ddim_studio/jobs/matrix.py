"""What the Compare page and ``compare`` order: a matrix of runs over two settings. Torch-free.

Every cell of the matrix is a run of the sampler. All cells draw x_T from the same seeds, so what
differs between two cells is what the settings did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from ddim_studio.diffusion.settings import (
    CLIPS,
    MAX_SEED,
    SPACINGS,
    SettingsError,
    check_whole,
    parse_eta,
)
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

AxisField = Literal["eta", "steps", "spacing", "seed", "model", "clip"]
AXIS_FIELDS: tuple[AxisField, ...] = get_args(AxisField)
MAX_VALUES = 64
MAX_SEEDS = 64
MAX_CELLS = 1024

SYMBOLS: Final[dict[str, str]] = {"eta": "η", "steps": "S"}
SPOKEN_CLIPS: Final[dict[str, str]] = {
    "none": "no clipping",
    "clamp": "x̂₀ clamped",
    "rederive": "x̂₀ clamped, ε derived again",
}


class Place(NamedTuple):
    """Where a cell stands in the matrix, from 0."""

    row: int
    column: int


@dataclass(frozen=True)
class Axis:
    """One setting and the values that it takes along one side of the matrix.

    Attributes:
        field: Which setting of `SampleRun`.
        values: Its values, in the order to show them, each once.
    """

    field: AxisField
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if self.field not in AXIS_FIELDS:
            raise SettingsError("axis", f"An axis must be one of {', '.join(AXIS_FIELDS)}.")
        if not 1 <= len(self.values) <= MAX_VALUES:
            raise SettingsError(
                self.field, f"{self.field} needs from 1 to {MAX_VALUES} values on an axis."
            )
        if len(set(self.values)) < len(self.values):
            raise SettingsError(self.field, f"{self.field} has a value twice on its axis.")
        for value in self.values:
            SampleRun.from_dict({self.field: value})  # raises what is wrong with it

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Read an axis as people type it, such as ``eta=0,0.5,1,hat`` or ``seed=0-7``.

        Raises:
            SettingsError: There is no such setting, or a value is out of range.
        """
        name, separator, values = (part.strip() for part in text.partition("="))
        if not separator or name not in AXIS_FIELDS:
            raise SettingsError(
                "axis",
                f"An axis is one of {', '.join(AXIS_FIELDS)}, '=' and values with commas between, "
                f"not {text!r}.",
            )
        return cls.of(name, values)

    @classmethod
    def of(cls, field: AxisField, text: str) -> Axis:
        """The axis of a setting whose values are given as text, with commas between."""
        if field == "seed":
            return cls(field, parse_seeds(text))
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return cls(field, tuple(_READERS[field](part) for part in parts))

    def text(self) -> str:
        """The values as `of` reads them."""
        return ",".join(_written(value) for value in self.values)

    def label(self, index: int) -> str:
        """What stands beside a row or above a column, such as ``η = 0.2``."""
        return spoken(self.field, self.values[index])


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError("steps", f"steps must be whole numbers, not {text!r}.") from None


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "eta": parse_eta,
    "steps": _whole,
    "spacing": str,
    "model": str,
    "clip": str,
}


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def spoken(field: str, value: object) -> str:
    """A setting and its value as a label: ``S = 20``, ``η = σ̂``, ``quadratic τ``, ``seed 3``."""
    if field == "eta" and value == "hat":
        return "σ̂"
    if field in SYMBOLS:
        return f"{SYMBOLS[field]} = {_written(value)}"
    if field == "spacing":
        return f"{value} τ"
    if field == "clip":
        return SPOKEN_CLIPS[str(value)]
    if field == "seed":
        return f"seed {value}"
    return str(value).rstrip("/\\").replace("\\", "/").rpartition("/")[2]


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds as people type them: ``0-7``, ``3``, ``0,5,9-12``.

    Raises:
        SettingsError: It is something else, or there are too many.
    """
    seeds: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        low, dash, high = (end.strip() for end in part.partition("-"))
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise SettingsError(
                "seeds", f"seeds must be whole numbers or ranges such as 0-7, not {text!r}."
            )
        first, last = int(low), int(high) if dash else int(low)
        if last < first or last - first >= MAX_SEEDS:
            raise SettingsError(
                "seeds", f"{part} must be a range that ascends over at most {MAX_SEEDS} seeds."
            )
        seeds.extend(range(first, last + 1))
    return tuple(seeds)


@dataclass(frozen=True, kw_only=True)
class CompareRun:
    """A matrix of runs.

    Attributes:
        base: The settings that no axis changes. Its ``seed`` and ``count`` follow ``seeds``.
        rows: The setting that changes from row to row.
        columns: The setting that changes from column to column; another one.
        seeds: The images of each cell, by the seed of their x_T. Where an axis is "seed", a cell
            has the one image of its seed, and this is not used.
    """

    base: SampleRun
    rows: Axis
    columns: Axis
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if self.rows.field == self.columns.field:
            raise SettingsError("columns", f"Rows and columns are both {self.rows.field}.")
        if not 1 <= len(self.seeds) <= MAX_SEEDS or len(set(self.seeds)) < len(self.seeds):
            raise SettingsError("seeds", f"Give from 1 to {MAX_SEEDS} seeds, each once.")
        for seed in self.seeds:
            check_whole("seeds", seed, 0, MAX_SEED)
        if len(self.rows.values) * len(self.columns.values) > MAX_CELLS:
            raise SettingsError("rows", f"A matrix has at most {MAX_CELLS} cells.")
        if self.base.timesteps is not None and {"steps", "spacing"} & self.fields:
            raise SettingsError("timesteps", "A list for τ leaves no steps or spacing to compare.")

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
        """All cells, those with the fewest network calls first, else row by row."""
        return iter(sorted(self.places, key=lambda place: self.settings(place).steps))

    def network_calls(self) -> int:
        """Network calls of the whole matrix, one a step and cell."""
        return sum(self.settings(place).steps for place in self.places)

    def _values(self, place: Place) -> dict[str, Any]:
        return {
            self.rows.field: self.rows.values[place.row],
            self.columns.field: self.columns.values[place.column],
        }


def dearest(run: CompareRun) -> Place:
    """The reference that suggests itself: the cell with the most steps and the least noise."""

    def rank(place: Place) -> tuple[int, float]:
        settings = run.settings(place)
        return settings.steps, -(math.inf if settings.eta == "hat" else settings.eta)

    places: Sequence[Place] = run.places
    return max(places, key=rank)


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

CHOICES: Final[dict[str, tuple[str, ...]]] = {"spacing": SPACINGS, "clip": CLIPS}
"""The settings with a fixed list of values."""
