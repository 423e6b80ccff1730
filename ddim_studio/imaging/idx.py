"""IDX files, as MNIST and its relatives come in: a header, then bytes.

The format is that of Yann LeCun's MNIST page: two zero bytes, the type of the values, the number
of dimensions, and every dimension as a big-endian 32-bit integer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.unpacking import damaged, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ddim_studio.imaging.unpacking import Unpacked

IDX_MAGIC = b"\x00\x00"
_BYTES = 0x08
_TYPES = {0x09, 0x0B, 0x0C, 0x0D, 0x0E}
_MOST_SIDE = 8_000
_CHUNK = 1_000_000


def read_idx(path: Path) -> NDArray[np.uint8]:
    """All values of an IDX file of bytes, plain or compressed.

    Returns:
        An array of as many dimensions as the file has: (N,) of labels, (N, H, W) of images.

    Raises:
        ImageError: It is missing, no such file, damaged, or holds less than it claims.
    """
    with unpacked(path) as stream:
        shape = idx_shape(stream)
        values = b"".join(_exactly(stream, math.prod(shape)))
        stream.read(1)  # at the end of a compressed file its checksum is compared
    return np.frombuffer(values, np.uint8).reshape(shape)


def idx_shape(stream: Unpacked) -> tuple[int, ...]:
    """Read the header, and leave the stream at the first value.

    Raises:
        ImageError: The file is no IDX file, or not one of bytes.
    """
    head = stream.read(4)
    if len(head) < 4 or not head.startswith(IDX_MAGIC) or not 1 <= head[3] <= 4:
        raise ImageError(f"{stream.name} is not an IDX file: choose one as of MNIST.")
    if head[2] != _BYTES:
        kind = "other values than bytes" if head[2] in _TYPES else "values of an unknown type"
        raise ImageError(f"{stream.name} holds {kind}: choose an IDX file of images.")
    sides = stream.read(4 * head[3])
    if len(sides) < 4 * head[3]:
        raise ImageError(damaged(stream.name))
    return tuple(int(side) for side in np.frombuffer(sides, ">u4"))


def image_count(stream: Unpacked) -> tuple[int, int, int]:
    """Read the header of a file of grey images: their number, height and width.

    Raises:
        ImageError: The file holds something else, or images without pixels or larger than 8000.
    """
    shape = idx_shape(stream)
    if len(shape) == 1:
        raise ImageError(
            f"{stream.name} holds labels, not images: choose the file with images in its name."
        )
    if len(shape) != 3 or not all(1 <= side <= _MOST_SIDE for side in shape[1:]):
        shown = "×".join(map(str, shape))
        raise ImageError(f"{stream.name} claims to hold {shown} values: choose a file of images.")
    count, height, width = shape
    return count, height, width


def image_at(stream: Unpacked, position: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Read the image that begins at a position.

    Args:
        stream: Of a file of images.
        position: In bytes from the start of the stream.
        size: Height and width.

    Raises:
        ImageError: The file ends before or in it.
    """
    if stream.tell() != position:
        stream.seek(position)
    return np.frombuffer(b"".join(_exactly(stream, math.prod(size))), np.uint8).reshape(size)


def _exactly(stream: Unpacked, count: int) -> Iterator[bytes]:
    """The next bytes in pieces, so that no more memory is taken than the file fills."""
    while count:
        piece = stream.read(min(count, _CHUNK))
        if not piece:
            raise ImageError(
                f"{stream.name} holds less than it claims: get the file again, complete."
            )
        count -= len(piece)
        yield piece
