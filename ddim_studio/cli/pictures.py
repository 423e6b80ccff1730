"""Pictures that a command line names: found, opened and fitted to a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from PIL import ImageColor

from ddim_studio.cli.terminal import tell
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.loading import Fit, fit_image, open_image
from ddim_studio.jobs.orders import ImageInput

if TYPE_CHECKING:
    from collections.abc import Sequence

Colour = tuple[int, int, int]

FITS: tuple[Fit, ...] = get_args(Fit)
PICTURE_SUFFIXES = {
    *(".png", ".apng", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".ico", ".jp2", ".avif"),
}
"""Which files of a folder are taken for pictures."""
MOST_NOTES = 8


def read_background(text: str) -> Colour:
    """A colour as people type it: ``R,G,B``, a name, or ``#rrggbb``.

    Raises:
        SettingsError: It is none of these.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 3 and all(re.fullmatch(r"[0-9]{1,3}", part) for part in parts):
        red, green, blue = map(int, parts)
        if max(red, green, blue) <= 255:
            return red, green, blue
    name = text.strip().lower()
    if name in ImageColor.colormap or re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", name):
        found = ImageColor.getrgb(name)
        return found[0], found[1], found[2]
    raise SettingsError(
        "background",
        "background must be R,G,B with each from 0 to 255, or the name of a colour such as white, "
        f"not {text!r}.",
    )


def picture_paths(words: Sequence[str]) -> list[Path]:
    """The files that are meant: of a folder all pictures in it, by name.

    Raises:
        ImageError: A folder has no pictures, or cannot be read.
    """
    return [path for word in words for path in _meant(Path(word))]


def _meant(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        found = sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in PICTURE_SUFFIXES
            and not file.name.startswith(".")
            and not file.is_dir()
        )
    except OSError as error:
        raise ImageError(
            f"The folder {path} cannot be read ({error.strerror}): check its permissions."
        ) from error
    if not found:
        raise ImageError(f"There is no picture in the folder {path}: name another, or a file.")
    return found


def read_pictures(
    paths: Sequence[Path],
    image_shape: tuple[int, int, int],
    fit: Fit,
    background: Colour,
    *,
    quiet: bool = False,
) -> tuple[ImageInput, ...]:
    """Open pictures and fit them to a model; say of those that were changed, how.

    Args:
        paths: The files.
        image_shape: (C, H, W) of the model.
        fit: What to do with pictures that are not square.
        background: Under transparency and beside padding.
        quiet: Whether to say nothing.

    Raises:
        ImageError: One cannot be opened, or the model's images are not square.
    """
    channels, height, width = image_shape
    if height != width:
        raise ImageError(
            f"Pictures cannot be fitted to images of {width}×{height}: choose another model."
        )
    untouched = f"{width}×{height} grey, to" if channels == 1 else f"{width}×{height} RGB, to"
    inputs, notes = [], []
    for path in paths:
        fitted = fit_image(open_image(path), channels, height, fit, background)
        inputs.append(ImageInput(fitted.pixels, label=path.name))
        if not fitted.note.startswith(untouched):
            notes.append(f"{path.name}: {fitted.note}")
    if not quiet:
        _tell_notes(notes)
    return tuple(inputs)


def _tell_notes(notes: Sequence[str]) -> None:
    for note in notes[:MOST_NOTES]:
        tell(note)
    if len(notes) > MOST_NOTES:
        tell(f"… and {len(notes) - MOST_NOTES} more pictures were fitted to the model.")
