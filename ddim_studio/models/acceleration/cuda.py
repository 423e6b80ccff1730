"""The engine of a model on an NVIDIA graphics processor; the counterpart of OpenVINO's.

"precise" replays what torch does, with the same numbers. "fast" keeps a copy of the weights in
float16 with the channels last, as tensor cores want them, tries out the algorithms of the
convolutions, and replays that. The first call of a shape is op by op. Whatever goes wrong leaves
torch at work, and one sentence that says so.

All in bfloat16, fashion-28 draws images whose pixels are off by 3.0 of 255 on average (S = 10); in
float16, which takes the same time and has three bits more, by 0.3; by autocast to bfloat16, where
the normalisation stays in float32, by 0.7. Numbers too large for float16 would be noticed when a
recording is compared with torch, which has the last word.

``DDIM_STUDIO_ENGINE=compile`` has "fast" fused by torch.compile before it is recorded, which takes
a minute for each shape and so pays in long runs only; ``eager`` switches all of this off.
"""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.models.acceleration.check import Answer, agrees
from ddim_studio.models.acceleration.cuda_graphs import CudaRecorder, GraphedNetwork, is_memory
from ddim_studio.models.acceleration.precision import ENGINE_VARIABLE, engine_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Network
    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.models.acceleration.cuda_graphs import Recorder
    from ddim_studio.models.model import Model

FAULT: Final = "The faster engine cannot run this model ({}). It runs with torch, as precisely."


class CudaNetwork:
    """What the engine offers: a network on the device, recorded as it is used.

    Args:
        graphed: The network.
        precision: How it computes; its output is float32.
    """

    def __init__(self, graphed: GraphedNetwork, precision: Precision) -> None:
        self._graphed = graphed
        self.precision = precision

    def __call__(self, x_t: Tensor, *others: Tensor) -> Tensor:
        """The network's output for x_t (N, C, H, W); each of ``others`` has N entries."""
        return self._graphed(x_t, *others)

    @property
    def fault(self) -> str:
        """Why it is not recorded; empty as long as it is, or may be."""
        return self._graphed.fault


class CudaEngine:
    """Offers the faster networks of a model; stands where `engine.Engine` stands on the CPU.

    Args:
        model: The model as torch runs it.
        recorder: Makes the recordings, given whether algorithms are tried out.
    """

    lasting = False

    def __init__(self, model: Model, recorder: Callable[[bool], Recorder] | None = None) -> None:
        self._model, self._eager = model, model.network
        self._recorder = recorder or (lambda tuned: CudaRecorder(tuned=tuned))
        self._offers: dict[Precision, CudaNetwork] = {}
        self._faults: dict[Precision, str] = {}
        self._told: set[Precision] = set()

    def offer(self, precision: Precision) -> CudaNetwork | None:
        """The network, if it was taken up and has not failed."""
        return None if self.fault(precision) else self._offers.get(precision)

    def take_up(self, precision: Precision = "precise") -> CudaNetwork | None:
        """The network, made now if it was not; it is recorded when it is called."""
        if precision not in self._offers:
            self._offers[precision] = CudaNetwork(
                GraphedNetwork(
                    self._network(precision),
                    self._recorder(precision == "fast"),
                    lambda ours, given: self._sound(ours, given, precision),
                ),
                precision,
            )
        return self.offer(precision)

    def best(self, precision: Precision) -> CudaNetwork | None:
        """The network of this precision, or else the precise one."""
        return self.take_up(precision) or self.take_up("precise")

    def prepare(self, precision: Precision = "precise", count: int = 1) -> CudaNetwork | None:
        """The network, recorded for a batch of so many images.

        Args:
            precision: Which.
            count: The batch.
        """
        import torch

        from ddim_studio.diffusion.noise import seeded_noise

        made = self.take_up(precision)
        if made is None:
            return None
        x = seeded_noise(self._model, range(count)).to(self._model.device)
        t = torch.full((count,), self._model.schedule.T - 1, device=x.device)
        labels = (torch.zeros_like(t),) if self._model.classes else ()
        with torch.no_grad():
            for _ in range(2):
                made(x, t, *labels)
        return self.offer(precision)

    def fault(self, precision: Precision) -> str:
        """Why this precision cannot be had, in a sentence; nothing where it can or may."""
        made = self._offers.get(precision)
        if made is not None and made.fault:
            self._faults.setdefault(precision, FAULT.format(made.fault))
        return self._faults.get(precision, "")

    def give_up(self, precision: Precision, error: Exception) -> None:
        """It failed in the middle of a run: torch from now on."""
        self._faults.setdefault(precision, FAULT.format(f"it failed: {type(error).__name__}"))

    def news(self) -> Iterator[str]:
        """Sentences that were not told yet."""
        for precision in self._offers:
            if self.fault(precision) and precision not in self._told:
                self._told.add(precision)
                yield self.fault(precision)

    def noted(self, given: tuple[Tensor, ...], output: Tensor) -> None:
        """Take note of what torch computed; nothing follows from it here."""

    def survey(self) -> None:
        """Find out what the processor can do; torch knows."""

    def stop(self) -> None:
        """Forget the recordings, and the memory that they take."""
        self._offers.clear()

    def _network(self, precision: Precision) -> Network:
        """What is recorded."""
        return fast_network(self._model) if precision == "fast" else self._eager

    def _sound(self, ours: Network, given: Sequence[Tensor], precision: Precision) -> bool:
        """Whether it agrees with torch, at the timesteps given and at the first and the last."""
        x_t, t, *labels = given
        return all(
            agrees(ours, Answer(asked, self._eager(*asked)), precision)
            for times in (t, t * 0, t * 0 + self._model.schedule.T - 1)
            for asked in ((x_t, times, *labels),)
        )


