"""Reading weights safely, and checking that they are the ones the network needs.

safetensors files hold nothing but tensors. ``.bin`` files are pickles: torch reads them with
``weights_only=True``, which builds tensors and containers and runs nothing from the file.
"""

from __future__ import annotations

import json
import math
import zipfile
from typing import TYPE_CHECKING, NamedTuple

from ddim_studio.models.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor

MAX_HEADER_BYTES = 100_000_000
MAX_INFLATION = 4
AGAIN = "Copy or download the model again."


class TensorHeader(NamedTuple):
    """What a file says of a tensor before it is read."""

    shape: tuple[int, ...]
    dtype: str


def safetensors_header(path: Path) -> dict[str, TensorHeader]:
    """Names, shapes and types of the tensors in a safetensors file, without torch.

    Raises:
        ModelError: The file is no safetensors file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(MAX_HEADER_BYTES, path.stat().st_size):
                raise _damaged(path)
            entries = json.loads(file.read(length))
        return {
            name: TensorHeader(tuple(map(int, entry["shape"])), str(entry["dtype"]))
            for name, entry in entries.items()
            if name != "__metadata__"
        }
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path.name} is damaged: its list of tensors cannot be read.", AGAIN)


def read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a weights file, on the CPU.

    Raises:
        ModelError: The file is damaged, holds anything but tensors, or would unpack to far more
            than its size.
    """
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickled(path)
    for name, tensor in tensors.items():
        if tensor.numel() * tensor.element_size() > path.stat().st_size:
            raise ModelError(
                f"{path.name} is damaged: {name} claims to be larger than the whole file.", AGAIN
            )
    return tensors


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path.name} is damaged or cut short.", AGAIN) from error


def _read_pickled(path: Path) -> dict[str, Tensor]:
    import torch

    _check_archive(path)
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises nearly anything for a bad file
        raise ModelError(
            f"{path.name} is not a file of plain tensors, or is damaged; nothing in it was run.",
            "Ask for the model as .safetensors.",
        ) from error
    if not isinstance(values, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in values.items()
    ):
        raise ModelError(f"{path.name} does not hold a plain list of named tensors.")
    return values


def _check_archive(path: Path) -> None:
    """Refuse an archive that inflates to far more than its size."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return  # the old format, which is not compressed, or no model at all: torch will say
    if unpacked > MAX_INFLATION * path.stat().st_size + 1_000_000:
        raise ModelError(f"{path.name} would unpack to {unpacked / 1e6:.0f} MB: it is refused.")


def check_fit(network: torch.nn.Module, tensors: dict[str, Tensor]) -> None:
    """Raise unless the tensors are exactly those that the network needs, all finite.

    Raises:
        ModelError: Tensors are missing or left over, have other shapes, or hold NaN or infinity.
    """
    needed = network.state_dict()
    missing, extra = sorted(needed.keys() - tensors.keys()), sorted(tensors.keys() - needed.keys())
    if missing:
        raise ModelError(
            f"The weights are incomplete: {_named(missing)} missing from the file.",
            "The config and the weights may belong to different models.",
        )
    if extra:
        raise ModelError(
            f"The weights do not fit the config: {_named(extra)} not part of this network.",
            "The config and the weights may belong to different models.",
        )
    for name, wanted in needed.items():
        _check_tensor(name, tensors[name], tuple(wanted.shape))


def _check_tensor(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != shape:
        raise ModelError(
            f"The weights do not fit the config: {name} is {_shown(tuple(tensor.shape))}, "
            f"the network needs {_shown(shape)}.",
            "The config and the weights may belong to different models.",
        )
    if not tensor.dtype.is_floating_point:
        raise ModelError(f"The weights are damaged: {name} is not made of real numbers.", AGAIN)
    if not math.isfinite(float(tensor.float().sum())) and not bool(tensor.isfinite().all()):
        raise ModelError(f"The weights are damaged: {name} holds NaN or infinite values.", AGAIN)


def _named(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{len(names)} tensors ({names[0]}, …) are"


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
