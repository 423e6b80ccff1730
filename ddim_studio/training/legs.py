"""The command lines of a run: one for each leg, as a run that goes on may have other settings.

Torch-free.
"""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.collection import printable
from ddim_studio.models.hub_cache import HUB_PREFIX
from ddim_studio.training.settings import FROM_START, TrainSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

OPTIONS: Final = {"start": "--start-from"}
"""The options whose settings have other names."""
NAMES: Final = ("data", "start")
"""Settings that are paths, of which the last part is told."""
LIMITS: Final = ("steps", "minutes")


class Leg(NamedTuple):
    """A part of a run with the same settings.

    Attributes:
        step: Steps done before it.
        settings: Those that it goes on with.
    """

    step: int
    settings: TrainSettings


def read_legs(values: object) -> list[Leg]:
    """The legs that `written` gave; none where they are missing or damaged."""
    try:
        return [
            Leg(int(leg["step"]), TrainSettings.from_dict(leg["settings"]))
            for leg in values  # type: ignore[attr-defined]
        ]
    except (TypeError, KeyError, ValueError, SettingsError):
        return []


def written(legs: Sequence[Leg]) -> list[dict[str, Any]]:
    """The legs as plain JSON."""
    return [{"step": leg.step, "settings": leg.settings.to_dict()} for leg in legs]


def with_leg(legs: Sequence[Leg], leg: Leg) -> list[Leg]:
    """The legs of a run that goes on; what was begun but not kept is forgotten."""
    kept = [known for known in legs if known.step < leg.step]
    return kept if kept and kept[-1].settings == leg.settings else [*kept, leg]


def commands(name: str, legs: Sequence[Leg], step: int) -> list[tuple[int, str]]:
    """The command of each leg that made a step, and the steps done before it.

    Args:
        name: Of the model's folder.
        legs: Of the run, in order.
        step: Steps done.
    """
    found: list[tuple[int, str]] = []
    before: TrainSettings | None = None
    for leg in legs:
        if leg.step < step or not found:
            found.append((leg.step, _command(name, leg.settings, before)))
            before = leg.settings
    return found


def _command(name: str, settings: TrainSettings, before: TrainSettings | None) -> str:
    if before is None:
        left_out = list(FROM_START) if settings.start else []
        if settings.attention == settings.sides[-1:]:
            left_out.append("attention")
        usual = TrainSettings(data=settings.data)
        changed = ["data", *(key for key in _changed(settings, usual) if key not in left_out)]
    else:
        changed = _changed(settings, before)
        if set(changed) & set(LIMITS):
            changed = [*(key for key in changed if key not in LIMITS), *LIMITS]
    words = ["ddim-studio", "train"]
    for key in changed:
        words += _option(key, getattr(settings, key))
    words += ["--out", printable(name), *(["--resume"] if before else [])]
    return shlex.join(words)


def _changed(settings: TrainSettings, before: TrainSettings) -> list[str]:
    names = [field.name for field in dataclasses.fields(settings)]
    return [key for key in names if getattr(settings, key) != getattr(before, key)]


def _option(key: str, value: object) -> list[str]:
    """The words that give a setting a value; none where it has none."""
    flag = OPTIONS.get(key, f"--{key.replace('_', '-')}")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if isinstance(value, tuple):
        return [flag, ",".join(map(str, value)) or "none"]
    if key in NAMES and not str(value).startswith(HUB_PREFIX):
        return [flag, printable(Path(str(value)).name)]
    return [flag, f"{value:.12g}" if isinstance(value, float) else printable(str(value))]
