"""Where the program keeps its files, and how it writes them so that a kill loses nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME_VARIABLE = "DDIM_STUDIO_HOME"
DEFAULT_MODEL = "toonheads-32"
"""The bundled model that is opened unless another one is asked for."""


def resources() -> Path:
    """The folder of bundled models, icons, fonts and sample images.

    In a checkout it stands beside the package; a wheel carries it inside.
    """
    package = Path(__file__).resolve().parent
    inside = package / "resources"
    return inside if inside.is_dir() else package.parent / "resources"


def user_folder(purpose: str) -> Path:
    """The folder for this user's ``purpose`` ("config", "data" or "cache"), made if missing.

    ``DDIM_STUDIO_HOME`` in the environment overrides the platform's own folders.
    """
    home = os.environ.get(HOME_VARIABLE)
    if home:
        folder = Path(home) / purpose
    else:
        locate = {
            "config": platformdirs.user_config_path,
            "data": platformdirs.user_data_path,
            "cache": platformdirs.user_cache_path,
        }[purpose]
        folder = locate("ddim-studio", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def atomic_path(destination: Path, *, new: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``destination``, renamed onto it when the block succeeds.

    The temporary name keeps the suffix, since many encoders choose their format by it. When the
    block raises, the temporary file is removed and ``destination`` stays as it was.

    Args:
        destination: The file that there is to be.
        new: Never replace a file that another process has put there meanwhile.

    Raises:
        FileExistsError: With ``new``, there is such a file.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    name = f".{destination.stem[:40]}-{secrets.token_hex(8)}{destination.suffix}"
    temporary = destination.with_name(name)
    # Made here, so that the umask decides who may read it; asking for the umask would mean
    # setting it, for all threads.
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        if not (new and _linked(temporary, destination)):
            temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)


def _linked(file: Path, destination: Path) -> bool:
    """Give a file a second name that nobody has; false where file systems know no such thing."""
    try:
        os.link(file, destination)
    except FileExistsError:
        raise
    except (OSError, AttributeError):
        if destination.exists():
            raise FileExistsError(str(destination)) from None
        return False
    return True


@contextmanager
def atomic_folder(destination: Path) -> Iterator[Path]:
    """Yield a new folder beside ``destination``, renamed to it when the block succeeds.

    When the block raises, the new folder is removed. A folder that was at ``destination`` stays
    until the new one is complete; then the two change places and the old one is removed.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = (
        destination.with_name(f".{destination.name[:40]}-{secrets.token_hex(8)}") for _ in range(2)
    )
    temporary.mkdir()
    try:
        yield temporary
        if destination.exists():
            destination.replace(old)
        try:
            temporary.replace(destination)
        except OSError:
            if old.exists():
                old.replace(destination)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
