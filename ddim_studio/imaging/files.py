"""Opening a file that the user named."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from ddim_studio.imaging.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opened(path: Path, wanted: str) -> Iterator[IO[bytes]]:
    """Open a file for reading.

    Args:
        path: The file.
        wanted: What should be chosen instead, such as "an image".

    Raises:
        ImageError: It is missing, is a folder or a device, or cannot be read.
    """
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder: choose {wanted} in it.")
        if not path.exists():
            raise ImageError(f"There is no file {path}: check the name.")
        if not path.is_file():  # a pipe or a device could be read for ever
            raise ImageError(f"{path} is not a file: choose {wanted}.")
        stream = path.open("rb")
    except OSError as error:
        raise ImageError(
            f"{path.name} cannot be read ({error.strerror}): check its permissions."
        ) from error
    with stream:
        yield stream