def cuda_engine_for(model: Model) -> CudaEngine | None:
    """An engine for a model on a CUDA device, None where the environment forbids it."""
    return CudaEngine(model) if engine_allowed() else None


def fast_network(model: Model) -> Network:
    """A copy of a model's network that computes with 16 bits; its output is float32.

    The first of these ways that the network can go is taken: fused by torch.compile, where that
    is asked for; all in float16; by torch's autocast to bfloat16, for networks that mix types.
    """
    import torch

    unet: Any = copy.deepcopy(model.unet).requires_grad_(requires_grad=False)
    # torch's own method: that of diffusers warns of layers to keep in float32, and there are none.
    converted: Any = torch.nn.Module.to
    converted(unet, dtype=torch.float16, memory_format=torch.channels_last)
    ways = [_in_half(unet, model.time_scale), _by_autocast(model.unet, model.time_scale)]
    if os.environ.get(ENGINE_VARIABLE, "").strip().lower() == "compile":
        compiled: Any = torch.compile(unet, dynamic=False)
        ways.insert(0, _in_half(compiled, model.time_scale))
    return FirstThatWorks(ways)


class FirstThatWorks:
    """Calls the first network that does not fail, and keeps to it.

    Args:
        networks: The last one's failure is raised.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = list(networks)

    def __call__(self, *given: Tensor) -> Tensor:
        """Its output.

        Raises:
            RuntimeError: Memory ran out, or all have failed.
        """
        while len(self._networks) > 1:
            try:
                return self._networks[0](*given)
            except RuntimeError as error:
                if is_memory(error):
                    raise
                del self._networks[0]
        return self._networks[0](*given)


def _in_half(unet: Any, time_scale: float) -> Network:  # noqa: ANN401
    import torch

    def network(x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        x = x_t.to(torch.float16, memory_format=torch.channels_last)
        return _called(unet, x, _scaled(t, time_scale), label)

    return network


def _by_autocast(unet: Any, time_scale: float) -> Network:  # noqa: ANN401
    import torch

    def network(x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        # Without its cache: a recording would keep copies there that are freed after it.
        with torch.autocast(x_t.device.type, torch.bfloat16, cache_enabled=False):
            return _called(unet, x_t, _scaled(t, time_scale), label)

    return network


def _scaled(t: Tensor, time_scale: float) -> Tensor:
    return t if time_scale == 1.0 else t * time_scale


def _called(unet: Any, x: Tensor, times: Tensor, label: Tensor | None) -> Tensor:  # noqa: ANN401
    output: Tensor = unet(x, times, label, return_dict=False)[0]
    return output.float().contiguous()
