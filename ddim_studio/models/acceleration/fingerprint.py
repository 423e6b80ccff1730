"""By what a network's graph is found again: its weights, its build, and the programs in between."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from typing import TYPE_CHECKING

from ddim_studio.models.acceleration.precision import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddim_studio.models.model import Model

LAYOUT = 1
"""Counts up when graphs are made in another way."""


def key_of(model: Model) -> str:
    """A key that changes with everything that the graph depends on.

    These are all weights and buffers, how the network is built (its modules, its config, the heads
    of its attentions), what timesteps are multiplied with, and the versions of the packages that
    trace and read it. The precision is not among them: one graph serves both.
    """
    found = hashlib.sha256()
    for part in _parts(model):
        found.update(part)
        found.update(b"\0")
    return found.hexdigest()[:40]


def _parts(model: Model) -> Iterator[bytes | memoryview]:
    packages = (PACKAGE, "torch", "diffusers")
    versions = [importlib.metadata.version(package) for package in packages]
    shape, scale = list(model.image_shape), model.time_scale
    yield json.dumps([LAYOUT, versions, shape, model.classes, scale]).encode()
    network = model.unet
    yield repr(network).encode()
    yield repr(sorted(dict(getattr(network, "config", {})).items(), key=str)).encode()
    for name, module in network.named_modules():
        for trait in ("heads", "scale"):
            value = getattr(module, trait, None)
            if isinstance(value, int | float):
                yield f"{name}.{trait}={value}".encode()
    for name, tensor in network.state_dict().items():
        yield f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode()
        yield memoryview(tensor.contiguous().numpy()).cast("B") if tensor.numel() else b""
