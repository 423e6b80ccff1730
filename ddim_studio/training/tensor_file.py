"""Writing safetensors files piece by piece.

The library's own writer makes a temporary file of its own, which a kill would leave behind, and
says what went wrong with the disk in words only. The format is simple: the length of a header, the
header as JSON, and the bytes of the tensors one after another.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

_ALIGNMENT = 8
_NAMES = {torch.float32: "F32", torch.float16: "F16"}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors under their names.

    Args:
        path: The file, replaced if it exists.
        tensors: Each float32 or float16, on any device.
        metadata: Texts by name, kept with them.

    Raises:
        OSError: The file cannot be written.
        ValueError: A tensor is neither float32 nor float16.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        if tensor.dtype not in _NAMES:
            raise ValueError(f"{name} must be float32 or float16, not {tensor.dtype}.")
        start, end = end, end + tensor.element_size() * tensor.numel()
        header[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(_bytes(tensor))


def checksum(tensors: Mapping[str, Tensor]) -> int:
    """A checksum of names, shapes and bytes, the same in whatever order they come."""
    found = 0
    for name in sorted(tensors):
        found = zlib.crc32(f"{name} {tuple(tensors[name].shape)}".encode(), found)
        found = zlib.crc32(_bytes(tensors[name]), found)
    return found


def _bytes(tensor: Tensor) -> memoryview:
    values = tensor.detach().cpu().contiguous().reshape(-1).numpy()
    little = values.dtype.newbyteorder("<")
    return values.astype(little, copy=False).view(np.uint8).data
