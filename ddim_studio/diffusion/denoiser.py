"""From a network to what the sampler needs: x̂_0 and ε_θ at a timestep."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Literal, Self, get_args

import torch

from ddim_studio.diffusion.ddim import Prediction, implied_epsilon, predicted_x0
from ddim_studio.diffusion.settings import SettingsError, check_choice, check_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddim_studio.diffusion.schedule import Schedule

    Network = Callable[..., Tensor]

PredictionType = Literal["epsilon", "sample", "v_prediction"]
PREDICTION_TYPES: tuple[PredictionType, ...] = get_args(PredictionType)


class Denoiser:
    """A network together with the schedule that it was trained on.

    Attributes:
        network: ``network(x_t, t)`` with x_t (N, C, H, W) and t (N,) int64, both on ``device``;
            returns (N, C', H, W). Channels past C (a learned variance) are ignored. Where there
            are classes it is called as ``network(x_t, t, label)``, with label (N,) int64.
        schedule: ᾱ_t.
        image_shape: (C, H, W).
        prediction: What the network predicts: ε, x_0 ("sample") or v.
        device: Where the network runs.
        classes: How many classes the network draws; 0 where it is unconditional.
        label: The class that it draws, None where there are none; `with_class` chooses another.
        network_calls: How often the network was called so far, in images.
    """

    def __init__(
        self,
        network: Network,
        schedule: Schedule,
        image_shape: tuple[int, int, int],
        *,
        prediction: PredictionType = "epsilon",
        device: str | torch.device = "cpu",
        classes: int = 0,
    ) -> None:
        check_choice("prediction_type", prediction, PREDICTION_TYPES)
        if prediction == "epsilon" and schedule.zero_terminal_snr:
            raise SettingsError(
                "prediction_type",
                "A schedule with zero terminal SNR cannot be used with ε-prediction: at T−1 there "
                "is nothing of x_0 left in x_t, and x̂_0 would be divided by zero.",
            )
        self.network = network
        self.schedule = schedule
        self.image_shape = image_shape
        self.prediction = prediction
        self.device = torch.device(device)
        self.classes = classes
        self.label = 0 if classes else None
        self.network_calls = 0

    def with_class(self, label: int | None) -> Self:
        """The same model with the class fixed that it draws; the network is shared.

        Args:
            label: From 0 to ``classes`` − 1; None leaves the model as it is.

        Returns:
            The model itself where nothing changes, else a view of it, which counts its own calls.

        Raises:
            SettingsError: The model has no such class.
        """
        check_class(label, self.classes)
        if label is None or label == self.label:
            return self
        view = copy.copy(self)
        view.label = label
        view.network_calls = 0
        return view

    @torch.no_grad()
    def raw(self, x_t: Tensor, t: int | Tensor) -> Tensor:
        """The network's own output for x_t (N, C, H, W) at timestep t, first C channels.

        The network runs in float32 on ``device``, whatever the type and the place of x_t; its
        output comes back in those of x_t. So a state may be kept in float64 between calls.

        Args:
            x_t: The states.
            t: Their timestep, or that of each, (N,) int64.
        """
        x = x_t.to(self.device, torch.float32)
        if isinstance(t, torch.Tensor):
            times = t.to(self.device)
        else:
            times = torch.full((len(x),), t, dtype=torch.int64, device=self.device)
        self.network_calls += len(x)
        labels = () if self.label is None else (torch.full_like(times, self.label),)
        return self.network(x, times, *labels)[:, : self.image_shape[0]].to(x_t)

    @torch.no_grad()
    def predict(self, x_t: Tensor, t: int) -> Prediction:
        """x̂_0 and ε_θ for x_t (N, C, H, W) at timestep t."""
        return self.interpreted(self.raw(x_t, t), x_t, t)

    def interpreted(self, output: Tensor, x_t: Tensor, t: int) -> Prediction:
        """What the network's `raw` output for x_t at t says, by the model's kind of prediction.

        v = √ᾱ_t ε − √(1−ᾱ_t) x_0  (Salimans and Ho 2022).
        """
        alpha_bar = self.schedule.alpha_bar(t)
        if self.prediction == "epsilon":
            return Prediction(predicted_x0(x_t, output, alpha_bar), output)
        if self.prediction == "sample":
            return Prediction(output, implied_epsilon(x_t, output, alpha_bar))
        signal, noise = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
        return Prediction(signal * x_t - noise * output, signal * output + noise * x_t)

    def epsilon(self, x_t: Tensor, t: int) -> Tensor:
        """ε_θ(x_t, t) of shape (N, C, H, W)."""
        return self.predict(x_t, t).epsilon
