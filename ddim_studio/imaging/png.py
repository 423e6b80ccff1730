"""PNG files that carry the settings of the run that made them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from PIL.PngImagePlugin import PngInfo

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.files import opened
from ddim_studio.imaging.pixels import to_image
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = "ddim_studio"
MAX_SETTINGS_BYTES = 1_000_000
"""Settings are a few hundred bytes; a list of 100,000 timesteps takes 700,000."""
_FLAGS_BYTES = 1000
"""Room for what stands between the keyword of a text chunk and its text."""


def write_png(
    path: str | PathLike[str],
    pixels: NDArray[np.uint8],
    settings_json: str | None,
    dpi: int | None = None,
) -> None:
    """Write one picture, losslessly, with the settings in an iTXt chunk named ``ddim_studio``.

    Args:
        path: The file, replaced if it exists.
        pixels: Shape (H, W, C), C = 1 or 3.
        settings_json: The settings of the run, or None for a plain picture.
        dpi: Pixels per inch where it is printed, or None to leave that open.

    Raises:
        OSError: The file cannot be written; what was there before is kept.
        ValueError: ``pixels`` is not a picture.
    """
    encoded = png_bytes(pixels, settings_json, dpi)
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(encoded)


def png_bytes(
    pixels: NDArray[np.uint8], settings_json: str | None, dpi: int | None = None
) -> bytes:
    """The contents of the file that `write_png` writes.

    Raises:
        ValueError: ``pixels`` is not a picture.
    """
    picture = to_image(pixels)
    text = PngInfo()
    if settings_json is not None:
        text.add_itxt(KEYWORD, settings_json)
    size = {} if dpi is None else {"dpi": (dpi, dpi)}
    encoded = io.BytesIO()
    picture.save(encoded, format="PNG", pnginfo=text, **size)
    return encoded.getvalue()


def read_settings(path: str | PathLike[str]) -> str:
    """The settings as JSON: from a PNG made here, or the text of a ``.json`` file.

    The picture itself is not decoded, and no more than 1 MB of text is ever read.

    Raises:
        ImageError: The file is missing, is neither PNG nor JSON, is damaged, or has no settings.
    """
    file = Path(path)
    with opened(file, "a PNG or JSON file") as stream:
        if file.suffix.lower() == ".json":
            data = _bounded(stream.read(MAX_SETTINGS_BYTES + 1), file.name)
        else:
            data = _settings_chunk(stream, file.name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImageError(
            f"The settings in {file.name} are not UTF-8 text: choose another file."
        ) from None


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk: length, four-letter ``kind``, ``data`` and checksum."""
    return struct.pack(">I", len(data)) + kind + data + _checksum(kind + data)


def image_data(pixels: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """One picture as the contents of its IHDR chunk and of its IDAT chunks, joined."""
    encoded = io.BytesIO()
    to_image(pixels).save(encoded, format="PNG")
    size = encoded.tell()
    encoded.seek(len(SIGNATURE))
    header, data = b"", bytearray()
    for kind, length in _chunk_heads(encoded, size):
        if kind == b"IHDR":
            header = encoded.read(length)
        elif kind == b"IDAT":
            data += encoded.read(length)
    return header, bytes(data)


def _settings_chunk(stream: IO[bytes], name: str) -> bytes:
    """The text of the ``ddim_studio`` chunk, as bytes."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if stream.read(len(SIGNATURE)) != SIGNATURE:
        raise ImageError(f"{name} is not a PNG: choose a PNG saved by DDIM Studio or a JSON file.")
    prefix = KEYWORD.encode() + b"\0"
    for kind, length in _chunk_heads(stream, size):
        if kind == b"iTXt" and length >= len(prefix) and stream.read(len(prefix)) == prefix:
            body = stream.read(min(length - len(prefix), MAX_SETTINGS_BYTES + _FLAGS_BYTES))
            text = _bounded(_international_text(body, name), name)
            if stream.read(4) != _checksum(kind + prefix + body):
                raise _damaged(name)
            return text
    raise ImageError(f"{name} carries no settings: choose a PNG saved by DDIM Studio.")


def _chunk_heads(stream: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    """Kind and length of each chunk, with the stream placed at its data, up to the damaged end."""
    position = stream.tell()
    while position + 12 <= size:
        stream.seek(position)
        length, kind = struct.unpack(">I4s", stream.read(8))
        yield kind, length
        position += 12 + length


def _international_text(body: bytes, name: str) -> bytes:
    """What follows the keyword of an iTXt chunk: two flags, two more names, and the text."""
    parts = body[2:].split(b"\0", 2)
    if len(parts) < 3:
        raise _damaged(name)
    if body[0] == 0:
        return parts[2]
    # Other programs compress the text when they save the picture again.
    try:
        return zlib.decompressobj().decompress(parts[2], MAX_SETTINGS_BYTES + 1)
    except zlib.error:
        raise _damaged(name) from None


def _bounded(data: bytes, name: str) -> bytes:
    """The data, unless they are too many to be settings."""
    if len(data) > MAX_SETTINGS_BYTES:
        raise ImageError(
            f"The settings in {name} are over 1 MB: choose a file saved by DDIM Studio."
        )
    return data


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def _damaged(name: str) -> ImageError:
    return ImageError(f"The settings in {name} are damaged: choose another copy of the file.")
