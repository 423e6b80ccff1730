"""What a network said before is not computed again: only what changed is.

A network's output belongs to the state, the timestep and the class that it was asked about. So a
run that begins as an earlier one did is read from memory up to where they part: another η, S or
clipping has its first step already, a branch all its steps before the frame, one more seed all the
other images, and the same run again everything. What is found is what was computed, bit for bit.
"""

from __future__ import annotations

import copy
import itertools
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Denoiser, Network

    _Key = tuple[int, int, int, bytes]

D = TypeVar("D", bound="Denoiser")

BUDGET = 256 * 1024**2
"""Bytes of outputs that are kept by default."""


class OutputStore:
    """Outputs of networks for single images, within a budget.

    The runs of long ago are forgotten first. A run that is too large by itself keeps its
    beginning, since that is what other runs have in common with it.

    Args:
        budget: Bytes to keep at most.

    Attributes:
        nbytes: Bytes kept now.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.nbytes = 0
        self._kept: OrderedDict[_Key, tuple[int, Tensor]] = OrderedDict()
        self._run = 0
        self._numbers: WeakKeyDictionary[Network, int] = WeakKeyDictionary()
        self._next = itertools.count()

    def __len__(self) -> int:
        """How many outputs are kept."""
        return len(self._kept)

    def begin(self) -> None:
        """Another run begins: what it neither finds nor keeps may make room."""
        self._run += 1

    def number(self, network: Network) -> int:
        """What stands for a network in keys, as long as it lives."""
        return self._numbers.setdefault(network, next(self._next))

    def find(self, key: _Key) -> Tensor | None:
        """The output under a key, or None."""
        if key not in self._kept:
            return None
        output = self._kept.pop(key)[1]
        self._kept[key] = self._run, output  # the newest now
        return output

    def keep(self, key: _Key, output: Tensor) -> None:
        """Keep a copy of an output (C, H, W), if there is room or room can be made."""
        size = output.numel() * output.element_size()
        while self.nbytes + size > self.budget:
            oldest = next(iter(self._kept), None)
            if oldest is None or self._kept[oldest][0] == self._run:
                return
            _, forgotten = self._kept.pop(oldest)
            self.nbytes -= forgotten.numel() * forgotten.element_size()
        self._kept[key] = self._run, output.clone()
        self.nbytes += size


class RememberingNetwork:
    """A network that is called only for the images of a batch that it was not asked about before.

    Args:
        network: ``network(x_t, t)`` or ``network(x_t, t, label)``.
        store: What it said so far.

    Attributes:
        network: The network itself.
    """

    def __init__(self, network: Network, store: OutputStore) -> None:
        self.network, self._store = network, store
        self._number = store.number(network)

    def __call__(self, x_t: Tensor, *others: Tensor) -> Tensor:
        """The network's output for x_t (N, C, H, W); each of ``others`` has N entries.

        States that are not on the CPU are not looked up: the way there would cost more.
        """
        import torch

        if x_t.device.type != "cpu":
            return self.network(x_t, *others)
        keys = self._keys(x_t, others)
        outputs = [self._store.find(key) for key in keys]
        missing = [index for index, output in enumerate(outputs) if output is None]
        if missing:
            whole = len(missing) == len(keys)
            fresh = self.network(*(part if whole else part[missing] for part in (x_t, *others)))
            for index, output in zip(missing, fresh, strict=True):
                self._store.keep(keys[index], output)
                outputs[index] = output
            if whole:
                return fresh
        return torch.stack([output for output in outputs if output is not None])

    def _keys(self, x_t: Tensor, others: Sequence[Tensor]) -> list[_Key]:
        states = x_t.detach().contiguous().numpy()
        asked = zip(*(other.tolist() for other in others), strict=True)
        return [
            (self._number, t, label[0] if label else -1, blake2b(state, digest_size=16).digest())
            for state, (t, *label) in zip(states, asked, strict=True)
        ]


def remembering(model: D, store: OutputStore | None) -> D:
    """A view of a model, for one run, whose network is not asked twice; or the model itself.

    Args:
        model: The model.
        store: Where outputs are kept; with None nothing is.
    """
    if store is None:
        return model
    store.begin()
    view = copy.copy(model)
    view.network = RememberingNetwork(model.network, store)
    return view
