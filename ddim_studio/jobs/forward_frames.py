"""The frames of the forward process of one image: tensors in, pixels and numbers out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ddim_studio.diffusion.forward import forward_chain, noised
from ddim_studio.diffusion.noise import keyed_noise, seeded_noise
from ddim_studio.diffusion.posterior import posterior, process_alpha_bar, reverse_kernel
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.forward_events import ForwardFrame, ForwardNumbers
from ddim_studio.jobs.frames import NOISE_RANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.forward import ForwardStep
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.forward_events import ForwardRun, ForwardView

DRAWS = 2
"""The noise of the reverse kernels at t has the key (DRAWS, t)."""

NOISES = {"noise", "chain_noise", "epsilon"}
CLEAN = -1


class Noising:
    """The way from x_0 to noise.

    Args:
        model: Whose schedule and network.
        run: Seed and η.
        x0: The image, (1, C, H, W).
        times: Timesteps to show, ascending.
    """

    def __init__(self, model: Denoiser, run: ForwardRun, x0: Tensor, times: Sequence[int]) -> None:
        self._model, self._run, self._times = model, run, list(times)
        self._x0 = x0.to("cpu", torch.float64)
        self._epsilon = seeded_noise(model, [run.seed]).double()
        spread = self._x0.std(correction=0).clamp_min(1e-12)
        self._scaled = (self._x0 - self._x0.mean()) / spread

    def first_frame(self) -> ForwardFrame:
        """The image."""
        picture = to_pixels(self._x0)[0]
        return ForwardFrame(0, CLEAN, CLEAN, {"closed": picture, "chain": picture}, None)

    def frames(self, batch_size: int) -> Iterator[list[ForwardFrame]]:
        """The frames of the timesteps, so many in a network call."""
        wanted, steps = set(self._times), list[tuple["ForwardStep", "Tensor"]]()
        done, before = 0, torch.zeros_like(self._x0)
        for step in forward_chain(self._model, self._x0, [self._run.seed]):
            if step.t in wanted:
                steps.append((step, before))
            before = step.merged
            if len(steps) == batch_size or (steps and step.t == self._times[-1]):
                yield self._seen(steps, done)
                done += len(steps)
                steps.clear()

    def _seen(self, steps: list[tuple[ForwardStep, Tensor]], done: int) -> list[ForwardFrame]:
        """The frames of some steps, which the network looks at together."""
        model = self._model
        times = [step.t for step, _ in steps]
        x_t = torch.cat([noised(model, self._x0, self._epsilon, t) for t in times])
        output = model.raw(x_t, torch.tensor(times))
        frames = []
        for row, (step, before) in enumerate(steps):
            one = slice(row, row + 1)
            seen = model.interpreted(output[one], x_t[one], step.t)
            number = done + row
            s = self._times[number - 1] if number else CLEAN
            tensors = self._tensors(step, x_t[one], s)
            tensors |= {"x0": seen.x0, "epsilon": seen.epsilon}
            numbers = self._numbers(step, before, tensors)
            frames.append(ForwardFrame(number + 1, step.t, s, _pictures(tensors), numbers))
        return frames

    def _tensors(self, step: ForwardStep, x_t: Tensor, s: int) -> dict[ForwardView, Tensor]:
        model, x0, t = self._model, self._x0, step.t
        back = posterior(model, t)
        z = keyed_noise(model.image_shape, [self._run.seed], DRAWS, t).double()
        kernels = {
            name: reverse_kernel(model, t, s, eta).draw(x_t, x0, z)
            for name, eta in (("ddim", 0.0), ("between", self._run.eta), ("ddpm", 1.0))
        }
        return {
            "closed": x_t,
            "chain": step.x,
            "merged": noised(model, x0, step.merged, t),
            "noise": self._epsilon,
            "chain_noise": step.merged,
            "mean": back.mean(x_t, x0),
            "draw": back.draw(x_t, x0, z),
            **kernels,  # type: ignore[dict-item]  # names of views
        }

    def _numbers(
        self, step: ForwardStep, before: Tensor, tensors: dict[ForwardView, Tensor]
    ) -> ForwardNumbers:
        alpha_1 = process_alpha_bar(self._model.schedule, step.t - 1)
        c_1, c_2 = math.sqrt(step.alpha * (1 - alpha_1)), math.sqrt(1 - step.alpha)
        c, h, w = (size // 2 for size in self._model.image_shape)
        first, second, both = (float(x[0, c, h, w]) for x in (before, step.epsilon, step.merged))
        scaled = noised(self._model, self._scaled, step.merged, step.t)
        expected = step.alpha_bar * _variance(self._x0) + 1 - step.alpha_bar
        return ForwardNumbers(
            variance_closed=_variance(tensors["closed"]),
            variance_chain=_variance(tensors["chain"]),
            variance_expected=expected,
            variance_scaled=_variance(scaled),
            merge=(c_1, c_2, math.hypot(c_1, c_2), first, second, both),
            merge_error=float((tensors["merged"] - tensors["chain"]).abs().max()),
            x0_error=float((tensors["x0"] - self._x0).square().mean()) / 4,
            epsilon_error=float((tensors["epsilon"] - self._epsilon).square().mean()),
        )


def _variance(x: Tensor) -> float:
    return float(x.var(correction=0))


def _pictures(tensors: dict[ForwardView, Tensor]) -> dict[ForwardView, Pixels]:
    """(H, W, C) each; noise is shown from −3 to 3."""
    reach = {name: NOISE_RANGE if name in NOISES else 1.0 for name in tensors}
    return {name: to_pixels(x, -reach[name], reach[name])[0] for name, x in tensors.items()}
