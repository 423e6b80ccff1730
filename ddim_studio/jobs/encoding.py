"""What an inversion job gathers: images from pixels and from seeds, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.diffusion.statistics import noise_statistics
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.evaluation.likeness import likenesses, pixels_of
from ddim_studio.imaging.pixels import from_pixels, to_pixels
from ddim_studio.jobs.frames import NOISE_RANGE
from ddim_studio.jobs.inversion_events import EncodeStep, Inverted, LatentReport, Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from ddim_studio.diffusion.inversion import InvertStep
    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.orders import ImageInput, InvertOrder
    from ddim_studio.models.model import Model

CLEAN = -1


@dataclass(frozen=True)
class InvertedTensors:
    """What an inversion took and gave: (N, C, H, W) each, float32, on the CPU.

    Attributes:
        x0: The images; of a seed, what it decodes to.
        x_T: Their latents.
        reconstruction: Those decoded again.
    """

    x0: Tensor
    x_T: Tensor  # noqa: N815 (the paper's name)
    reconstruction: Tensor


def tensor_of(model: Model, inputs: Sequence[ImageInput]) -> Tensor:
    """The images that come from pixels, in [−1, 1], (N, C, H, W).

    Raises:
        SettingsError: There is none, or one has not the model's size.
    """
    channels, height, width = model.image_shape
    pictures = [image.pixels for image in inputs if image.pixels is not None]
    if not pictures:
        raise SettingsError("images", "Give at least one image that is not drawn from a seed.")
    for picture in pictures:
        if picture.shape != (height, width, channels):
            shown = "×".join(map(str, picture.shape))
            raise SettingsError(
                "images",
                f"This model takes images of {height}×{width}×{channels}, not of {shown}.",
            )
    return from_pixels(np.stack(pictures))


def latent_report(x_T: Tensor) -> LatentReport:  # noqa: N803 (the paper's name)
    """The statistics of one latent (C, H, W) as plain numbers."""
    s = noise_statistics(x_T)
    return LatentReport(
        mean=s.mean.value,
        variance=s.variance.value,
        skewness=s.skewness.value,
        kurtosis=s.kurtosis.value,
        norm=s.norm.value,
        neighbour_correlation=s.neighbours.value,
        histogram_edges=s.histogram.edges,
        histogram=s.histogram.density,
        quantiles_normal=s.quantiles[:, 0],
        quantiles=s.quantiles[:, 1],
        autocorrelation=s.radial,
        reading=s.reading,
    )


def cosines(x_T: Tensor) -> NDArray[np.float64]:  # noqa: N803 (the paper's name)
    """⟨a, b⟩/(‖a‖‖b‖) between the latents (N, C, H, W), (N, N)."""
    flat = x_T.flatten(1).double()
    directions = flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-300)
    between: NDArray[np.float64] = (directions @ directions.T).clamp(-1, 1).numpy()
    return between


class Encoding:
    """The state of one inversion job.

    Attributes:
        tau: τ, ascending.
        pixel_rows: Which images come from pixels, and are inverted.
        seed_rows: Which come from seeds, and are not.
        images: Those from pixels, (n, C, H, W).
        inverted: x_T of those, once the last step was noted.
        reconstructions: Those decoded again.
        decoded_seeds: Those from seeds, decoded.
    """

    def __init__(self, model: Model, order: InvertOrder) -> None:
        self._shape = model.image_shape
        self._seeds = [image.seed for image in order.images if image.seed is not None]
        self.tau = tau_of(order.run.decoding(), model.schedule.T)
        self._exact = order.run.method == "exact"
        self.pixel_rows = [i for i, image in enumerate(order.images) if image.pixels is not None]
        self.seed_rows = [i for i, image in enumerate(order.images) if image.pixels is None]
        empty = torch.empty(0, *model.image_shape)
        self.images = tensor_of(model, order.images) if self.pixel_rows else empty
        self.inverted = self.reconstructions = self.decoded_seeds = empty
        self._seeded_frames: list[Pixels] = []
        self._residuals: list[NDArray[np.float64]] = []
        self._converged: list[NDArray[np.bool_]] = []
        self._calls: list[NDArray[np.int64]] = []

    def seeded_noise(self) -> Tensor:
        """x_T of the images from seeds."""
        return seeded_noise(self._shape, self._seeds)

    def note_seeded(self, step: Step) -> None:
        """Keep the state that a step of decoding the seeds started from."""
        self._seeded_frames.append(to_pixels(step.x_t))

    def step_event(self, step: InvertStep) -> EncodeStep:
        """Note a step of encoding, and tell of it for all images."""
        self.inverted = step.x.detach().cpu()
        return self._event(
            step.index - 1,
            to_pixels(step.x),
            step.residual.cpu().numpy(),
            step.converged.cpu().numpy(),
            step.calls.cpu().numpy(),
        )

    def seeded_event(self, index: int) -> EncodeStep:
        """Tell of a step where there are only images from seeds."""
        nothing = np.zeros(0)
        pixels = np.zeros((0, *self._seeded_frames[0].shape[1:]), np.uint8)
        return self._event(index, pixels, nothing, nothing.astype(bool), nothing.astype(np.int64))

    def unsolved(self) -> str:
        """A sentence about steps that did not converge, or nothing."""
        if not self._exact or not self.pixel_rows:
            return ""
        missed = ~np.stack(self._converged)
        if not missed.any():
            return ""
        edges = [CLEAN, *self.tau]
        steps = [f"{edges[k]} → {edges[k + 1]}" for k in np.flatnonzero(missed.any(axis=1))]
        named = ", ".join(steps[:4]) + (" …" if len(steps) > 4 else "")
        worst = np.nanmax(np.where(missed, np.stack(self._residuals), np.nan))
        return (
            f"{len(steps)} of {len(self.tau)} steps did not converge for "
            f"{int(missed.any(axis=0).sum())} image(s): t = {named}, residual up to {worst:.1e}. "
            "The nearest state found was taken; quadratic τ or more steps help."
        )

    def tensors(self) -> InvertedTensors:
        """All images at the end, those from seeds among the others."""
        seeds = self.decoded_seeds.cpu() if self.seed_rows else None
        return InvertedTensors(
            self._merged(self.images, seeds),
            self._merged(self.inverted, self.seeded_noise() if self.seed_rows else None),
            self._merged(self.reconstructions.cpu(), seeds),
        )

    def report(self, key: int, tensors: InvertedTensors) -> Inverted:
        """All that is known at the end, under the key of the latents."""
        originals, back = tensors.x0, tensors.reconstruction
        difference = (pixels_of(originals) - pixels_of(back)).abs()
        scale = max(float(difference.max()), 1e-12)
        return Inverted(
            key=key,
            timesteps=tuple(self.tau),
            originals=to_pixels(originals),
            reconstructions=to_pixels(back),
            differences=to_pixels(difference / scale, 0.0, 1.0),
            difference_scale=scale,
            latents=to_pixels(tensors.x_T, -NOISE_RANGE, NOISE_RANGE),
            cosines=cosines(tensors.x_T),
            quality=tuple(Quality(*likeness) for likeness in likenesses(originals, back)),
            reports=tuple(latent_report(x) for x in tensors.x_T),
            residuals=np.stack(self._residuals),
            converged=np.stack(self._converged),
            calls=np.stack(self._calls),
            decode_calls=len(self.tau),
        )

    def _event(
        self,
        index: int,
        pixels: Pixels,
        residual: NDArray[np.float64],
        converged: NDArray[np.bool_],
        calls: NDArray[np.int64],
    ) -> EncodeStep:
        """Put the images from seeds, which are exact and free, beside the inverted ones."""
        count = len(self.pixel_rows) + len(self.seed_rows)
        x = np.empty((count, *pixels.shape[1:]), np.uint8)
        residuals, done, prices = np.zeros(count), np.ones(count, bool), np.zeros(count, np.int64)
        x[self.pixel_rows] = pixels
        residuals[self.pixel_rows] = residual
        done[self.pixel_rows] = converged | (not self._exact)  # naïve steps solve nothing
        prices[self.pixel_rows] = calls
        if self.seed_rows:
            x[self.seed_rows] = self._seeded_frames[len(self.tau) - 1 - index]
        self._residuals.append(residuals)
        self._converged.append(done)
        self._calls.append(prices)
        t = self.tau[index - 1] if index else CLEAN
        return EncodeStep(
            index + 1,
            t,
            self.tau[index],
            x,
            tuple(residuals.tolist()),
            tuple(done.tolist()),
            tuple(prices.tolist()),
        )

    def _merged(self, inverted: Tensor, seeded: Tensor | None) -> Tensor:
        whole = torch.empty(len(self.pixel_rows) + len(self.seed_rows), *self._shape)
        whole[self.pixel_rows] = inverted.float()
        if seeded is not None:
            whole[self.seed_rows] = seeded
        return whole
