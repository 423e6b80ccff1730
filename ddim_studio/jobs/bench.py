"""What this machine does: every way to sample, beside the bare network and beside diffusers."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.diffusion.settings import check_whole
from ddim_studio.jobs.runs import check_place
from ddim_studio.storage import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.models.model import Model

BARE: Final = "bare network, torch"
EAGER: Final = "sampling, torch"
ENGINE: Final[dict[Precision, str]] = {
    "precise": "sampling, engine, precise",
    "fast": "sampling, engine, fast",
}
PIPELINE: Final = "diffusers' DDIMPipeline"
MOST_BATCH: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class BenchOrder:
    """What is measured.

    Attributes:
        model: Bundled name or path.
        device: "auto", "cpu", "cuda" or "mps".
        batches: Images a network call; each is a table.
        steps: S.
        rounds: How often each way is timed.
        seconds: After so many a table has no further round.
    """

    model: str = DEFAULT_MODEL
    device: str = "auto"
    batches: tuple[int, ...] = (1, 16)
    steps: int = 10
    rounds: int = 5
    seconds: float = 20.0

    def __post_init__(self) -> None:
        check_place(self.model, self.device)
        for batch in self.batches:
            check_whole("batches", batch, 1, MOST_BATCH)
        check_whole("steps", self.steps, 1, 1000)
        check_whole("rounds", self.rounds, 1, 1000)


@dataclass(frozen=True)
class BenchRow:
    """One way to sample at one size of batch.

    Attributes:
        batch: Images a network call.
        name: The way.
        milliseconds: Of a network call with all that belongs to it, the median over the rounds.
        low: The same of the fastest round.
        high: Of the slowest one.
        images_per_second: At S steps an image, by the median.
        ratio: Median over that of the bare network.
        change: Mean |Δpixel| from what torch draws of the same noise, of 255; None where nothing
            is drawn of that noise.
        rounds: How many were timed.
    """

    batch: int
    name: str
    milliseconds: float
    low: float
    high: float
    images_per_second: float
    ratio: float
    change: float | None
    rounds: int

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON takes it."""
        return asdict(self)


class Bench:
    """The ways to sample from one model on one device.

    Args:
        order: What is measured.
        models: Where the model comes from.

    Attributes:
        notes: Why ways are missing, a sentence each, known when the rows are.
    """

    def __init__(self, order: BenchOrder, models: ModelCache) -> None:
        self._order = order
        self._plain = models.open(order.model, order.device)
        self.notes: list[str] = []

    def machine(self) -> dict[str, Any]:
        """What is measured on, for the head of the table."""
        import torch

        device = self._plain.device
        on_gpu = device.type == "cuda"
        return {
            "model": self._plain.info.name,
            "parameters": self._plain.info.parameters,
            "device": str(device),
            "processor": torch.cuda.get_device_name(device) if on_gpu else processor(),
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count() or 1,
            "torch": torch.__version__,
            "steps": self._order.steps,
        }

    def rows(self) -> Iterator[list[BenchRow]]:
        """The table of each size of batch, as soon as it is measured."""
        for batch in self._order.batches:
            yield self._table(batch)

    def _table(self, batch: int) -> list[BenchRow]:
        from ddim_studio.evaluation.throughput import turn_by_turn

        drawn: dict[str, Pixels] = {}
        ways = self._ways(batch, drawn)
        order = self._order
        timings = turn_by_turn(ways, rounds=order.rounds, seconds=order.seconds)
        rows, bare = [], timings[BARE].median
        for name, timing in timings.items():
            per_call = 1000 / order.steps
            change = _change(drawn.get(name), drawn[EAGER])
            rows.append(
                BenchRow(
                    batch,
                    name,
                    timing.median * per_call,
                    timing.low * per_call,
                    timing.high * per_call,
                    batch / timing.median,
                    timing.median / bare,
                    change,
                    len(timing.seconds),
                )
            )
        return rows

    def _ways(self, batch: int, drawn: dict[str, Pixels]) -> dict[str, Callable[[], object]]:
        """The ways by name; those that draw from the seeds put their pixels into ``drawn``."""
        from ddim_studio.diffusion.noise import seeded_noise

        x_T = seeded_noise(self._plain, range(batch)).to(self._plain.device)  # noqa: N806
        ways: dict[str, Callable[[], object]] = {
            BARE: partial(self._bare, x_T),
            EAGER: partial(self._sampled, EAGER, self._plain, x_T, drawn),
        }
        for precision in ENGINE:
            model = self._engine(precision, batch)
            if model is not None:
                name = ENGINE[precision]
                ways[name] = partial(self._sampled, name, model, x_T, drawn)
        pipeline = self._pipeline(batch)
        if pipeline is not None:
            ways[PIPELINE] = pipeline
        return ways

    def _engine(self, precision: Precision, batch: int) -> Model | None:
        """The model on its engine, made now if it must be."""
        from ddim_studio.models.acceleration.network import holding
        from ddim_studio.models.acceleration.precision import hindrance

        engine = self._plain.engine
        if engine is None:
            self._note(hindrance() or "There is no engine for this device.")
            return None
        made = engine.prepare(precision, batch)
        if made is None:
            self._note(engine.fault(precision))
            return None
        return holding(self._plain, engine, precision, made)

    def _pipeline(self, batch: int) -> Callable[[], object] | None:
        """The loop of diffusers around the same network, from noise to pictures."""
        from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

        if not isinstance(self._plain.unet, UNet2DModel) or self._plain.classes:
            self._note("DDIMPipeline of diffusers does not take such a model.")
            return None
        scheduler = DDIMScheduler(clip_sample=False)
        pipeline = DDIMPipeline(self._plain.unet, scheduler)
        pipeline.set_progress_bar_config(disable=True)
        steps = self._order.steps
        return lambda: pipeline(batch_size=batch, num_inference_steps=steps, output_type="np")

    def _bare(self, x: Tensor) -> None:
        """Nothing but the network, as often as the sampler calls it."""
        for step in range(self._order.steps):
            self._plain.raw(x, step)
        self._wait()

    def _sampled(self, name: str, model: Model, x_T: Tensor, drawn: dict[str, Pixels]) -> None:  # noqa: N803
        from ddim_studio.diffusion.sampling import sample
        from ddim_studio.diffusion.settings import SampleSettings
        from ddim_studio.imaging.pixels import to_pixels

        x = x_T
        for step in sample(model, x_T, SampleSettings(steps=self._order.steps)):
            x = step.x
        drawn[name] = to_pixels(x)  # waits for a graphics processor

    def _wait(self) -> None:
        import torch

        if self._plain.device.type == "cuda":
            torch.cuda.synchronize(self._plain.device)

    def _note(self, text: str) -> None:
        if text and text not in self.notes:
            self.notes.append(text)


def processor() -> str:
    """The name of this computer's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _change(pixels: Pixels | None, reference: Pixels) -> float | None:
    """Mean |Δpixel|."""
    if pixels is None:
        return None
    return float(abs(pixels.astype("int16") - reference).mean())
