"""What a run is asked to do: frozen, validated, readable as JSON, and free of torch.

A bad value raises `SettingsError`, which names the field and its allowed range, so that the window
can mark the field and the command line its option.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self, get_args

Eta = float | Literal["hat"]
Spacing = Literal["linear", "quadratic", "leading", "linspace", "trailing"]
Clip = Literal["none", "clamp", "rederive"]

SPACINGS: tuple[Spacing, ...] = get_args(Spacing)
CLIPS: tuple[Clip, ...] = get_args(Clip)
InversionMethod = Literal["source", "target", "exact"]
INVERSION_METHODS: tuple[InversionMethod, ...] = get_args(InversionMethod)
Precision = Literal["precise", "fast"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""float32 throughout, or 16 bits in the network where the device computes with them."""
MAX_SEED = 2**64 - 1
MAX_STEPS = 100_000
MAX_CLASSES = 1_000_000


class SettingsError(ValueError):
    """A setting is out of range.

    Attributes:
        field: Name of the offending field.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_choice(field: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise SettingsError(field, f"{field} must be one of {', '.join(choices)}, not {value!r}.")


def check_whole(field: str, value: object, low: int, high: int) -> None:
    """Raise unless ``value`` is a whole number from ``low`` to ``high``."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not low <= value <= high:  # type: ignore[operator]
        raise SettingsError(
            field, f"{field} must be a whole number from {low} to {high}, not {value!r}."
        )


def check_real(field: str, value: object, low: float, high: float) -> None:
    """Raise unless ``value`` is a finite number from ``low`` to ``high``."""
    real = isinstance(value, int | float) and not isinstance(value, bool)
    if not real or not low <= value <= high:  # type: ignore[operator]  # false for NaN
        raise SettingsError(
            field, f"{field} must be a number from {low:g} to {high:g}, not {value!r}."
        )


def check_class(label: int | None, classes: int) -> None:
    """Raise unless a model of so many classes draws the class ``label``; None is the model's own.

    Args:
        label: Number of the class, from 0.
        classes: How many the model has, 0 for an unconditional one.

    Raises:
        SettingsError: The model has no classes, or not so many.
    """
    if label is None:
        return
    if classes == 0:
        raise SettingsError(
            "class_label", "class_label must be left out: this model has no classes to choose from."
        )
    check_whole("class_label", label, 0, classes - 1)


def parse_eta(text: str) -> Eta:
    """Read η as people type it: a number from 0 to 1, or ``hat`` (also ``σ̂``).

    Raises:
        SettingsError: The text is neither.
    """
    if text.strip().lower() in {"hat", "σ̂", "sigma-hat"}:
        return "hat"
    try:
        eta: Eta = float(text)
    except ValueError:
        eta = math.nan
    _check_eta(eta, shown=text)
    return eta


