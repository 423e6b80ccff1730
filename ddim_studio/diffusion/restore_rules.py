"""What a measurement does to a step of sampling: the rules of DDNM, DDNM+ and RePaint."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from ddim_studio.diffusion.ddim import Prediction, StepCoefficients, ddim_step, sigma_of
from ddim_studio.diffusion.schedule import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddim_studio.diffusion.measurements import Measurement, SpectralMeasurement
    from ddim_studio.diffusion.restore_settings import RestoreSettings
    from ddim_studio.diffusion.schedule import Schedule

    Draw = Callable[..., Tensor]

TRAVEL, KNOWN, MEASURED = 1, 2, 3
"""Last member of the keys of noise that is for a time-travel, known pixels, or a measurement."""


class Nullspace:
    """DDNM: x̂_0 is corrected, and the step goes on as ever.

    Args:
        y: What was measured.
        measurement: A.
        settings: η and σ.
    """

    def __init__(self, y: Tensor, measurement: Measurement, settings: RestoreSettings) -> None:
        self.y, self.measurement = y, measurement
        self.eta, self.sigma = float(settings.eta), settings.sigma

    def coefficients(self, schedule: Schedule, t: int, s: int) -> StepCoefficients:
        """Of the step from t to s: √(1−η²) and η times √(1−ᾱ_s); ᾱ of the clean image is 1."""
        alpha_bar_s = _alpha_bar(schedule, s)
        noise = math.sqrt(1 - alpha_bar_s)
        direction, sigma = math.sqrt(1 - self.eta**2) * noise, self.eta * noise
        signal = math.sqrt(alpha_bar_s)
        return StepCoefficients(schedule.alpha_bar(t), alpha_bar_s, signal, direction, sigma)

    def corrected(self, guess: Tensor, residual: Tensor, _c: StepCoefficients) -> Tensor:
        """x̂_0 − A⁺(A x̂_0 − y), of which the second term is given."""
        return guess - residual

    def stepped(
        self, prediction: Prediction, c: StepCoefficients, draw: Draw
    ) -> tuple[Tensor, Tensor | None]:
        """x_s, and the z that was drawn for it.

        Args:
            prediction: x̂_0, corrected, and ε_θ.
            c: The coefficients.
            draw: Gives the noise of this step when it is needed, that for z unless another key
                is given.
        """
        z = draw() if c.sigma > 0 else None
        return ddim_step(prediction, c, z), z


class NoisyNullspace(Nullspace):
    """DDNM+: where A sees, the noise that A⁺y brings in takes the place of noise drawn.

    There ε_θ is not used at all: it knows the noise of y from the steps before, and would let it
    stay in the image. What A does not see goes as in DDNM.
    """

    def corrected(self, guess: Tensor, residual: Tensor, c: StepCoefficients) -> Tensor:
        """x̂_0 − Λ A⁺(A x̂_0 − y), where Λ has the λ of each component."""
        return guess - self._filtered(residual, lambda s: self._gains(s, c)[0])

    def stepped(
        self, prediction: Prediction, c: StepCoefficients, draw: Draw
    ) -> tuple[Tensor, Tensor | None]:
        """x_s, and the z that was drawn for it."""
        if c.alpha_bar_s == 1:
            return ddim_step(prediction, c), None
        z = draw()
        hidden = self._filtered(
            c.direction * prediction.epsilon + c.sigma * z, lambda s: float(s == 0)
        )
        seen = self._filtered(z, lambda s: self._gains(s, c)[1] if s else 0.0)
        return c.signal * prediction.x0 + hidden + seen, z

    def _filtered(self, x: Tensor, gain: Callable[[float], float]) -> Tensor:
        return cast("SpectralMeasurement", self.measurement).filtered(x, gain)

    def _gains(self, singular_value: float, c: StepCoefficients) -> tuple[float, float]:
        return noise_gains(singular_value, self.sigma, c.alpha_bar_s)


class Repaint(Nullspace):
    """RePaint: the known pixels of every state are those of y with noise; the rest is DDIM's."""

    def coefficients(self, schedule: Schedule, t: int, s: int) -> StepCoefficients:
        """Those of DDIM with σ by η, which are DDPM's for η = 1; ᾱ of the clean image is 1."""
        alpha_bar_t, alpha_bar_s = schedule.alpha_bar(t), _alpha_bar(schedule, s)
        sigma = sigma_of(alpha_bar_t, alpha_bar_s, self.eta)
        direction = math.sqrt(max(1 - alpha_bar_s - sigma**2, 0.0))
        return StepCoefficients(alpha_bar_t, alpha_bar_s, math.sqrt(alpha_bar_s), direction, sigma)

    def stepped(
        self, prediction: Prediction, c: StepCoefficients, draw: Draw
    ) -> tuple[Tensor, Tensor | None]:
        """x_s with √ᾱ_s y + √(1−ᾱ_s) n in the known pixels, and the z of the others."""
        x, z = super().stepped(prediction, c, draw)
        mask = self.measurement
        noise = math.sqrt(1 - c.alpha_bar_s) * mask.A(draw(KNOWN))
        return x - mask.A(x) + c.signal * mask.pinv(self.y) + noise, z


def rule_for(y: Tensor, measurement: Measurement, settings: RestoreSettings) -> Nullspace:
    """The rule that the settings ask for."""
    if settings.method == "repaint":
        return Repaint(y, measurement, settings)
    kind = NoisyNullspace if settings.sigma > 0 else Nullspace
    return kind(y, measurement, settings)


def noise_gains(singular_value: float, sigma: float, alpha_bar_s: float) -> tuple[float, float]:
    """λ and γ of DDNM+ for one component: how far it is corrected, and the noise that it draws.

    ᾱ_s (λσ/s)² + γ² = 1 − ᾱ_s for s > 0: what the measurement brings in and what is drawn add up to
    the noise of x_s.

    Args:
        singular_value: s; 0 where the measurement sees nothing.
        sigma: σ of the measurement, above 0.
        alpha_bar_s: ᾱ_s.
    """
    total = math.sqrt(1 - alpha_bar_s)
    if singular_value == 0:
        return 1.0, total
    brought = math.sqrt(alpha_bar_s) * sigma / singular_value
    if brought <= total:
        return 1.0, math.sqrt(total**2 - brought**2)
    return total / brought, 0.0


def _alpha_bar(schedule: Schedule, s: int) -> float:
    return 1.0 if s == CLEAN else schedule.alpha_bar(s)
