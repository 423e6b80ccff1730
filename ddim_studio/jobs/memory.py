"""How much memory a network call takes, measured in one."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddim_studio.models.model import Model


class _LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Counts the bytes of all tensors that are made under it, as long as they live.

    Attributes:
        most: Bytes that were alive at the same time, at most.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.most = 0
        self._live = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 (torch's own signature)
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        output = func(*args, **(kwargs or {}))
        given = {id(leaf.untyped_storage()) for leaf in tree_leaves(args) if _is_tensor(leaf)}
        for leaf in tree_leaves(output):
            if _is_tensor(leaf) and id(leaf.untyped_storage()) not in given:
                self._count(leaf.untyped_storage())
        return output

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        size = storage.nbytes()
        self._live += size
        self.most = max(self.most, self._live)
        weakref.finalize(storage, self._forget, size)

    def _forget(self, size: int) -> None:
        self._live -= size


def _is_tensor(leaf: object) -> bool:
    return isinstance(leaf, torch.Tensor)


def weight_bytes(model: Model) -> int:
    """Bytes of a network's weights and buffers."""
    tensors = [*model.unet.parameters(), *model.unet.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def call_bytes(model: Model, x: Tensor) -> int:
    """Bytes that a network call for ``x`` (N, C, H, W) takes beside the weights, at most at a time.

    On a CUDA device it is what torch allocated, work space included; elsewhere the sum of the
    tensors that are alive at the same time, without the work space of single operations.
    """
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
        torch.cuda.reset_peak_memory_stats(model.device)
        before = torch.cuda.memory_allocated(model.device)
        model.raw(x, 0)
        torch.cuda.synchronize(model.device)
        return int(torch.cuda.max_memory_allocated(model.device)) - before
    live = _LiveTensors()
    with live:
        model.raw(x, 0)
    return live.most
