"""The list of tensors at the beginning of a safetensors file, read and checked without torch."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.folder import entries_once
from ddim_studio.models.sniffing import AGAIN, refuse_other_files

if TYPE_CHECKING:
    from pathlib import Path

MAX_HEADER_BYTES: Final = 10_000_000
MAX_TENSORS: Final = 20_000
MAX_DIMENSIONS: Final = 16
BITS: Final = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "U16": 16,
    "I16": 16,
    "F16": 16,
    "BF16": 16,
    "U32": 32,
    "I32": 32,
    "F32": 32,
    "U64": 64,
    "I64": 64,
    "F64": 64,
    "C64": 64,
}
"""How large a number of each type is."""


class TensorHeader(NamedTuple):
    """What a file says of a tensor before it is read."""

    shape: tuple[int, ...]
    dtype: str


def safetensors_header(path: Path) -> dict[str, TensorHeader]:
    """Names, shapes and types of the tensors in a safetensors file, without torch.

    Raises:
        ModelError: The file is no safetensors file, or is cut short.
    """
    refuse_other_files(path)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            room = path.stat().st_size - 8 - length
            if not 2 <= length <= MAX_HEADER_BYTES or room < 0:
                raise _damaged(path, f"its list of tensors cannot have {length} bytes")
            text = file.read(length)
    except OSError as error:
        raise ModelError(f"{excerpt(path.name)} cannot be read: {error.strerror}.") from error
    try:
        entries = json.loads(text, object_pairs_hook=entries_once(path.name))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its list of tensors cannot be read") from error
    if not isinstance(entries, dict):
        raise _damaged(path, "its list of tensors is none")
    entries.pop("__metadata__", None)
    if len(entries) > MAX_TENSORS:
        raise _damaged(path, f"it lists {len(entries)} tensors, far more than a network has")
    spans = [_span(path, name, entry) for name, entry in entries.items()]
    _check_spans(path, sorted(spans), room)
    return {
        name: TensorHeader(tuple(entry["shape"]), entry["dtype"]) for name, entry in entries.items()
    }


def _span(path: Path, name: str, entry: Any) -> tuple[int, int]:  # noqa: ANN401 (whatever JSON holds)
    """Where the numbers of a tensor begin and end."""
    match entry:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [int(start), int(end)]}:
            whole = all(type(side) is int and side >= 0 for side in shape)
        case _:
            raise _damaged(path, f"its entry {excerpt(name)} is no tensor")
    if kind not in BITS:
        raise ModelError(
            f"{excerpt(path.name)} has numbers of a type {excerpt(kind)}, which is not known.",
            "Save the network in half, single or double precision.",
        )
    if not whole or len(shape) > MAX_DIMENSIONS:
        raise _damaged(path, f"{excerpt(name)} has no possible shape")
    if math.prod(shape) * BITS[kind] != 8 * (end - start):
        raise _damaged(path, f"{excerpt(name)} has another size than its shape says")
    return start, end


def _check_spans(path: Path, spans: list[tuple[int, int]], room: int) -> None:
    """Raise unless the numbers of all tensors follow one another up to the end of the file."""
    needed = max((end for _, end in spans), default=0)
    if needed > room:
        raise ModelError(
            f"{excerpt(path.name)} is damaged or cut short: it lacks {needed - room} bytes.", AGAIN
        )
    ends = [0, *(end for _, end in spans)]
    if any(start != end for (start, _), end in zip(spans, ends, strict=False)) or needed < room:
        raise _damaged(path, "its tensors overlap, or something stands between or after them")


def _damaged(path: Path, reason: str) -> ModelError:
    return ModelError(f"{excerpt(path.name)} is damaged: {reason}.", AGAIN)
