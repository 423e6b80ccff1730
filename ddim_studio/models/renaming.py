"""From the names of another family to those of diffusers' ``UNet2DModel``, tensor by tensor.

A family gives `Parts`: for every part of the network (a convolution, a norm) the part of the
checkpoint that it comes from, and how its tensors are made from those. What the checkpoint lacks or
has beside is told by its own names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ddim_studio.models.weights import refuse_extra, refuse_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from torch import Tensor


class Part(NamedTuple):
    """Where a part of the network comes from.

    Attributes:
        source: Its name in the checkpoint.
        take: Makes its tensor from that of the checkpoint; leaves alone what it cannot use.
    """

    source: str
    take: Callable[[Tensor], Tensor]


Parts = dict[str, Part]
"""The parts of the network by diffusers' names."""


class Renamed(NamedTuple):
    """Tensors with diffusers' names.

    Attributes:
        tensors: By the network's names.
        shown: What the checkpoint calls a tensor of the network.
    """

    tensors: dict[str, Tensor]
    shown: Callable[[str], str]


def renamed(needed: Iterable[str], tensors: Mapping[str, Tensor], parts: Parts) -> Renamed:
    """The tensors that a network needs, under its names.

    Raises:
        ModelError: Some are missing from the checkpoint, or some of its are of no use.
    """
    sources = {name: source_of(name, parts) for name in needed}
    refuse_missing(sorted({name for name in sources.values() if name not in tensors}))
    refuse_extra(sorted(tensors.keys() - set(sources.values())))
    ready = {name: _taken(name, tensors[source], parts) for name, source in sources.items()}
    return Renamed(ready, sources.__getitem__)


def source_of(name: str, parts: Mapping[str, Part]) -> str:
    """What the checkpoint calls a tensor of the network."""
    part, _, kind = name.rpartition(".")
    return f"{parts[part].source}.{kind}" if part in parts else name


def _taken(name: str, tensor: Tensor, parts: Parts) -> Tensor:
    part = name.rpartition(".")[0]
    return parts[part].take(tensor) if part in parts else tensor


def whole(tensor: Tensor) -> Tensor:
    """The tensor as it is."""
    return tensor


def matrix(tensor: Tensor) -> Tensor:
    """The weight of a 1×1 convolution, (out, in, 1, …), as that of a linear layer, (out, in)."""
    if tensor.ndim > 2 and all(side == 1 for side in tensor.shape[2:]):
        return tensor.reshape(tensor.shape[:2])
    return tensor


def third(index: int, heads: int) -> Callable[[Tensor], Tensor]:
    """Queries (0), keys (1) or values (2) of a joint projection.

    Args:
        index: Which of the three.
        heads: Of how many heads the rows are sorted by head first, then into the three; 1 where
            they are sorted into the three first.
    """

    def take(tensor: Tensor) -> Tensor:
        rows = tensor.shape[0] if tensor.ndim else 0
        if rows == 0 or rows % (3 * heads):
            return tensor
        sorted_rows = tensor.reshape(heads, 3, rows // (3 * heads), *tensor.shape[1:])
        return matrix(sorted_rows[:, index].reshape(rows // 3, *tensor.shape[1:]))

    return take


def plain(pairs: Mapping[str, str]) -> Parts:
    """Parts that only have other names, by diffusers' names."""
    return {target: Part(source, whole) for target, source in pairs.items()}


def under(target: str, source: str, pairs: Mapping[str, str]) -> Parts:
    """Parts of a block that only have other names."""
    return plain({f"{target}.{ours}": f"{source}.{theirs}" for ours, theirs in pairs.items()})


def count(names: Collection[str], pattern: str) -> int:
    """How many names there are of a pattern with a number in it, from 0 without a gap.

    Args:
        names: Of tensors.
        pattern: Such as ``down.{}.block.0.conv1.weight``.

    Raises:
        ModelError: There is a gap.
    """
    found = 0
    while pattern.format(found) in names:
        found += 1
    if pattern.format(found + 1) in names:
        refuse_missing([pattern.format(found)])
    return found
