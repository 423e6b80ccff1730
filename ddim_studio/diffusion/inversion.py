"""From an image back to x_T: the deterministic sampler run against the time (η = 0).

The sampler steps from x_t to x_s, s < t, with ε_θ(x_t, t). Against the time x_s is known and x_t is
not. With a given ε the step is undone in closed form (`undone_step`), so that

* the naïve methods take ε_θ of the known state, ε_θ(x_s, s) ("source") or ε_θ(x_s, t) ("target",
  as in diffusers' ``DDIMInverseScheduler``), and are wrong by how much ε_θ changes along the step;
* the exact method solves x_t = undone_step(x_s, ε_θ(x_t, t)) for x_t, to a tolerance, per image.

The state is float64 between the float32 calls of the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from ddim_studio.diffusion.ddim import step_coefficients
from ddim_studio.diffusion.inverse_step import Guesses, exact_step, implied_prediction, naive_step
from ddim_studio.diffusion.sampling import sample
from ddim_studio.diffusion.schedule import CLEAN
from ddim_studio.diffusion.settings import InvertSettings, SettingsError
from ddim_studio.diffusion.timesteps import tau_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ddim_studio.diffusion.anderson import FixedPoint
    from ddim_studio.diffusion.ddim import StepCoefficients
    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.trajectory import Trajectory


@dataclass(frozen=True)
class InvertCall:
    """A network call was made; nothing else happened. Between any two calls one may stop.

    Attributes:
        index: Number of the step that is being solved, 1 … S.
        t: Timestep left; −1 is the clean image.
        t_next: Timestep to be reached.
        call: Number of the call within the step.
        active: Images of the batch that are still being solved.
        residual: The largest residual among these; 0 where none is left.
    """

    index: int
    t: int
    t_next: int
    call: int
    active: int
    residual: float


@dataclass(frozen=True)
class InvertStep:
    """What one step did. Tensors of images are (N, C, H, W), float32, on the model's device.

    Attributes:
        index: 1 … S.
        t: Timestep left; −1 is the clean image.
        t_next: Timestep reached.
        x: The state that it reached, x_{t_next}.
        x0: x̂_0 that the two states imply; the sampler sees it on its way back.
        epsilon: ε that the two states imply.
        residual: What the state lacks to lead back exactly, as a root mean square over the pixels
            of each image, (N,) float64: of x_t − undone_step(x_s, ε_θ(x_t, t)). A converged image
            takes one more correction after it was measured. NaN for the naïve methods, which
            do not measure it.
        calls: Network calls that each image took, (N,) int64.
        converged: Whether the residual reached the tolerance, (N,) bool; False for the naïve
            methods.
        coefficients: Of the step that leads back, equation 12.
    """

    index: int
    t: int
    t_next: int
    x: Tensor
    x0: Tensor
    epsilon: Tensor
    residual: Tensor
    calls: Tensor
    converged: Tensor
    coefficients: StepCoefficients


@dataclass(frozen=True)
class Unsolved:
    """A step that some images could not be taken through within the tolerance.

    Attributes:
        t: Timestep left; −1 is the clean image.
        t_next: Timestep reached.
        images: Which images of the batch.
        residuals: Of each of these.
    """

    t: int
    t_next: int
    images: tuple[int, ...]
    residuals: tuple[float, ...]


@dataclass(frozen=True)
class Inversion:
    """Images taken to x_T, and what it cost.

    Attributes:
        x_T: (N, C, H, W), float32, on the CPU.
        timesteps: τ, ascending; the step k leads to ``timesteps[k]``.
        residuals: Of every step and image, see `InvertStep`: (S, N), float64.
        converged: (S, N), bool.
        calls: Network calls of every step and image, (S, N), int64.
        settings: What was asked for.
    """

    x_T: Tensor  # noqa: N815 (the paper's name, and the API's)
    timesteps: tuple[int, ...]
    residuals: NDArray[np.float64]
    converged: NDArray[np.bool_]
    calls: NDArray[np.int64]
    settings: InvertSettings

    @property
    def network_calls(self) -> int:
        """Network calls in all, in images: what S sampling steps of N images take S·N of."""
        return int(self.calls.sum())

    @property
    def unsolved(self) -> tuple[Unsolved, ...]:
        """The steps that did not converge for every image; none for the naïve methods."""
        if self.settings.method != "exact":
            return ()
        found = []
        for k, (t, t_next) in enumerate(pairwise([CLEAN, *self.timesteps])):
            images = tuple((~self.converged[k]).nonzero()[0].tolist())
            if images:
                left = tuple(self.residuals[k, list(images)].tolist())
                found.append(Unsolved(t, t_next, images, left))
        return tuple(found)


def invert_events(
    model: Denoiser, images: Tensor, settings: InvertSettings | None = None
) -> Iterator[InvertCall | InvertStep]:
    """Walk from images to x_T, with an event after every network call and after every step.

    Args:
        model: The denoiser.
        images: (N, C, H, W) in [−1, 1]; not changed.
        settings: S, τ, method, tolerance; the defaults are the exact method in 50 quadratic steps.

    Returns:
        An iterator. Each item is asked for with at most one network call.

    Raises:
        SettingsError: τ or the class does not fit the model, or ``images`` are of another shape
            or not finite.
    """
    settings = settings or InvertSettings()
    model = model.with_class(settings.class_label)
    tau = tau_of(settings.decoding(), model.schedule.T)
    _check(model, images, tau)
    # Apple's GPUs have no float64
    place = torch.device("cpu") if model.device.type == "mps" else model.device
    return _events(model, images.detach().to(place, torch.float64), tau, settings)


def invert_steps(
    model: Denoiser, images: Tensor, settings: InvertSettings | None = None
) -> Iterator[InvertStep]:
    """`invert_events` without the events of single network calls."""
    return (e for e in invert_events(model, images, settings) if isinstance(e, InvertStep))


def invert(
    model: Denoiser,
    images: Tensor,
    settings: InvertSettings | None = None,
    *,
    trajectory: Trajectory | None = None,
) -> Inversion:
    """Walk from images to x_T at once; see `invert_events` for arguments and errors.

    Args:
        model: The denoiser.
        images: (N, C, H, W) in [−1, 1].
        settings: S, τ, method, tolerance.
        trajectory: Where to keep the steps, started with ``Trajectory(images)``.
    """
    settings = settings or InvertSettings()
    steps = []
    for step in invert_steps(model, images, settings):
        if trajectory is not None:
            trajectory.append(step)
        x_T = step.x
        steps.append((step.t_next, step.residual, step.converged, step.calls))
    timesteps, residuals, converged, calls = zip(*steps, strict=True)
    return Inversion(
        x_T.cpu(),
        timesteps,
        torch.stack(residuals).cpu().numpy(),
        torch.stack(converged).cpu().numpy(),
        torch.stack(calls).cpu().numpy(),
        settings,
    )


def reconstruct(model: Denoiser, x_T: Tensor, settings: InvertSettings) -> Tensor:
    """Images from x_T by the deterministic sampler with the τ of the inversion.

    Args:
        model: The denoiser.
        x_T: (N, C, H, W).
        settings: What x_T was inverted with.

    Returns:
        (N, C, H, W), float32, on the model's device, about [−1, 1].
    """
    *_, last = sample(model, x_T, settings.decoding())
    return last.x


def _check(model: Denoiser, images: Tensor, tau: Sequence[int]) -> None:
    if images.ndim != 4 or not len(images) or tuple(images.shape[1:]) != model.image_shape:
        expected = ", ".join(map(str, model.image_shape))
        raise SettingsError("images", f"images must be (N, {expected}), not {tuple(images.shape)}.")
    if not images.isfinite().all():
        raise SettingsError("images", "images must be finite numbers.")
    if model.schedule.alpha_bar(tau[-1]) <= 0:
        raise SettingsError(
            "timesteps",
            f"At timestep {tau[-1]} nothing of the image is left in x_t (zero terminal SNR), so "
            "the step to it cannot be undone. Take a τ that ends before it.",
        )


def _events(
    model: Denoiser, x: Tensor, tau: Sequence[int], settings: InvertSettings
) -> Iterator[InvertCall | InvertStep]:
    guesses = Guesses()
    for index, (s, t) in enumerate(pairwise([CLEAN, *tau]), start=1):
        c = step_coefficients(model.schedule, t, s, 0.0)
        if settings.method == "exact":
            solver = exact_step(
                model,
                x,
                t,
                c,
                guess=guesses.guess(x, c),
                tolerance=settings.tolerance,
                max_calls=settings.max_calls,
            )
            yield from _calls(solver, index, s, t)
            solution = solver.solution
        else:
            at = max(s, 0) if settings.method == "source" else t
            solution = naive_step(model, x, at, c)
        implied = implied_prediction(x, solution.x, c)
        guesses.add(c, implied)
        x0, epsilon = implied or (x, torch.zeros_like(x))
        yield InvertStep(
            index=index,
            t=s,
            t_next=t,
            x=solution.x.to(model.device, torch.float32),
            x0=x0.to(model.device, torch.float32),
            epsilon=epsilon.to(model.device, torch.float32),
            residual=solution.residual,
            calls=solution.calls,
            converged=solution.converged,
            coefficients=c,
        )
        x = solution.x


def _calls(solver: FixedPoint, index: int, s: int, t: int) -> Iterator[InvertCall]:
    call, more = 0, True
    while more:
        more = solver.advance()
        call += 1
        largest = float(solver.residual.max()) if more else 0.0
        yield InvertCall(index, s, t, call, solver.active, largest)