def _check_eta(eta: object, shown: object = None) -> None:
    try:
        if eta != "hat":
            check_real("eta", eta, 0.0, 1.0)
    except SettingsError:
        value = eta if shown is None else shown
        message = f"eta must be a number from 0 to 1, or 'hat' for σ̂, not {value!r}."
        raise SettingsError("eta", message) from None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings: a frozen dataclass that checks itself and travels as flat JSON."""

    kind: ClassVar[str] = "settings"

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, with ``kind`` first."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    def to_json(self) -> str:
        """The settings as one line of JSON, written to PNG and ``.npz`` files."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The settings that `to_dict` gave.

        Raises:
            SettingsError: A field is unknown or out of range, or ``kind`` is another.
        """
        given = dict(values)
        kind = given.pop("kind", cls.kind)
        if kind != cls.kind:
            raise SettingsError("kind", f"These are settings of {kind!r}, not of {cls.kind!r}.")
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise SettingsError(unknown[0], f"Unknown setting {unknown[0]!r}.")
        return cls(**given)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The settings that `to_json` wrote.

        Raises:
            SettingsError: The text is not JSON, or not these settings.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise SettingsError("settings", "The settings are not a JSON object.")
        return cls.from_dict(values)


@dataclass(frozen=True, kw_only=True)
class SampleSettings(Settings):
    """How to walk from x_T to x_0.

    Attributes:
        steps: S, the length of τ. Ignored (and set to its length) where ``timesteps`` is given.
        eta: η in [0, 1], where 0 is DDIM and 1 is DDPM, or ``"hat"`` for σ̂, the larger variance.
        spacing: How τ is spread over the T training timesteps.
        timesteps: A list of one's own for τ, strictly increasing, or None.
        clip: What to do with x̂_0 outside [−1, 1]: nothing, clamp it, or clamp it and derive ε
            from the clamped value again.
        seed: n; image i draws x_T and the noise of every step from generators keyed by n + i.
        class_label: What to draw, for models with classes; None is class 0 there, and all that
            models without classes take.
    """

    kind: ClassVar[str] = "sample"

    steps: int = 50
    eta: Eta = 0.0
    spacing: Spacing = "linear"
    timesteps: tuple[int, ...] | None = None
    clip: Clip = "none"
    seed: int = 0
    class_label: int | None = None

    def __post_init__(self) -> None:
        if self.timesteps is not None:
            tau = check_timesteps(self.timesteps)
            object.__setattr__(self, "timesteps", tau)
            object.__setattr__(self, "steps", len(tau))
        check_whole("steps", self.steps, 1, MAX_STEPS)
        _check_eta(self.eta)
        check_choice("spacing", self.spacing, SPACINGS)
        check_choice("clip", self.clip, CLIPS)
        check_whole("seed", self.seed, 0, MAX_SEED)
        if self.class_label is not None:
            check_whole("class_label", self.class_label, 0, MAX_CLASSES - 1)


@dataclass(frozen=True, kw_only=True)
class InvertSettings(Settings):
    """How to walk from an image x_0 to x_T.

    Only the deterministic walk (η = 0, no clipping, full precision) has an inverse, so there is
    nothing to set for these.

    Attributes:
        steps: S, the length of τ. Ignored (and set to its length) where ``timesteps`` is given.
        method: ``"exact"`` solves every step for the state that the sampler leads back from;
            ``"source"`` and ``"target"`` take ε_θ of the known state, at the timestep that the
            step leaves or reaches.
        spacing: How τ is spread over the T training timesteps. None becomes ``"quadratic"`` for
            the exact method, whose steps near the image must be short, and else ``"linear"``.
        timesteps: A list of one's own for τ, strictly increasing, or None.
        tolerance: A step of the exact method is solved when the root mean square, over the
            pixels of an image, of what the state lacks is no larger.
        max_calls: Network calls that one step of the exact method may take for an image.
        class_label: As what the images are taken, for models with classes; None is class 0 there.
    """

    kind: ClassVar[str] = "invert"

    steps: int = 50
    method: InversionMethod = "exact"
    spacing: Spacing | None = None
    timesteps: tuple[int, ...] | None = None
    tolerance: float = 1e-5
    max_calls: int = 40
    class_label: int | None = None

    def __post_init__(self) -> None:
        check_choice("method", self.method, INVERSION_METHODS)
        if self.spacing is None:
            spacing = "quadratic" if self.method == "exact" else "linear"
            object.__setattr__(self, "spacing", spacing)
        decoding = self.decoding()
        object.__setattr__(self, "timesteps", decoding.timesteps)
        object.__setattr__(self, "steps", decoding.steps)
        check_real("tolerance", self.tolerance, 1e-12, 1.0)
        check_whole("max_calls", self.max_calls, 2, 10_000)

    def decoding(self) -> SampleSettings:
        """The settings of the walk back: deterministic, unclipped, the same τ and class."""
        return SampleSettings(
            steps=self.steps,
            spacing=self.spacing or "linear",
            timesteps=self.timesteps,
            class_label=self.class_label,
        )


def check_timesteps(timesteps: object) -> tuple[int, ...]:
    """A list of one's own for τ as a tuple, checked for all that does not need T.

    Raises:
        SettingsError: It is empty, or not strictly increasing whole numbers from 0.
    """
    tau = tuple(timesteps) if isinstance(timesteps, list | tuple | range) else ()
    if not tau:
        raise SettingsError("timesteps", "timesteps must be a list of at least one whole number.")
    for value in tau:
        check_whole("timesteps", value, 0, MAX_STEPS)
    if any(late <= early for early, late in pairwise(tau)):
        raise SettingsError("timesteps", "timesteps must be strictly increasing, each value once.")
    return tau
