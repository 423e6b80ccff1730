"""Animations: GIF, animated PNG, animated WebP and MP4, chosen by the suffix of the file."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ddim_studio.imaging.apng import ApngWriter
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.pixels import to_image
from ddim_studio.imaging.video import film
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from os import PathLike

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Show = Callable[[Pixels, float, float], None]
    """Appends a picture that is seen from one time to another, in seconds."""

LOWEST_RATE = 0.01
"""The fewest frames per second of any animation."""

_DESCRIPTION = 0x010E
"""The EXIF tag ImageDescription, where a WebP carries the settings."""


@dataclass(frozen=True)
class _Options:
    fps: float
    loop: bool
    settings_json: str | None


@dataclass(frozen=True)
class _Format:
    """What a suffix stands for, the longest side in pixels, and the highest rate in frames/s."""

    encoder: Callable[[Path, _Options], AbstractContextManager[Show]]
    max_side: int
    max_fps: float = 120.0


def write_animation(
    path: str | PathLike[str],
    frames: Iterable[Pixels],
    fps: float = 12.0,
    hold_last: float = 1.0,
    *,
    loop: bool = True,
    settings_json: str | None = None,
) -> None:
    """Write an animation, in the format that the suffix names; see `animation_writer`.

    Args:
        path: The file, replaced if it exists.
        frames: Pictures of one shape (H, W, C), C = 1 or 3.
        fps: Frames per second.
        hold_last: Seconds that the last frame stays on longer than the others.
        loop: Whether it starts again at its end. Of an MP4, the player decides that.
        settings_json: The settings of the run, stored in the file.

    Raises:
        ImageError: The suffix is unknown, there are no frames, a number is out of range, or PyAV
            is missing.
        OSError: The file cannot be written; what was there before is kept.
        ValueError: A frame is not a picture, or differs in shape from the first.
    """
    with animation_writer(path, fps, hold_last, loop=loop, settings_json=settings_json) as add:
        for frame in frames:
            add(frame)


@contextmanager
def animation_writer(
    path: str | PathLike[str],
    fps: float = 12.0,
    hold_last: float = 1.0,
    *,
    loop: bool = True,
    settings_json: str | None = None,
) -> Iterator[Callable[[Pixels], None]]:
    """Yield a function that appends a frame; the file appears when the block ends without error.

    GIF shows greys exactly, and colours through a palette of 256 for each frame. PNG and WebP are
    lossless; MP4 is near to it. MP4 and PNG need the memory of a few frames only, GIF and WebP
    that of all.

    Arguments and errors are those of `write_animation`.
    """
    destination = Path(path)
    chosen = _format_of(destination)
    if not LOWEST_RATE <= fps <= chosen.max_fps:
        raise ImageError(
            f"A {destination.suffix} file plays at {LOWEST_RATE:g} to {chosen.max_fps:g} frames "
            f"per second, not at {fps:g}: choose another rate."
        )
    if not 0.0 <= hold_last <= 60.0:
        raise ImageError(f"The last frame can be held for 0 to 60 seconds, not {hold_last:g}.")
    options = _Options(fps, loop, settings_json)
    with atomic_path(destination) as temporary, chosen.encoder(temporary, options) as show:
        merger = _Merger(show, fps, chosen.max_side)
        yield merger.add
        merger.finish(hold_last)


def highest_rate(path: str | PathLike[str]) -> float:
    """The most frames per second that a file of this suffix plays at.

    Raises:
        ImageError: The suffix is unknown.
    """
    return _format_of(Path(path)).max_fps


class _Merger:
    """Shows equal neighbours as one picture, for as long as they all last."""

    def __init__(self, show: Show, fps: float, max_side: int) -> None:
        self._show = show
        self._fps = fps
        self._max_side = max_side
        self._pending: Pixels | None = None
        self._begin = 0
        self._count = 0

    def add(self, frame: Pixels) -> None:
        if self._pending is None:
            self._check_side(frame)
        elif frame.shape != self._pending.shape:
            raise ValueError(
                f"All frames need one shape, not {self._pending.shape} and {frame.shape}."
            )
        elif np.array_equal(frame, self._pending):
            self._count += 1
            return
        else:
            self._flush(hold=0.0)
        # A copy, since the caller may fill the same array with the next frame.
        self._pending = np.array(frame)
        self._count += 1

    def finish(self, hold: float) -> None:
        if self._pending is None:
            raise ImageError("There are no frames to write: run something first.")
        self._flush(hold)

    def _flush(self, hold: float) -> None:
        if self._pending is not None:
            self._show(self._pending, self._begin / self._fps, self._count / self._fps + hold)
        self._begin = self._count

    def _check_side(self, frame: Pixels) -> None:
        if max(frame.shape) > self._max_side:
            raise ImageError(
                f"Frames of {frame.shape[1]}×{frame.shape[0]} pixels are too large for this "
                f"format, which ends at {self._max_side}: write fewer images, or .png."
            )


def _format_of(path: Path) -> _Format:
    chosen = _FORMATS.get(path.suffix.lower())
    if chosen is None:
        raise ImageError(
            f"An animation is written as {', '.join(_FORMATS)}, not as {path.name!r}: "
            "choose one of these suffixes."
        )
    return chosen


def _ticks(begin: float, end: float, rate: float) -> int:
    """How many ticks lie between two times; rounding both ends keeps the sum of many exact."""
    return round(end * rate) - round(begin * rate)


@contextmanager
def _gif(path: Path, options: _Options) -> Iterator[Show]:
    pictures: list[Image.Image] = []
    durations: list[int] = []

    def show(pixels: Pixels, begin: float, end: float) -> None:
        picture = to_image(pixels)
        if picture.mode == "RGB":
            # Of Pillow's methods the closest, at noise and at a clean image; a palette for each
            # frame gains 2 to 3 dB over a shared one, and dithering would add noise of its own.
            picture = picture.quantize(256, Image.Quantize.MAXCOVERAGE)
        pictures.append(picture)
        durations.append(10 * _ticks(begin, end, 100.0))

    yield show
    extra: dict[str, object] = {"loop": 0} if options.loop else {}
    if options.settings_json is not None:
        extra["comment"] = options.settings_json.encode()
    pictures[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        **extra,
    )


@contextmanager
def _webp(path: Path, options: _Options) -> Iterator[Show]:
    pictures: list[Image.Image] = []
    durations: list[int] = []

    def show(pixels: Pixels, begin: float, end: float) -> None:
        pictures.append(to_image(pixels))
        durations.append(_ticks(begin, end, 1000.0))

    yield show
    exif = Image.Exif()
    if options.settings_json is not None:
        exif[_DESCRIPTION] = options.settings_json.encode()  # as text, Pillow would keep ASCII only
    pictures[0].save(
        path,
        format="WEBP",
        lossless=True,
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0 if options.loop else 1,
        exif=exif,
    )


@contextmanager
def _apng(path: Path, options: _Options) -> Iterator[Show]:
    with path.open("wb") as stream:
        writer = ApngWriter(stream, options.loop, options.settings_json)
        yield lambda pixels, begin, end: writer.add(pixels, _ticks(begin, end, 1000.0))
        writer.finish()


@contextmanager
def _mp4(path: Path, options: _Options) -> Iterator[Show]:
    with film(path, options.fps, options.settings_json) as add:
        yield lambda pixels, begin, end: add(pixels, _ticks(begin, end, options.fps))


_FORMATS = {
    # Viewers slow down a GIF whose frames last less than two of its ticks of 10 ms.
    ".gif": _Format(_gif, 65_535, max_fps=50.0),
    ".png": _Format(_apng, 2**31 - 1),
    ".apng": _Format(_apng, 2**31 - 1),
    ".webp": _Format(_webp, 16_383),
    ".mp4": _Format(_mp4, 8192),
}
