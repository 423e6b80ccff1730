"""Going on when memory runs out: a network that is called with fewer images at a time."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

from ddim_studio.jobs.events import Notice
from ddim_studio.jobs.failures import is_out_of_memory
from ddim_studio.jobs.reuse import RememberingNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Denoiser, Network
    from ddim_studio.models.acceleration.engine import Engine

D = TypeVar("D", bound="Denoiser")


class SplitNetwork:
    """Calls a network with as many images at a time as memory allows.

    What a network says of an image does not depend on the images beside it, so the answer is the
    same. Once a batch did not fit, later ones are split at once.

    Attributes:
        most: Images that fit, or None as long as all did.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._told: int | None = None
        self.most: int | None = None

    def __call__(self, x_t: Tensor, *others: Tensor) -> Tensor:
        """The network's output for x_t (N, C, H, W); each of ``others`` has N entries.

        Raises:
            Exception: Whatever the network raises, where it is not memory or one image is too many.
        """
        while True:
            size = min(self.most or len(x_t), len(x_t))
            output = self._attempt(size, x_t, *others)
            if output is not None:
                return output
            self.most = (size + 1) // 2
            _give_memory_back()

    def _attempt(self, size: int, *batch: Tensor) -> Tensor | None:
        """The output, computed with ``size`` images at a time; None where that is too many.

        The error is gone when this returns, and with it what its traceback kept in memory.
        """
        import torch

        try:
            if size == len(batch[0]):
                return self._network(*batch)
            parts = zip(*(torch.split(tensor, size) for tensor in batch), strict=True)
            return torch.cat([self._network(*part) for part in parts])
        except Exception as error:
            if size > 1 and is_out_of_memory(error):
                return None
            raise

    def news(self) -> Iterator[Notice]:
        """Say once how many images fit now."""
        if self.most != self._told:
            self._told = self.most
            images = "1 image" if self.most == 1 else f"{self.most} images"
            yield Notice(
                f"Memory did not suffice for all images at once: the network takes {images} at a "
                "time now. The result is the same."
            )


def splitting(model: D) -> D:
    """A view of a model whose network is split when memory runs out."""
    view = copy.copy(model)
    view.network = SplitNetwork(model.network)
    return view


def memory_news(model: Denoiser) -> Iterator[Notice]:
    """What a model of `splitting` has to tell since it was asked last, its engine's failure too."""
    engine: Engine | None = getattr(model, "engine", None)
    if engine is not None:
        yield from map(Notice, engine.news())
    network = model.network
    if isinstance(network, RememberingNetwork):
        network = network.network
    if isinstance(network, SplitNetwork):
        yield from network.news()


def _give_memory_back() -> None:
    """Return what torch holds of the graphics processor's memory, in case it is in pieces."""
    import torch

    torch.cuda.empty_cache()  # does nothing where there is none
