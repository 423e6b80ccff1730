"""An ``.npz`` whose large array comes piece by piece; the same arrays give the same bytes."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib import format as npy

from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, DTypeLike

LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that two archives of the same arrays are equal."""


def write_npz(
    path: Path,
    name: str,
    *,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    parts: Iterable[bytes],
    small: Mapping[str, ArrayLike],
) -> None:
    """Write an uncompressed archive in constant memory, all of it or nothing.

    Args:
        path: The archive, replaced if it exists.
        name: The large array.
        shape: Its shape.
        dtype: Its type.
        parts: Its bytes in C order.
        small: The other arrays, numbers and texts by name.

    Raises:
        OSError: The disk is full.
        ValueError: The parts are not as long as the array is.
    """
    kind = np.dtype(dtype)
    left = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, allowZip64=True) as archive,
    ):
        with archive.open(_member(name), "w", force_zip64=True) as stream:
            header = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
            npy.write_array_header_1_0(stream, header)
            for part in parts:
                stream.write(part)
                left -= len(part)
        if left:
            raise ValueError(f"The parts of {name!r} lack {left} bytes of the array.")
        for other, value in small.items():
            archive.writestr(_member(other), _npy(value))


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(f"{name}.npy", LONG_AGO)
    member.external_attr = 0o644 << 16
    return member


def _npy(value: ArrayLike) -> bytes:
    stream = io.BytesIO()
    npy.write_array(stream, np.asanyarray(value), allow_pickle=False)
    return stream.getvalue()
