"""What a restoration is asked to do. Torch-free, frozen, and readable as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from ddim_studio.diffusion.settings import (
    MAX_STEPS,
    Eta,
    SampleSettings,
    SettingsError,
    check_choice,
    check_real,
    check_whole,
)

Task = Literal["colorize", "inpaint", "superres", "denoise"]
TASKS: tuple[Task, ...] = get_args(Task)
RestoreMethod = Literal["ddnm", "repaint"]
RESTORE_METHODS: tuple[RestoreMethod, ...] = get_args(RestoreMethod)
Grey = Literal["mean", "luma"]
GREYS: tuple[Grey, ...] = get_args(Grey)

DEFAULT_ETA: dict[RestoreMethod, float] = {"ddnm": 0.85, "repaint": 1.0}
"""The η that the authors of each method use."""
DEFAULT_REPEATS: dict[RestoreMethod, int] = {"ddnm": 1, "repaint": 10}
"""How often each stretch of the way is walked unless the settings say otherwise."""
MAX_SIGMA = 2.0
MAX_REPEATS = 1000
MAX_SCALE = 4096


@dataclass(frozen=True, kw_only=True)
class RestoreSettings(SampleSettings):
    """How to find images that a measurement y = A x_0 + σ n agrees with.

    Those of the sampler mean the same here, but that ``eta`` has another default and cannot be
    σ̂, and that clipping acts on the network's own x̂_0, before it is corrected.

    Attributes:
        task: What was measured: the colours' mean ("colorize"), the pixels beside a hole
            ("inpaint"), the mean of blocks ("superres"), or all with noise ("denoise"). Not
            used where `restore` is given a measurement of one's own.
        method: ``"ddnm"`` corrects x̂_0 in every step (DDNM, and DDNM+ where σ > 0);
            ``"repaint"`` puts the known pixels, noised, into every state (inpainting only).
        eta: η in [0, 1]. For DDNM the share of the noise that is drawn afresh in each step,
            η√(1−ᾱ_s); for RePaint the η of DDIM, where 1 is the method as published.
        sigma: σ, the measurement's noise, in units of the range [−1, 1].
        scale: Factor of "superres"; it divides height and width.
        grey: Of "colorize": the mean of red, green and blue, or their luma (Rec. 601).
        travel_length: L, how many steps a time-travel goes back towards noise; the jump length j
            of RePaint.
        travel_interval: s, after how many steps there is one again; None is L.
        travel_repeats: r, how often each stretch is walked in all, so that 1 is no travel. None
            becomes 1 for DDNM and 10 for RePaint, whose "resampling" this is.
    """

    kind: ClassVar[str] = "restore"

    task: Task = "inpaint"
    method: RestoreMethod = "ddnm"
    eta: Eta = DEFAULT_ETA["ddnm"]
    sigma: float = 0.0
    scale: int = 4
    grey: Grey = "mean"
    travel_length: int = 10
    travel_interval: int | None = None
    travel_repeats: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eta == "hat":
            raise SettingsError("eta", "eta must be a number from 0 to 1; σ̂ is of sampling only.")
        check_choice("task", self.task, TASKS)
        check_choice("method", self.method, RESTORE_METHODS)
        check_choice("grey", self.grey, GREYS)
        check_real("sigma", self.sigma, 0.0, MAX_SIGMA)
        check_whole("scale", self.scale, 2, MAX_SCALE)
        check_whole("travel_length", self.travel_length, 1, MAX_STEPS)
        if self.travel_interval is not None:
            check_whole("travel_interval", self.travel_interval, 1, MAX_STEPS)
        if self.travel_repeats is None:
            object.__setattr__(self, "travel_repeats", DEFAULT_REPEATS[self.method])
        check_whole("travel_repeats", self.travel_repeats, 1, MAX_REPEATS)
        self._check_together()

    def _check_together(self) -> None:
        """Raise where settings that are good alone do not fit each other."""
        if self.task == "denoise" and self.sigma == 0:
            raise SettingsError("sigma", "sigma must be above 0 for the task denoise, not 0.")
        if self.method == "repaint" and self.task != "inpaint":
            raise SettingsError(
                "method", f"The method repaint fills holes only, and the task is {self.task}."
            )
        if self.method == "repaint" and self.sigma > 0:
            raise SettingsError(
                "sigma", "sigma must be 0 for the method repaint, which takes pixels as exact."
            )


def scales_of(height: int, width: int) -> tuple[int, ...]:
    """The factors from 2 on that divide both sides, ascending; the shorter side is the last."""
    return tuple(k for k in range(2, min(height, width) + 1) if height % k == 0 and width % k == 0)


def check_task(settings: RestoreSettings, image_shape: tuple[int, int, int]) -> None:
    """Raise unless a model of these images can do the task.

    Args:
        settings: The task.
        image_shape: (C, H, W) of the model.

    Raises:
        SettingsError: The model draws grey pictures, which have no colours to restore (field
            ``task``), or the factor does not divide the size (field ``scale``).
    """
    channels, height, width = image_shape
    if settings.task == "colorize" and channels == 1:
        raise SettingsError(
            "task", "There is nothing to colourise: this model draws grey pictures."
        )
    if settings.task == "superres" and (height % settings.scale or width % settings.scale):
        allowed = ", ".join(map(str, scales_of(height, width))) or "none"
        raise SettingsError(
            "scale",
            f"scale must divide {width}×{height}, the size of the model's images, and "
            f"{settings.scale} does not; those that do: {allowed}.",
        )


def walk(settings: RestoreSettings, tau: tuple[int, ...] | list[int]) -> list[tuple[int, int]]:
    """The steps (t, s) of a restoration in their order, −1 being the clean image.

    Where a step does not leave the timestep that the step before it reached, a time-travel lies
    between them: the state there goes back to t by the forward process. The order is that of
    the authors' programs (DDNM, algorithm 2; RePaint, appendix B): each time that the walk comes
    to member 0, s, 2s, … of τ and has walked this stretch fewer than r times, it goes back by L.

    Args:
        settings: L, s and r.
        tau: τ, ascending.
    """
    steps = len(tau)
    length = settings.travel_length
    interval = settings.travel_interval or length
    repeats = settings.travel_repeats or 1
    left = dict.fromkeys(range(0, steps - length, interval), repeats - 1)
    moves, place = [], steps - 1
    while place >= 0:
        moves.append((tau[place], tau[place - 1] if place else -1))
        place -= 1
        if left.get(place, 0) > 0:
            left[place] -= 1
            place += length
    return moves
