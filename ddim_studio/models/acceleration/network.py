"""The network that a model calls: the engine where it is ready, else torch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Network
    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.models.acceleration.compiled import CompiledNetwork
    from ddim_studio.models.acceleration.engine import Engine
    from ddim_studio.models.model import Model

    M = TypeVar("M", bound=Model)


class EngineNetwork:
    """Calls what the engine offers, and torch as long as it offers nothing.

    Args:
        eager: The network as torch runs it.
        engine: What may have something faster.
        precision: Which of its networks.

    Attributes:
        held: What was offered when `hold` was called; nothing else is taken up then.
    """

    def __init__(self, eager: Network, engine: Engine, precision: Precision) -> None:
        self._eager, self._engine, self.precision = eager, engine, precision
        self._holding = False
        self.held: CompiledNetwork | None = None

    def hold(self, offered: CompiledNetwork | None) -> EngineNetwork:
        """Keep to what is offered now, so that a run is computed by one engine to its end."""
        self._holding, self.held = True, offered
        return self

    def __call__(self, x_t: Tensor, *others: Tensor) -> Tensor:
        """The network's output for x_t (N, C, H, W); each of ``others`` has N entries."""
        compiled = self.held if self._holding else self._engine.offer(self.precision)
        if compiled is not None:
            try:
                return compiled(x_t, *others)
            except RuntimeError as error:
                if type(error).__name__ == "OutOfMemoryError":
                    raise  # fewer images at a time may fit
                self._engine.give_up(compiled.precision, error)
                self.held = None
        output: Tensor = self._eager(x_t, *others)
        self._engine.noted((x_t, *others), output)
        return output


def with_engine(model: M, engine: Engine, precision: Precision) -> M:
    """A view of a model whose network is the engine's as soon as that is ready."""
    view = copy.copy(model)
    view.network = EngineNetwork(model.network, engine, precision)
    return view


def holding(model: M, engine: Engine, precision: Precision, offered: CompiledNetwork | None) -> M:
    """A view of a model that keeps to what the engine offered, or to torch where that is None."""
    view = copy.copy(model)
    view.network = EngineNetwork(model.network, engine, precision).hold(offered)
    view.compiled = offered
    return view
