"""Reading what a compressed file holds, without letting it grow beyond bounds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.files import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_MEMBER_BYTES = 256_000_000
"""The largest picture file that is read: 64 megapixels in colour, uncompressed, take 192 MB."""

MAX_INFLATION = 200
INFLATION_SLACK = 1_000_000_000

UNPACKING_ERRORS = (EOFError, OSError, zlib.error, lzma.LZMAError)
"""What the decompressors raise for damaged files; the readers of gzip and bzip2 raise OSError."""

_READERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}


class Unpacked:
    """A stream whose reads and positions are bounded, whatever the file claims.

    Args:
        stream: What the file unpacks to.
        name: The file's name, for messages.
        most: How many bytes it can hold: the file's size, or `largest_content` if compressed.
        compressed: Whether it is.
    """

    def __init__(self, stream: IO[bytes], name: str, most: int, *, compressed: bool) -> None:
        self._stream = stream
        self._compressed = compressed
        self.name = name
        self.most = most

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes; fewer only at the end of the file.

        Raises:
            ImageError: More is asked for at once than any picture needs: the file is damaged.
        """
        if not 0 <= size <= MAX_MEMBER_BYTES:
            raise ImageError(damaged(self.name))
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        """Go to a position, in bytes from the start.

        Raises:
            ImageError: The file ends before, or would unpack to far more than its size.
        """
        if not 0 <= position <= self.most:
            raise ImageError(inflated(self.name) if self._compressed else damaged(self.name))
        return self._stream.seek(position)

    def tell(self) -> int:
        """The position, in bytes from the start."""
        return self._stream.tell()


def largest_content(path: Path) -> int:
    """How many bytes a file may unpack to: 200 times its size, and a gigabyte."""
    return MAX_INFLATION * path.stat().st_size + INFLATION_SLACK


def inflated(name: str) -> str:
    """The message about a file that unpacks to more than `largest_content`."""
    return f"{name} would unpack to far more than its size: choose another file."


def damaged(name: str) -> str:
    """The message about a file that cannot be read to its end."""
    return f"{name} is damaged or cut short: get the file again, or choose another one."


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """Open a file, decompressed if its first bytes say gzip, bzip2 or xz.

    Raises:
        ImageError: It is missing or cannot be read, is damaged, or unpacks to far more than its
            size. Damage that shows only while reading is reported within the block.
    """
    with opened(path, "a folder, an archive or an IDX file") as stream:
        head = stream.read(6)
        stream.seek(0)
        readers = [reader for magic, reader in _READERS.items() if head.startswith(magic)]
        content = readers[0](stream) if readers else stream
        try:
            size = largest_content(path) if readers else path.stat().st_size
            yield Unpacked(content, path.name, size, compressed=bool(readers))
        except UNPACKING_ERRORS as error:
            raise ImageError(damaged(path.name)) from error
