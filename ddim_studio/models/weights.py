"""Reading weights safely, and checking that they are the ones the network needs.

safetensors files hold nothing but tensors. ``.bin`` files are pickles: torch reads them with
``weights_only=True``, which builds tensors and containers and runs nothing from the file.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

from ddim_studio.models.errors import ModelError, excerpt

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    import torch
    from torch import Tensor

MAX_HEADER_BYTES = 10_000_000
MAX_INFLATION = 4
AGAIN = "Copy or download the model again."
MISMATCH = "The config and the weights may belong to different models."
OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""What diffusers called the parts of attention until 2023; many published models still do."""


class TensorHeader(NamedTuple):
    """What a file says of a tensor before it is read."""

    shape: tuple[int, ...]
    dtype: str


def safetensors_header(path: Path) -> dict[str, TensorHeader]:
    """Names, shapes and types of the tensors in a safetensors file, without torch.

    Raises:
        ModelError: The file is no safetensors file, or is cut short.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            room = path.stat().st_size - 8 - length
            if not 2 <= length <= MAX_HEADER_BYTES or room < 0:
                raise _damaged(path)
            entries = json.loads(file.read(length))
        return {
            name: _tensor_header(entry, room)
            for name, entry in entries.items()
            if name != "__metadata__"
        }
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path) from error


def _tensor_header(entry: dict[str, Any], room: int) -> TensorHeader:
    shape, (_, end) = tuple(entry["shape"]), entry["data_offsets"]
    if not all(type(side) is int and side >= 0 for side in shape) or end > room:
        raise ValueError
    return TensorHeader(shape, str(entry["dtype"]))


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path.name} is damaged: its list of tensors cannot be read.", AGAIN)


def read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a weights file, on the CPU.

    Raises:
        ModelError: The file is damaged, holds anything but tensors, or would unpack to far more
            than its size.
    """
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickled(path)
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed > path.stat().st_size:
        raise ModelError(
            f"{path.name} is damaged: its tensors claim to be larger than the whole file.", AGAIN
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
        isinstance(name, str) and _is_plain(value) for name, value in values.items()
    ):
        raise ModelError(f"{path.name} does not hold a plain list of named tensors.")
    return values


def _is_plain(value: object) -> bool:
    """Whether it is a tensor of stored numbers, not sparse, quantised, nested or on no device."""
    import torch

    return (
        isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not (value.is_quantized or value.is_nested)
    )


def _check_archive(path: Path) -> None:
    """Refuse an archive that inflates to far more than its size."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # the old format, which is not compressed, or no model at all: torch will say
    if unpacked > MAX_INFLATION * path.stat().st_size + 1_000_000:
        raise ModelError(f"{path.name} would unpack to {unpacked / 1e6:.0f} MB: it is refused.")


def fitted(network: torch.nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as the network's own state: its names, its shapes, float32, all finite.

    They are copies: those of a safetensors file are the file itself mapped into memory, and a
    file that is overwritten while it is mapped ends the program.

    Raises:
        ModelError: Tensors are missing or left over, have other shapes, or hold NaN or infinity.
    """
    needed = network.state_dict()
    given = {_current_name(name, needed, tensors): tensor for name, tensor in tensors.items()}
    missing, extra = sorted(needed.keys() - given.keys()), sorted(given.keys() - needed.keys())
    if missing:
        raise ModelError(
            f"The weights are incomplete: {_named(missing)} missing from the file.", MISMATCH
        )
    if extra:
        raise ModelError(
            f"The weights do not fit the config: {_named(extra)} not part of this network.",
            MISMATCH,
        )
    return {
        name: _as_float32(name, given[name], tuple(wanted.shape)) for name, wanted in needed.items()
    }


def _current_name(name: str, needed: Container[str], given: Container[str]) -> str:
    """What diffusers calls a tensor today."""
    owner, _, kind = name.rpartition(".")
    block, _, part = owner.rpartition(".")
    current = f"{block}.{OLD_ATTENTION.get(part, part)}.{kind}"
    return current if current in needed and current not in given else name


def _as_float32(name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    import torch

    if tuple(tensor.shape) != shape:
        raise ModelError(
            f"The weights do not fit the config: {name} is {_shown(tuple(tensor.shape))}, "
            f"the network needs {_shown(shape)}.",
            MISMATCH,
        )
    if tensor.dtype not in {torch.float16, torch.bfloat16, torch.float32, torch.float64}:
        raise ModelError(
            f"The weights cannot be used: {name} is {str(tensor.dtype).removeprefix('torch.')}, "
            "not made of half, single or double precision numbers."
        )
    values = tensor.detach().to(torch.float32, copy=True)
    # A sum costs less than asking every element, but may overflow where all are finite.
    if not bool(values.sum().isfinite()) and not bool(values.isfinite().all()):
        raise ModelError(f"The weights are damaged: {name} holds NaN or infinite values.", AGAIN)
    return values


def _named(names: list[str]) -> str:
    if len(names) == 1:
        return f"{excerpt(names[0])} is"
    return f"{len(names)} tensors ({excerpt(names[0])}, …) are"


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
