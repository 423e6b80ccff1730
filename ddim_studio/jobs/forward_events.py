"""What the jobs of the Forward page are asked, and what they tell. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from ddim_studio.diffusion.bound_settings import BoundSettings
from ddim_studio.diffusion.settings import (
    MAX_CLASSES,
    MAX_SEED,
    Settings,
    SettingsError,
    check_real,
    check_whole,
)
from ddim_studio.jobs.runs import MAX_COUNT, check_place
from ddim_studio.storage import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddim_studio.diffusion.bound_estimate import Bound
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.orders import ImageInput

MAX_POINTS = 200
ForwardView = Literal[
    "closed",
    "chain",
    "merged",
    "noise",
    "chain_noise",
    "x0",
    "epsilon",
    "mean",
    "draw",
    "ddim",
    "between",
    "ddpm",
]
FORWARD_VIEWS: tuple[ForwardView, ...] = get_args(ForwardView)


@dataclass(frozen=True, kw_only=True)
class ForwardRun(Settings):
    """The forward process of one image, with all that is needed to repeat it.

    Attributes:
        model: Bundled name or path.
        device: "auto", "cpu", "cuda" or "mps".
        points: How many timesteps are shown, spread evenly from 0 to T − 1.
        eta: η in [0, 1] of the reverse kernel that is shown between η = 0 and η = 1.
        seed: Of the noise.
        class_label: As what the image is taken, for models with classes; None is class 0 there.
    """

    kind: ClassVar[str] = "forward"

    model: str = DEFAULT_MODEL
    device: str = "auto"
    points: int = 40
    eta: float = 0.5
    seed: int = 0
    class_label: int | None = None

    def __post_init__(self) -> None:
        check_place(self.model, self.device)
        check_whole("points", self.points, 2, MAX_POINTS)
        check_real("eta", self.eta, 0.0, 1.0)
        check_whole("seed", self.seed, 0, MAX_SEED)
        if self.class_label is not None:
            check_whole("class_label", self.class_label, 0, MAX_CLASSES - 1)


@dataclass(frozen=True)
class ForwardOrder:
    """Bring one image to noise."""

    run: ForwardRun
    image: ImageInput


@dataclass(frozen=True, kw_only=True)
class BoundRun(BoundSettings):
    """An estimate of the variational bound, with all that is needed to repeat it.

    Attributes:
        model: Bundled name or path.
        device: "auto", "cpu", "cuda" or "mps".
        data: The images: a folder, an archive or an IDX file.
        count: At most so many of them, spread evenly over the set.
    """

    kind: ClassVar[str] = "bound"

    model: str = DEFAULT_MODEL
    device: str = "auto"
    data: str = ""
    count: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_place(self.model, self.device)
        if not self.data.strip():
            raise SettingsError("data", "Choose a folder, an archive or an IDX file of images.")
        check_whole("count", self.count, 1, MAX_COUNT)


@dataclass(frozen=True)
class ForwardStarted:
    """The image and the model are known.

    Attributes:
        timesteps: Those shown, ascending from 0 to T − 1.
        image: x_0, (H, W, C).
        schedules: ᾱ_t for t = 0 … T − 1 by the schedule's name; that of the model is "model".
    """

    timesteps: tuple[int, ...]
    image: Pixels
    schedules: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class ForwardNumbers:
    """The numbers of one timestep.

    Attributes:
        variance_closed: Variance of x_t over its pixels, by the closed form.
        variance_chain: The same by the chain.
        variance_expected: ᾱ_t Var(x_0) + 1 − ᾱ_t.
        variance_scaled: Variance of x_t where x_0 was scaled to mean 0 and variance 1 before.
        merge: The numbers of √(α₂(1−α₁)) ε₁ + √(1−α₂) ε₂ = √(1−α₁α₂) ε̃ for the pixel in the
            middle: the three coefficients, then ε₁, ε₂ and ε̃.
        merge_error: Largest difference between the chain's x_t and the closed form with ε̃.
        x0_error: Mean square error of x̂_0, on pixels from 0 to 1, unclamped.
        epsilon_error: Mean square error of ε_θ, the simple loss at t.
    """

    variance_closed: float
    variance_chain: float
    variance_expected: float
    variance_scaled: float
    merge: tuple[float, float, float, float, float, float]
    merge_error: float
    x0_error: float
    epsilon_error: float


@dataclass(frozen=True)
class ForwardFrame:
    """One timestep of the forward process; frame 0 is the image.

    Attributes:
        index: Number of the frame.
        t: Timestep, −1 for the image.
        s: Timestep of the frame before.
        views: Pictures by name, (H, W, C) each. The frame of the image has "closed" and "chain"
            alone.
            closed, chain: x_t by the closed form, and by the chain.
            merged: The closed form with the chain's noises merged.
            noise, chain_noise: ε of the closed form, and ε̃ of the chain.
            x0, epsilon: x̂_0 and ε_θ, what the network makes of the closed form's x_t.
            mean, draw: μ̃_t, and x_{t−1} drawn from the posterior given x_0.
            ddim, between, ddpm: x_s drawn from q_σ(x_s | x_t, x_0) with η = 0, the run's, and 1.
        numbers: None for the image.
    """

    index: int
    t: int
    s: int
    views: Mapping[ForwardView, Pixels]
    numbers: ForwardNumbers | None


@dataclass(frozen=True)
class BoundMeasured:
    """An estimate of the bound; each one replaces those before it.

    Attributes:
        run: What was asked for.
        bound: Over the images so far.
        source: In words, where the images come from and how many were used.
        alpha_bars: ᾱ_t of the model, for the weights of theorem 1.
    """

    run: BoundRun
    bound: Bound
    source: str
    alpha_bars: tuple[float, ...]
