"""One side of a matrix of runs: a setting and its values, as people write and read them.

Torch-free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from ddim_studio.diffusion.settings import CLIPS, SPACINGS, SettingsError, parse_eta
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Callable

AxisField = Literal["eta", "steps", "spacing", "seed", "model", "clip"]
AXIS_FIELDS: tuple[AxisField, ...] = get_args(AxisField)
MAX_VALUES = 64
MAX_SEEDS = 64
WHOLE: Final = re.compile(r"[0-9]{1,40}")

SYMBOLS: Final[dict[str, str]] = {"eta": "η", "steps": "S"}
SPOKEN_CLIPS: Final[dict[str, str]] = {
    "none": "no clipping",
    "clamp": "x̂₀ clamped",
    "rederive": "x̂₀ clamped, ε derived again",
}
CHOICES: Final[dict[str, tuple[str, ...]]] = {"spacing": SPACINGS, "clip": CLIPS}
"""The settings with a fixed list of values."""


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
        for value in self.values:
            SampleRun.from_dict({self.field: value})  # raises what is wrong with it
        if len(set(self.values)) < len(self.values):
            raise SettingsError(self.field, f"{self.field} has a value twice on its axis.")

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
        return ",".join(written(value) for value in self.values)

    def label(self, index: int) -> str:
        """What stands beside a row or above a column, such as ``η = 0.2``."""
        if self.field == "model":
            return _distinct_names(self.values)[index]
        return spoken(self.field, self.values[index])


def _distinct_names(sources: tuple[str, ...]) -> list[str]:
    """The ends of models' paths, as long as it takes to tell them apart."""
    parts = [source.rstrip("/\\").replace("\\", "/").split("/") for source in sources]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return list(sources)


def _whole(text: str) -> int:
    if not WHOLE.fullmatch(text):
        raise SettingsError("steps", f"steps must be whole numbers, not {text!r}.")
    return int(text)


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "eta": parse_eta,
    "steps": _whole,
    "spacing": str,
    "model": str,
    "clip": str,
}


def written(value: object) -> str:
    """A value of a setting as people type it: ``0``, ``0.2``, ``hat``, ``linear``."""
    return str(value + 0.0).removesuffix(".0") if isinstance(value, float) else str(value)


def spoken(field: str, value: object) -> str:
    """A setting and its value as a label: ``S = 20``, ``σ̂``, ``quadratic τ``, ``seed 3``."""
    if field == "eta" and value == "hat":
        return "σ̂"
    if field in SYMBOLS:
        return f"{SYMBOLS[field]} = {written(value)}"
    if field == "spacing":
        return f"{value} τ"
    if field == "clip":
        return SPOKEN_CLIPS[str(value)]
    if field == "seed":
        return f"seed {value}"
    return _distinct_names((str(value),))[0]


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds as people type them: ``0-7``, ``3``, ``0,5,9-12``.

    Raises:
        SettingsError: It is something else, or there are too many.
    """
    seeds: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        low, dash, high = (end.strip() for end in part.partition("-"))
        if not WHOLE.fullmatch(low) or (dash and not WHOLE.fullmatch(high)):
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
