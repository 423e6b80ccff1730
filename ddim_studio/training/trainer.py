"""The training itself: a network, its optimiser, and one step after another."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import torch

from ddim_studio.training.ema import EMA
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.network import (
    build_network,
    compiled,
    forward_of,
    keep_ends_float32,
    network_config,
    precision_of,
)
from ddim_studio.training.objective import BINS, Objective, TimestepWeights
from ddim_studio.training.rate import learning_rate
from ddim_studio.training.settings import progress
from ddim_studio.training.team import add_up, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    from ddim_studio.diffusion.schedule import Schedule
    from ddim_studio.models.team import Team
    from ddim_studio.training.objective import Batch
    from ddim_studio.training.settings import TrainSettings
    from ddim_studio.training.start import Start

LARGEST_GRADIENT = 1.0
"""The norm that gradients are clipped to."""


class StepResult(NamedTuple):
    """What one step did.

    Attributes:
        step: How many steps there were, this one included.
        loss: The simple objective of the batch, in terms of ε, before the step.
        gradient: The norm of the gradient, before it is clipped.
        learning_rate: The rate of the step.
        flags: The sums, over all processes, of what they told each other.
    """

    step: int
    loss: float
    gradient: float
    learning_rate: float
    flags: tuple[float, ...]


class Trainer:
    """A network in training.

    Args:
        settings: How to train.
        image_shape: (C, H, W).
        schedule: ᾱ_t.
        device: Where to.
        team: The processes that share each batch. All begin with the same weights, add up their
            gradients, and so keep the same weights.
        start: The model whose network and weights it begins with, if any.

    Attributes:
        step: Steps done.
        network: What is trained.
        ema: Its moving average.
        config: The arguments of the network.
        notice: What the user should know, or empty.
    """

    def __init__(
        self,
        settings: TrainSettings,
        image_shape: tuple[int, int, int],
        schedule: Schedule,
        device: torch.device,
        team: Team,
        *,
        start: Start | None = None,
    ) -> None:
        self.step = 0
        self.config = start.network if start else network_config(settings, image_shape[0])
        self.network = build_network(self.config, settings.seed)
        if start and start.tensors:
            self.network.load_state_dict(start.tensors)
        self.network.to(device).train()
        self.ema = EMA(self.network, settings.ema, trained=start is not None)
        self.objective = Objective(schedule, settings.prediction, device)
        self.weights = TimestepWeights(schedule.T, device)
        self.dtype = precision_of(settings.precision, device)
        self._settings, self._device, self._team = settings, device, team
        if self.dtype != torch.float32:
            keep_ends_float32(self.network, self.dtype)
        if device.type == "cuda":  # on a processor this gains nothing
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parameters = list(self.network.parameters())
        self.optimizer = torch.optim.AdamW(
            self.parameters, settings.learning_rate, fused=device.type in {"cpu", "cuda"}
        )
        self._forward, self.notice = forward_of(self.network), ""
        if settings.compile:
            part = part_of(team, settings.batch_size)
            images = self._laid_out(torch.zeros(part.stop - part.start, *image_shape).to(device))
            self._forward, self.notice = compiled(self.network, images, self.dtype)

    def advance(self, batch: Batch, rate: float, flags: Sequence[float] = ()) -> StepResult:
        """One step of algorithm 1: this process's part of the batch, weighted, and AdamW.

        Args:
            batch: This process's part of the images.
            rate: The learning rate.
            flags: Numbers that are added up over the processes along with the gradients.

        Raises:
            TrainingError: The loss or its gradient is not finite; the weights are left as they
                were.
        """
        batch = batch._replace(x0=self._laid_out(batch.x0))
        with self._autocast():
            errors = self.objective.errors(self._forward, batch)
        weights = self.weights.of(batch.t) if self._settings.weighting == "inverse" else 1.0
        torch.autograd.backward((weights * errors).sum() / self._settings.batch_size)
        told = torch.tensor(flags, dtype=torch.float32, device=self._device)
        totals, loss = self._added_up(batch, errors.detach(), told)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, LARGEST_GRADIENT)
        self._check_finite(loss, norm)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.ema.update(self.network, self.step)
        self.weights.update(totals)
        self.step += 1
        return StepResult(self.step, float(loss), float(norm), rate, tuple(told.tolist()))

    @torch.no_grad()
    def measure(self, batches: Iterable[Batch]) -> None:
        """Take the running means of the loss from a network that has learned already.

        Args:
            batches: This process's parts of batches that cover all timesteps.
        """
        forward = forward_of(self.network)
        totals = torch.zeros(2, BINS, device=self._device)
        for batch in batches:
            placed = batch._replace(x0=self._laid_out(batch.x0))
            with self._autocast():
                errors = self.objective.errors(forward, placed)
            totals += self.weights.totals(errors, batch.t)
        add_up(self._team, [totals])
        self.weights.begin(totals)

    def _added_up(self, batch: Batch, errors: Tensor, flags: Tensor) -> tuple[Tensor, Tensor]:
        """Sum gradients, flags, the weights' totals and the loss over the team."""
        totals = self.weights.totals(errors, batch.t)
        simple = self.objective.epsilon_errors(errors, batch.t)
        loss = simple.sum() / self._settings.batch_size
        gradients = [weight.grad for weight in self.parameters if weight.grad is not None]
        add_up(self._team, [*gradients, totals, loss, flags])
        return totals, loss

    def _check_finite(self, loss: Tensor, norm: Tensor) -> None:
        if bool(torch.isfinite(loss) & torch.isfinite(norm)):
            return
        self.optimizer.zero_grad()
        raise TrainingError(
            f"The loss of step {self.step + 1} is not a finite number.",
            "Take a lower --learning-rate, or --precision float32.",
        )

    def _autocast(self) -> AbstractContextManager[object]:
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self._device.type, self.dtype)

    def _laid_out(self, images: Tensor) -> Tensor:
        if self._device.type != "cuda":
            return images
        return images.contiguous(memory_format=torch.channels_last)

    @property
    def parameter_count(self) -> int:
        """Number of weights."""
        return sum(weight.numel() for weight in self.parameters)

    @property
    def place(self) -> str:
        """Where the network runs and how precisely, in words."""
        count = f"{self._team.size} × " if self._team.size > 1 else ""
        return f"{count}{self._device.type} in {str(self.dtype).removeprefix('torch.')}"

    def state(self) -> dict[str, Tensor]:
        """All tensors that decide how the training goes on, by name."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in self.ema.network.state_dict().items()}
        tensors["weights.means"] = self.weights.means
        for name, weight in self.network.named_parameters():
            for key, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        return tensors

    def restore(self, step: int, tensors: dict[str, Tensor]) -> None:
        """Go on from where `state` was taken, after ``step`` steps."""
        self.step = step
        self.network.load_state_dict(_below("network.", tensors))
        self.ema.network.load_state_dict(_below("ema.", tensors))
        self.weights.means = tensors["weights.means"].to(self._device)
        names = [name for name, _ in self.network.named_parameters()]
        found = _below("optimizer.", tensors)
        keys = {name.partition(".")[0] for name in found}
        known = {
            number: {key: found[f"{key}.{name}"] for key in keys}
            for number, name in enumerate(names)
            if keys
        }
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": known, "param_groups": groups})


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def train_steps(
    trainer: Trainer,
    settings: TrainSettings,
    batches: Iterator[Batch],
    seconds: float = 0.0,
    flags: Callable[[], Sequence[float]] = tuple,
) -> Iterator[StepResult]:
    """Step after step, until the limit of the settings.

    Args:
        trainer: It goes on from the step that it has reached.
        settings: The limits and the learning rate.
        batches: This process's parts of the batches from that step on.
        seconds: What the run has taken so far, for a limit of minutes.
        flags: Asked before every step for what the processes tell each other with it. The first
            of these numbers, if any, is the time that the run has taken; only process 0 gives it.

    Yields:
        The result of every step, when it is done.
    """
    while (done := progress(settings, trainer.step, seconds)) < 1:
        rate = learning_rate(settings.learning_rate, trainer.step, settings.warmup, done)
        result = trainer.advance(next(batches), rate, flags())
        seconds = result.flags[0] if result.flags else seconds
        yield result
