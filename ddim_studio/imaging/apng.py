"""Animated PNG, written frame by frame: lossless, and in constant memory."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING

from ddim_studio.imaging.png import KEYWORD, SIGNATURE, chunk, image_data

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST = 65_535
_COUNT_AT = len(SIGNATURE) + 25
"""Where the acTL chunk stands: after the signature and the IHDR chunk."""


class ApngWriter:
    """Writes the frames of an animated PNG to a file as they come.

    The number of frames stands at the head of the file, so `finish` goes back and fills it in.

    Args:
        stream: An empty file, open for writing, that can seek.
        loop: Whether the animation starts again at its end.
        settings_json: Text for an iTXt chunk named ``ddim_studio``, or None.
    """

    def __init__(self, stream: IO[bytes], loop: bool, settings_json: str | None) -> None:
        self._stream = stream
        self._plays = 0 if loop else 1
        self._settings = settings_json
        self._frames = 0
        self._sequence = 0

    def add(self, pixels: NDArray[np.uint8], milliseconds: int) -> None:
        """Append a frame of shape (H, W, C) that is shown for ``milliseconds``."""
        header, data = image_data(pixels)
        if self._frames == 0:
            self._stream.write(SIGNATURE + chunk(b"IHDR", header) + self._animation_control())
            if self._settings is not None:
                text = KEYWORD.encode() + b"\0" * 5 + self._settings.encode()
                self._stream.write(chunk(b"iTXt", text))
        height, width, _ = pixels.shape
        # Delays are fractions of two 16-bit numbers: whole seconds where milliseconds overflow.
        delay = (milliseconds, 1000) if milliseconds <= _LONGEST else (milliseconds // 1000, 1)
        control = struct.pack(">5I2H2B", self._next(), width, height, 0, 0, *delay, 0, 0)
        self._stream.write(chunk(b"fcTL", control))
        if self._frames == 0:
            self._stream.write(chunk(b"IDAT", data))
        else:
            self._stream.write(chunk(b"fdAT", struct.pack(">I", self._next()) + data))
        self._frames += 1

    def finish(self) -> None:
        """Write the end of the file, and the number of frames at its head."""
        self._stream.write(chunk(b"IEND", b""))
        self._stream.seek(_COUNT_AT)
        self._stream.write(self._animation_control())

    def _animation_control(self) -> bytes:
        return chunk(b"acTL", struct.pack(">2I", self._frames, self._plays))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1
