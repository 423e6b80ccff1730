"""Networks in words, and names for new models. No Qt here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.model_files import is_model
from ddim_studio.imaging.collection import SUFFIXES
from ddim_studio.storage import user_folder

if TYPE_CHECKING:
    from pathlib import Path

WIDTHS: Final = {"small": 32, "medium": 64, "large": 128}
"""Width of the first level of a network."""
OWN: Final = "own widths"
_FACTORS: Final = {1: (1,), 2: (1, 2), 3: (1, 2, 4), 4: (1, 2, 2, 4), 5: (1, 1, 2, 2, 4)}
_ENDS: Final = re.compile(r"(\.(zip|tar|tgz|gz|bz2|xz|idx|idx3-ubyte))+$", re.IGNORECASE)
SMALLEST_SIDE: Final = 4
LARGEST_SUGGESTED: Final = 64
SUGGESTED: Final = 32


def widths_of(word: str, size: int) -> tuple[int, ...]:
    """The widths of a network, level by level: more levels for larger images.

    Args:
        word: A key of `WIDTHS`.
        size: Side of the images. Every level but the first halves it, so it limits their number.
    """
    wanted = 3 if size < 48 else 4 if size < 128 else 5
    levels = max([1, *(n for n in range(2, wanted + 1) if _fits(size, n))])
    return tuple(WIDTHS[word] * factor for factor in _FACTORS[levels])


def _fits(size: int, levels: int) -> bool:
    """Whether the side can be halved so often, with a picture left to look at."""
    smallest, rest = divmod(size, 1 << (levels - 1))
    return rest == 0 and smallest >= SMALLEST_SIDE


def word_of(channels: tuple[int, ...], size: int) -> str:
    """The word for a network's widths, `OWN` where there is none."""
    return next((word for word in WIDTHS if widths_of(word, size) == channels), OWN)


def read_widths(text: str) -> tuple[int, ...]:
    """Widths from a text such as "32, 64, 128".

    Raises:
        SettingsError: There is something else in it.
    """
    parts = [part for part in re.split(r"[,;\s]+", text.strip()) if part]
    if not parts or not all(re.fullmatch(r"\d{1,6}", part) for part in parts):
        raise SettingsError("channels", "channels must be whole numbers, such as 32, 64, 128.")
    return tuple(map(int, parts))


def suggested_size(sides: tuple[int, int]) -> int:
    """The side to train images of this width and height at: their own where that is small."""
    own = min(sides) // 4 * 4
    return own if 8 <= own <= LARGEST_SUGGESTED else SUGGESTED


def is_run(folder: Path) -> bool:
    """Whether a run of training is in a folder."""
    return (folder / "training" / "config.json").is_file()


def may_be_images(path: Path) -> bool:
    """Whether a path that was dropped is images or a run: no model, no picture, no settings."""
    if path.is_dir():
        return is_run(path) or not (path / "model_index.json").exists()
    return not is_model(path) and path.suffix.lower() not in {*SUFFIXES, ".json"}


def models_folder() -> Path:
    """Where new models go unless another place is chosen."""
    return user_folder("data") / "models"


def free_name(data: str, parent: Path) -> str:
    """A name for the model of some images, that no folder in ``parent`` has."""
    last = data.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    plain = re.sub(r"[^\w.-]+", "-", _ENDS.sub("", last)).strip(".-") or "model"
    names = (plain if number == 1 else f"{plain}-{number}" for number in range(1, 10_000))
    return next(name for name in names if not (parent / name).exists())


def checked_place(text: str, parent: Path) -> Path:
    """The folder of a new model.

    Args:
        text: A name, or a whole path.
        parent: Where a name alone is.

    Raises:
        SettingsError: There is no name, or something is there already.
    """
    if not text.strip():
        raise SettingsError("out", "Give the new model a name.")
    try:
        place = parent / text.strip()
        taken = place.exists() and (not place.is_dir() or any(place.iterdir()))
    except (OSError, ValueError) as error:
        raise SettingsError("out", "This cannot be the name of a folder.") from error
    if taken:
        raise SettingsError(
            "out", f"{place.name} is there already: choose another name, or go on with its run."
        )
    return place
