"""What a run of training is asked to do. Torch-free."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, get_args

from ddim_studio.diffusion.settings import (
    MAX_SEED,
    Settings,
    SettingsError,
    check_choice,
    check_real,
    check_whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Colours = Literal["grey", "rgb"]
Prediction = Literal["epsilon", "v"]
Weighting = Literal["none", "inverse"]
Precision = Literal["auto", "float32", "bfloat16"]
Store = Literal["float32", "float16"]
COLOURS: tuple[Colours, ...] = get_args(Colours)
PREDICTIONS: tuple[Prediction, ...] = get_args(Prediction)
WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
STORES: tuple[Store, ...] = get_args(Store)
DEVICES: Final = ("auto", "cpu", "cuda", "mps")

DEFAULT_STEPS: Final = 10_000
MAX_TOTAL: Final = 1_000_000_000
MAX_LEVELS: Final = 8
FIXED: Final = (
    *("size", "channels", "layers_per_block", "attention", "colours", "flip", "held_out"),
    *("batch_size", "seed", "prediction", "weighting", "start"),
)
"""What cannot change while a run goes on: the network, the data and what is drawn from them."""
FROM_START: Final = (
    *("size", "channels", "layers_per_block", "attention", "colours", "prediction"),
)
"""What the model decides that a run starts from."""


@dataclass(frozen=True, kw_only=True)
class TrainSettings(Settings):
    """A run of training.

    Attributes:
        data: A folder, an archive or an IDX file of images.
        start: The model whose network, weights, schedule and kind of prediction the run begins
            with, as `load_model` takes it; None begins with random weights.
        size: Side of the images, in pixels.
        channels: Width of the network at each level; every level after the first halves the side.
        layers_per_block: Residual blocks at each level.
        attention: Sides, in pixels, of the levels that have attention. None becomes the last one.
        colours: "grey" or "rgb"; None is what the images are.
        flip: Whether images are mirrored at random.
        held_out: Images that are never trained on, for the validation loss. None becomes a
            twentieth of the images, at most 1,000.
        batch_size: Images a step, of all processes together.
        steps: Steps in all. None where ``minutes`` alone decide; without either, 10,000.
        minutes: Minutes in all, pauses left out. The first of both limits ends the run.
        learning_rate: Of AdamW, at its highest.
        warmup: Steps in which the learning rate rises to it.
        ema: Decay of the moving average of the weights, at its highest.
        prediction: What the network predicts: ε, or v (Salimans and Ho 2022).
        weighting: "inverse" divides the loss of each timestep by its running mean.
        precision: Of the network; weights and loss are float32 in any case.
        store: How precisely the model in the run's folder is written; checkpoints are float32 in
            any case.
        compile: Whether the network is compiled.
        seed: Of the weights, the order of the images, timesteps and noise.
        sample_every: Steps between two sheets of samples; None makes twenty in all.
        checkpoint_every: Steps between two checkpoints; None writes one every five minutes.
        device: "auto", "cpu", "cuda" or "mps".
        threads: Threads of the processor; None is torch's own choice.
        licence: Of the data, for the model's card.
        credit: Who made the data, for the model's card.
    """

    kind: ClassVar[str] = "train"

    data: str
    start: str | None = None
    size: int = 32
    channels: tuple[int, ...] = (32, 64, 128)
    layers_per_block: int = 2
    attention: tuple[int, ...] | None = None
    colours: Colours | None = None
    flip: bool = False
    held_out: int | None = None
    batch_size: int = 64
    steps: int | None = None
    minutes: float | None = None
    learning_rate: float = 4e-4
    warmup: int = 200
    ema: float = 0.999
    prediction: Prediction = "epsilon"
    weighting: Weighting = "inverse"
    precision: Precision = "auto"
    store: Store = "float32"
    compile: bool = False
    seed: int = 0
    sample_every: int | None = None
    checkpoint_every: int | None = None
    device: str = "auto"
    threads: int | None = None
    licence: str = ""
    credit: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.data, str) or not self.data.strip():
            raise SettingsError("data", "data must be a folder, an archive or an IDX file.")
        if self.start is not None and not (isinstance(self.start, str) and self.start.strip()):
            raise SettingsError("start", "start must be the name or the folder of a model.")
        if self.steps is None and self.minutes is None:
            object.__setattr__(self, "steps", DEFAULT_STEPS)
        self._check_network()
        _check_choices(self)
        _check_numbers(self)

    def _check_network(self) -> None:
        check_whole("size", self.size, 4, 1024)
        object.__setattr__(self, "channels", _wholes("channels", self.channels))
        if len(self.channels) > MAX_LEVELS or any(width % 4 for width in self.channels):
            raise SettingsError(
                "channels",
                f"channels must be at most {MAX_LEVELS} multiples of 4, not "
                f"{','.join(map(str, self.channels))}.",
            )
        step = 2 ** (len(self.channels) - 1)
        if self.size % step:
            raise SettingsError(
                "size",
                f"size must be a multiple of {step} for a network of {len(self.channels)} levels, "
                f"not {self.size}.",
            )
        check_whole("layers_per_block", self.layers_per_block, 1, 16)
        if self.attention is None:
            object.__setattr__(self, "attention", self.sides[-1:])
        attention = tuple(self.attention or ())
        object.__setattr__(self, "attention", attention)
        for side in attention:
            if side not in self.sides:
                shown = ", ".join(map(str, self.sides))
                raise SettingsError(
                    "attention", f"attention must be at sides among {shown}, not at {side!r}."
                )

    @property
    def sides(self) -> tuple[int, ...]:
        """The side of the images at each level of the network."""
        return tuple(self.size // 2**level for level in range(len(self.channels)))


def _wholes(field: str, values: object) -> tuple[int, ...]:
    if not isinstance(values, list | tuple) or not values:
        raise SettingsError(field, f"{field} must be a list of whole numbers.")
    for value in values:
        check_whole(field, value, 4, 4096)
    return tuple(values)


def _check_choices(settings: TrainSettings) -> None:
    if settings.colours is not None:
        check_choice("colours", settings.colours, COLOURS)
    check_choice("prediction", settings.prediction, PREDICTIONS)
    check_choice("weighting", settings.weighting, WEIGHTINGS)
    check_choice("precision", settings.precision, PRECISIONS)
    check_choice("store", settings.store, STORES)
    check_choice("device", settings.device, DEVICES)


def _check_numbers(settings: TrainSettings) -> None:
    check_whole("batch_size", settings.batch_size, 1, 65_536)
    check_real("learning_rate", settings.learning_rate, 1e-9, 1.0)
    check_whole("warmup", settings.warmup, 0, MAX_TOTAL)
    check_real("ema", settings.ema, 0.0, 0.999999)
    check_whole("seed", settings.seed, 0, MAX_SEED)
    if settings.minutes is not None:
        check_real("minutes", settings.minutes, 0.001, MAX_TOTAL)
    for name, low in (
        *(("steps", 1), ("held_out", 0), ("sample_every", 1)),
        *(("checkpoint_every", 1), ("threads", 1)),
    ):
        value = getattr(settings, name)
        if value is not None:
            check_whole(name, value, low, MAX_TOTAL)


def continued(stored: TrainSettings, given: Mapping[str, Any]) -> TrainSettings:
    """The settings of a run that goes on: those that it began with, but for what is given anew.

    Args:
        stored: What it began with.
        given: Settings by name. Either limit, steps or minutes, replaces both.

    Raises:
        SettingsError: A value is out of range, or may not change while a run goes on.
    """
    values = stored.to_dict()
    if given.keys() & {"steps", "minutes"}:
        values |= {"steps": None, "minutes": None}
    try:
        settings = TrainSettings.from_dict(values | dict(given))
    except SettingsError as error:
        if error.field not in given:  # what was stored does not fit what is given
            _check_fixed(stored, given)
        raise
    _check_fixed(stored, {name: getattr(settings, name) for name in FIXED})
    return settings


def _check_fixed(stored: TrainSettings, given: Mapping[str, Any]) -> None:
    for name in FIXED:
        before = getattr(stored, name)
        now = given.get(name, before)
        if before != now:
            raise SettingsError(
                name,
                f"{name} was {shown(before)} when this run began, and cannot become "
                f"{shown(now)}: leave it out, or begin a run in another folder.",
            )


def shown(value: object) -> str:
    """A value of a setting, in words."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "nowhere"
    return {None: "left open", True: "on", False: "off"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]


def progress(settings: TrainSettings, step: int, seconds: float) -> float:
    """How much of the run is over, 0 … 1, after so many steps and seconds."""
    by_steps = step / settings.steps if settings.steps else 0.0
    by_time = seconds / (60 * settings.minutes) if settings.minutes else 0.0
    return min(1.0, max(by_steps, by_time))


def expected_steps(settings: TrainSettings, step: int, seconds: float) -> int:
    """How many steps the run will have at the end, at the rate so far."""
    done = progress(settings, step, seconds)
    by_rate = math.ceil(step / done) if done else step + 1
    return max(step, min(by_rate, settings.steps or by_rate))


def resolved(settings: TrainSettings, **values: object) -> TrainSettings:
    """The settings with choices that were left open made."""
    return dataclasses.replace(settings, **values)  # type: ignore[arg-type]
