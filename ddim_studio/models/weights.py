"""Reading weights safely, and checking that they are the ones the network needs.

safetensors files hold nothing but tensors. The others are pickles: torch reads them with
``weights_only=True``, which builds tensors and containers and runs nothing from the file.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.legacy import current_names
from ddim_studio.models.pickle_scan import (
    check_bare_pickle,
    check_zipped_pickle,
    holds_objects,
)
from ddim_studio.models.sniffing import (
    AGAIN,
    check_archive,
    damaged,
    holds_safetensors,
    is_zip,
    refuse_other_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch
    from torch import Tensor

MISMATCH = "The config and the weights may belong to different models."
OBJECT = re.compile(r"GLOBAL (\S+)")
"""How torch says what a file asks Python for."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a file that holds nothing else, on the CPU.

    Raises:
        ModelError: The file is damaged, holds anything but tensors, or would unpack to far more
            than its size.
    """
    refuse_other_files(path)
    if holds_safetensors(path):
        tensors = read_safetensors(path)
    else:
        values = read_pickled(path)
        if not is_state_dict(values):
            raise ModelError(
                f"{excerpt(path.name)} does not hold a plain list of named tensors.",
                "Give the file with the weights of the network.",
            )
        tensors = values
    check_claim(path, tensors)
    return tensors


def lists_first(path: Path) -> bool:
    """Whether a file tells what its tensors are before all of their numbers are read.

    Raises:
        ModelError: The file is none of weights.
    """
    refuse_other_files(path)
    if holds_safetensors(path):
        return True
    if is_zip(path):
        return check_archive(path)
    check_bare_pickle(path)
    return False


def check_claim(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that take more room than the file that they come from.

    Raises:
        ModelError: They do.
    """
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed > path.stat().st_size:
        raise ModelError(
            f"{excerpt(path.name)} is damaged: its tensors claim to be larger than the whole file.",
            AGAIN,
        )


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, mapped into memory, not read yet.

    Raises:
        ModelError: It is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{excerpt(path.name)} is damaged or cut short.", AGAIN) from error


def read_pickled(path: Path) -> Any:  # noqa: ANN401 (whatever containers the file holds)
    """Tensors, plain values and containers of them, from a file that torch wrote.

    The tensors are mapped into memory where the file allows that, not read yet.

    Raises:
        ModelError: The file is damaged, or holds anything else.
    """
    import torch

    zipped = is_zip(path)
    mapped = zipped and check_archive(path)
    (check_zipped_pickle if zipped else check_bare_pickle)(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old pickles; they are torch's words
            return _own(torch.load(path, map_location="cpu", weights_only=True, mmap=mapped))
    except Exception as error:  # torch raises nearly anything for a bad file
        if "nsupported" not in str(error):
            raise damaged(path) from error
        asked = OBJECT.search(str(error))
        raise holds_objects(path, asked[1] if asked else "") from error


def _own(values: object, depth: int = 2) -> Any:  # noqa: ANN401 (whatever containers the file holds)
    """The same containers and tensors without what a file may have hung on them.

    A file can give a dictionary or a tensor attributes that hide their methods.
    """
    import torch

    if isinstance(values, torch.Tensor):
        return torch.Tensor.detach(values)
    if isinstance(values, dict) and depth:
        return {key: _own(value, depth - 1) for key, value in dict.items(values)}
    if isinstance(values, list | tuple) and depth:
        return [_own(value, depth - 1) for value in values]
    return values


def is_state_dict(values: object) -> bool:
    """Whether it is a dictionary of named plain tensors and nothing else."""
    return isinstance(values, dict) and all(
        isinstance(name, str) and _is_plain(value) for name, value in values.items()
    )


def _is_plain(value: object) -> bool:
    """Whether it is a tensor of stored numbers, not sparse, quantised, nested or on no device."""
    import torch

    return (
        isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not (value.is_quantized or value.is_nested)
    )


def fitted(
    network: torch.nn.Module,
    tensors: Mapping[str, Tensor],
    shown: Callable[[str], str] = str,
) -> dict[str, Tensor]:
    """The tensors as the network's own state: its names, its shapes, float32, all finite.

    They are copies: those of a safetensors file are the file itself mapped into memory, and a
    file that is overwritten while it is mapped ends the program.

    Args:
        network: What they are for.
        tensors: By the network's names, or those that diffusers had for them before.
        shown: What the file calls a tensor of the network.

    Raises:
        ModelError: Tensors are missing or left over, have other shapes, or hold NaN or infinity.
    """
    needed = network.state_dict()
    names = current_names(tensors, needed)
    missing, extra = sorted(needed.keys() - names.keys()), sorted(names.keys() - needed.keys())
    refuse_missing([shown(name) for name in missing])
    refuse_extra(extra)
    return {
        name: _as_float32(shown(name), tensors[names[name]], tuple(wanted.shape))
        for name, wanted in needed.items()
    }


def refuse_missing(names: list[str]) -> None:
    """Raise if there are names of tensors that the file lacks."""
    if names:
        raise ModelError(
            f"The weights are incomplete: {_named(names)} missing from the file.", MISMATCH
        )


def refuse_extra(names: list[str]) -> None:
    """Raise if there are names of tensors that the network has no use for."""
    if names:
        raise ModelError(
            f"The weights do not fit the config: {_named(names)} not part of this network.",
            MISMATCH,
        )


def _as_float32(name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    import torch

    if tuple(tensor.shape) != shape:
        raise ModelError(
            f"The weights do not fit the config: {excerpt(name)} is {_shown(tuple(tensor.shape))}, "
            f"the network needs {_shown(shape)}.",
            MISMATCH,
        )
    if tensor.dtype not in {torch.float16, torch.bfloat16, torch.float32, torch.float64}:
        raise ModelError(
            f"The weights cannot be used: {excerpt(name)} is "
            f"{str(tensor.dtype).removeprefix('torch.')}, "
            "not made of half, single or double precision numbers.",
            "Save the network in one of these precisions.",
        )
    values = tensor.detach().to(torch.float32, copy=True)
    # A sum costs less than asking every element, but may overflow where all are finite.
    if not bool(values.sum().isfinite()) and not bool(values.isfinite().all()):
        raise ModelError(
            f"The weights are damaged: {excerpt(name)} holds NaN or infinite values.", AGAIN
        )
    return values


def _named(names: list[str]) -> str:
    if len(names) == 1:
        return f"{excerpt(names[0])} is"
    return f"{len(names)} tensors ({excerpt(names[0])}, …) are"


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
