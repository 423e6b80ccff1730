"""The weights of the Inception network: a file of the user's, or one downloaded after asking."""

from __future__ import annotations

import sys
from pathlib import Path

from ddim_studio.cli.terminal import UsageError, tell
from ddim_studio.evaluation.inception import INCEPTION_HASH, download_inception
from ddim_studio.storage import user_folder

DOWNLOAD = "download"


def inception_file(text: str | None, *, agreed: bool) -> str | None:
    """The file that ``--inception`` stands for, None where it was not given.

    Args:
        text: A path, or "download" for the copy in the user's cache, fetched if it is not there.
        agreed: Whether the user agreed to the download beforehand.

    Raises:
        UsageError: There is no such file, there is nobody to ask, or the answer was no.
        ModelError: The download failed.
    """
    if text is None:
        return None
    if text != DOWNLOAD:
        if not Path(text).is_file():
            raise UsageError(f"--inception must be a file or {DOWNLOAD}: there is no file {text!r}")
        return text
    kept = user_folder("cache") / "inception" / f"inception-{INCEPTION_HASH}.pth"
    if kept.is_file() or download_inception(kept, lambda *what: agreed or _ask(*what)):
        return str(kept)
    raise UsageError("the weights were not downloaded: give their file with --inception FILE")


def _ask(address: str, size: int) -> bool:
    """Ask on the terminal."""
    if not sys.stdin.isatty():
        raise UsageError("--inception download asks before it downloads: add --yes to agree")
    tell(f"The weights of Inception are to be downloaded: {size / 1e6:.0f} MB from {address}")
    sys.stderr.write("Download them? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
