"""A set of pictures that are read one by one, and which names in a set are pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from ddim_studio.imaging.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PIL.Image import Image

SUFFIXES = frozenset(
    [
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".gif", ".webp", ".bmp"),
        *(".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".ico", ".jp2", ".j2k", ".avif"),
    ]
)
"""The ends of names that are taken for pictures; a name without an end is as well."""


class Skipped(NamedTuple):
    """A picture that was not used.

    Attributes:
        name: Its name within the folder or archive, made fit to print.
        reason: Why, in one sentence.
    """

    name: str
    reason: str


class UnusableError(ImageError):
    """One picture of a set cannot be read; the others may be."""


@dataclass(frozen=True)
class Collection:
    """Pictures that can be read while their file is open.

    Attributes:
        kind: What they come from, such as "zip archive".
        count: How many there are.
        name: The name of each, by its number from 0; names rise with the numbers.
        read: A picture by its number: its file, the bytes of one, or the picture itself. It
            raises `UnusableError` where that one alone is bad, any other error where all is lost.
        place: Where each is stored, if reading in the order of numbers would be slow.
        skipped: What is there and by its name or nature is no picture.
    """

    kind: str
    count: int
    name: Callable[[int], str]
    read: Callable[[int], Path | bytes | Image]
    place: Callable[[int], int] | None = None
    skipped: tuple[Skipped, ...] = ()


def printable(name: str) -> str:
    """A name from anywhere, on one line and not endless."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:300])


def is_hidden(name: str) -> bool:
    """Whether the name, or that of a folder in it, begins with a dot, or is ``__MACOSX``."""
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or (part[0] == "." and part != "..") for part in parts)


def objection(name: str) -> str:
    """Why a file of this name is not read, in one sentence; empty if it is."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts:
        return "It has no name."
    if path.is_absolute() or ".." in path.parts or path.parts[0].endswith(":"):
        return "Its name leads out of the archive."
    if path.suffix and path.suffix.lower() not in SUFFIXES:
        return f"Its name ends in {printable(path.suffix)}, so it is no picture."
    return ""


def objected(names: Iterable[str]) -> tuple[Skipped, ...]:
    """Those of the names that are not read, with the reason."""
    return tuple(Skipped(printable(name), reason) for name in names if (reason := objection(name)))
